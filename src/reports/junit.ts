import { exitCodesOf } from '../core/errors.js';
import type { JudgedCriterion } from '../core/verdict.js';
import { isFailing } from '../metrics/judge.js';
import { changeText, comparisonNotes } from '../reporters/compare-table.js';
import { type Markup, markup } from './result/markup.js';
import type { Judged, Result } from './result/result.js';
import { criterionLines, endWords, placeOfLimit, receiptWords, runWords, statement, windowMs } from './result/words.js';

/** What a case came to, besides a pass; GitLab shows the lines, others the first of them. */
interface Finding {
  readonly as: 'failure' | 'error' | 'skipped';
  readonly lines: readonly string[];
}

interface Case {
  /** What GitLab shows as the suite. */
  readonly classname: string;
  readonly name: string;
  /** Seconds. */
  readonly time: string;
  readonly finding?: Finding | undefined;
}

/**
 * junit.xml: a case for each criterion, for what else fails a run, for whether the result is valid, and for the cleanup. An
 * `error` is about the test itself, a `failure` about the target. Only what Jenkins' schema knows: the place of a limit is in
 * the text, as a case has no `file` there.
 */
export function junit(result: Result): string {
  const cases = toldApart(casesOf(result));
  const of = (as: Finding['as']) => cases.filter(({ finding }) => finding?.as === as).length;
  const { judged } = result;
  const seconds = judged === undefined ? '0.000' : secondsText(judged.summary?.durationMs ?? 0);
  const name = `loadctl ${result.environment}`;
  const started = judged && new Date(judged.record.startedAt).toISOString().slice(0, 19);
  const suite = markup`<testsuite name="${name}" tests="${cases.length}" failures="${of('failure')}" errors="${of('error')}" skipped="${of('skipped')}" time="${seconds}"${started && markup` timestamp="${started}"`}>
${properties(result)}${cases.map(caseMarkup)}</testsuite>
`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${markup`<testsuites name="loadctl" tests="${cases.length}" failures="${of('failure')}" errors="${of('error')}" time="${seconds}">
${suite}</testsuites>
`}`;
}

function casesOf(result: Result): Case[] {
  const { environment, judged, receipt, errors, reasons } = result;
  const own = { classname: `${environment}.loadctl`, time: '0.000' };
  const ended = errors.map(({ message, hint, lines = [] }) => [message, ...lines, ...(hint === undefined ? [] : [hint])]);
  const whole: Case = { ...own, name: 'loadctl came to its end', finding: found('error', ended.flat()) };
  const cleaned: Case[] = receipt === undefined ? [] : [{ ...own, name: 'the test data is removed', finding: cleanupFinding(result) }];
  if (judged === undefined) return [{ ...whole, finding: whole.finding ?? found('error', reasons.length > 0 ? [endWords(result)] : []) }];
  return [
    ...judged.verdict.criteria.map((criterion, index) => criterionCase(judged, criterion, index)),
    { ...own, name: 'nothing else failed the run', finding: otherFailure(judged) },
    { ...own, name: 'the result is valid', finding: invalidity(judged) },
    ...comparedCases(result),
    ...cleaned,
    whole,
  ];
}

/** Only what is worse fails, and only where that was asked for; what cannot be told is skipped. */
function comparedCases({ environment, compared }: Result): Case[] {
  if (compared === undefined) return [];
  const own = { classname: `${environment}.compare`, time: '0.000' };
  const gated = compared.changes.filter((one) => one.gated);
  return [
    ...gated.map((change): Case => {
      const as = change.word === 'worse' && compared.isGate ? 'failure' : 'skipped';
      const isFine = change.word === 'same' || change.word === 'better';
      const lines = [changeText(change), ...comparisonNotes(compared)];
      return { ...own, name: `${change.name} is no worse than before`, finding: isFine ? undefined : found(as, lines) };
    }),
    ...compared.uncompared.map(({ name }): Case => {
      const lines = [`${name}: not compared`, ...comparisonNotes(compared)];
      return { ...own, name: `${name} is no worse than before`, finding: found('skipped', lines) };
    }),
  ];
}

function criterionCase(judged: Judged, criterion: JudgedCriterion, index: number): Case {
  const lines = criterionLines(criterion, placeOfLimit(judged, index));
  const as = isFailing(criterion) ? 'failure' : 'skipped';
  return {
    classname: `${judged.record.environment}.${criterion.source}`,
    name: statement(criterion),
    time: secondsText(windowMs(judged)),
    finding: criterion.outcome === 'pass' ? undefined : found(as, lines),
  };
}

/** A script may mark its run as failed, an abort rule may end it, while every criterion holds. */
function otherFailure({ verdict }: Judged): Finding | undefined {
  return verdict.verdict === 'fail' && !verdict.criteria.some(isFailing) ? found('failure', verdict.reasons) : undefined;
}

function invalidity({ verdict }: Judged): Finding | undefined {
  const isValid = verdict.verdict === 'pass' || verdict.verdict === 'fail';
  return isValid ? undefined : found('error', [`The result is ${verdict.verdict}.`, ...verdict.reasons]);
}

function cleanupFinding({ receipt }: Result): Finding | undefined {
  if (receipt === undefined || (receipt.proven && !receipt.dryRun)) return undefined;
  const left = receipt.lines.filter(({ kind }) => kind === 'left' || kind === 'unknown');
  const lines = left.map(({ kind, what, count, why, command }) =>
    [`${kind}: ${count ?? '?'} of ${what}`, why, command].filter((part) => part !== undefined).join('; '),
  );
  return found(receipt.dryRun ? 'skipped' : 'failure', [receiptWords(receipt), ...lines]);
}

function found(as: Finding['as'], lines: readonly string[]): Finding | undefined {
  return lines.length === 0 ? undefined : { as, lines };
}

/** Of equal names GitLab counts the first case only. */
function toldApart(cases: readonly Case[]): Case[] {
  const taken = new Set<string>();
  return cases.map((one) => {
    const key = (name: string) => markup`${one.classname}\n${name}`.toString();
    let name = one.name;
    for (let nth = 2; taken.has(key(name)); nth += 1) name = `${one.name} (${nth})`;
    taken.add(key(name));
    return { ...one, name };
  });
}

function properties(result: Result): Markup {
  const { judged } = result;
  const facts = [
    ['exit', endWords(result)],
    ['exitCode', exitCodesOf(result.reasons).exitCode],
    ...(judged === undefined ? [] : [['verdict', judged.verdict.verdict] as const, ['run', runWords(judged)] as const]),
  ] as const;
  return markup`<properties>
${facts.map(([name, value]) => markup`<property name="${name}" value="${value}"/>\n`)}</properties>
`;
}

function caseMarkup({ classname, name, time, finding }: Case): Markup {
  const head = markup`<testcase classname="${classname}" name="${name}" time="${time}"`;
  return finding === undefined ? markup`${head}/>\n` : markup`${head}>${findingMarkup(finding)}</testcase>\n`;
}

function findingMarkup({ as, lines }: Finding): Markup {
  const inside = markup`message="${lines[0] ?? ''}">${lines.join('\n')}`;
  switch (as) {
    case 'failure':
      return markup`<failure type="limit" ${inside}</failure>`;
    case 'error':
      return markup`<error type="loadctl" ${inside}</error>`;
    case 'skipped':
      return markup`<skipped ${inside}</skipped>`;
  }
}

function secondsText(ms: number): string {
  return (ms / 1000).toFixed(3);
}
