import type { Criterion } from '../../core/criterion.js';
import type { LoggedEvent } from '../../core/events.js';
import type { RunId } from '../../core/ids.js';
import type { BrokenLimit } from '../../core/monitors.js';
import type { Occasion } from '../../core/outputs.js';
import { type EpochMs, formatCount, formatDuration } from '../../core/quantities.js';
import type { Receipt } from '../../core/receipt.js';
import type { JudgedCriterion, Verdict, VerdictWord } from '../../core/verdict.js';
import { formatLimit, formatValue } from '../../metrics/limit-text.js';
import type { Plan } from '../../plan/plan.js';
import { type Fact, linesWithin, type Message } from '../kind/message.js';
import { type Dashboard, dashboardLink } from './dashboard.js';

/** Who asked for what, and where: the same in every message of a command. */
export interface Occurrence {
  readonly plan: Plan;
  readonly by: { readonly user: string; readonly host: string };
  readonly link?: string;
  readonly dashboard?: Dashboard;
}

/** Makes messages of the events of one command, in their order. */
export function messagesOf(about: Occurrence): (event: LoggedEvent) => Message | undefined {
  const { plan, link } = about;
  let run: RunId | undefined;
  let directory: string | undefined;
  const shown = shownOf(about);
  const make = ({ at, t }: LoggedEvent, said: Said): Message => ({
    environment: plan.environment,
    ...(run === undefined ? {} : { run }),
    at,
    t,
    ...said,
    facts: [...said.facts, ...whereIt(about, run, directory)],
    lines: linesWithin(said.lines),
    ...(link === undefined ? {} : { link }),
    ...shown.now(),
  });
  return (event) => {
    if (event.type === 'run-opened') [run, directory] = [event.run, event.directory];
    shown.hear(event);
    const said = saidOf(event, plan);
    return said && make(event, said);
  };
}

/** Follows from when to when a dashboard shows the run: to its end, or to where that is planned. */
function shownOf({ plan, dashboard }: Occurrence): { hear(event: LoggedEvent): void; now(): Pick<Message, 'dashboard'> } {
  let run: RunId | undefined;
  let [from, to]: [EpochMs, EpochMs | undefined] = [0, undefined];
  return {
    hear: (event) => {
      if (event.type === 'run-opened') [run, from] = [event.run, event.at];
      if (event.type === 'fleet-released' && plan.load !== undefined) to = event.at + plan.load.duration;
      if (event.type === 'load-ended') to = event.at;
    },
    now: () =>
      run === undefined || dashboard === undefined
        ? {}
        : { dashboard: dashboardLink(dashboard, { run, from, ...(to === undefined ? {} : { to }) }) },
  };
}

type Said = Pick<Message, 'occasion' | 'title' | 'facts' | 'lines' | 'limit'>;

function saidOf(event: LoggedEvent, plan: Plan): Said | undefined {
  switch (event.type) {
    case 'fleet-released':
      return { occasion: 'started', title: `The load test on ${plan.environment} has started`, facts: blastOf(plan), lines: [] };
    case 'limit-breached':
      return brokenSaid('breach', event, plan, `is broken: ${actualOf(event)}${forSo(event.forMs)}`);
    case 'limit-recovered':
      return brokenSaid(
        'recovered',
        event,
        plan,
        event.over ? 'was broken to the end of the judged window' : `holds again${after(event.forMs)}`,
      );
    case 'judged':
      return judgedSaid(event.verdict, plan);
    case 'receipt-made':
      return event.receipt.proven || event.receipt.dryRun ? undefined : receiptSaid(event.receipt);
    default:
      return undefined;
  }
}

function brokenSaid(occasion: 'breach' | 'recovered', broken: BrokenLimit, plan: Plan, how: string): Said {
  const { limit, monitor, source } = broken;
  const where = [monitor, source].filter((part) => part !== undefined).join(', ');
  return {
    occasion,
    title: `${plan.environment}: ${limit.name} ${formatLimit(limit)} ${how}`,
    facts: [...(where === '' ? [] : [{ name: 'measured by', value: where }]), ...blastOf(plan)],
    lines: [],
    limit: limitKey(limit),
  };
}

/** The same for every message about one limit of a profile. */
function limitKey(limit: Criterion): string {
  return `${limit.source} ${limit.name} ${formatLimit(limit)}`;
}

function actualOf({ limit, actual }: BrokenLimit): string {
  return formatValue(actual.value, limit.unit, limit.limit);
}

function forSo(ms: number): string {
  return ms < 1000 ? '' : ` for ${formatDuration(Math.round(ms / 1000) * 1000)}`;
}

function after(ms: number): string {
  return ms < 1000 ? '' : ` after ${formatDuration(Math.round(ms / 1000) * 1000)}`;
}

const endings: Readonly<Record<VerdictWord, { readonly occasion: Occasion; readonly word: string }>> = {
  pass: { occasion: 'passed', word: 'passed' },
  fail: { occasion: 'failed', word: 'failed' },
  invalid: { occasion: 'invalid', word: 'is invalid' },
  interrupted: { occasion: 'interrupted', word: 'was interrupted' },
};

function judgedSaid({ verdict, reasons, criteria }: Verdict, plan: Plan): Said {
  const { occasion, word } = endings[verdict];
  const broken = criteria.filter(({ outcome }) => outcome !== 'pass');
  const good = criteria.filter(({ outcome }) => outcome === 'pass');
  const said = new Set(broken.map(({ name }) => name));
  const others = reasons.filter((reason) => ![...said].some((name) => reason.startsWith(name)));
  return {
    occasion,
    title: `The load test on ${plan.environment} ${word}`,
    facts: blastOf(plan),
    lines: [...broken.map(criterionLine), ...others, ...good.map(criterionLine)],
  };
}

function criterionLine({ name, limit, actual, unit, outcome }: JudgedCriterion): string {
  const value = actual === null ? '' : `: ${formatValue(actual, unit)}`;
  return `${outcome === 'pass' ? '✔' : outcome === 'not-measured' ? '○' : '✖'} ${name} ${limit}${value}${outcomeWord(outcome)}`;
}

function outcomeWord(outcome: JudgedCriterion['outcome']): string {
  return outcome === 'pass' || outcome === 'fail' ? '' : ` (${outcome.replace('-', ' ')})`;
}

function receiptSaid({ environment, lines }: Receipt): Said {
  const left = lines.filter(({ kind }) => kind === 'left' || kind === 'unknown');
  return {
    occasion: 'not-clean',
    title: `The cleanup on ${environment} is not proven: test data may remain`,
    facts: [],
    lines: left.map(
      ({ what, count, why }) =>
        `${what}: ${count === null ? 'unknown' : `${formatCount(count)} left`}${why === undefined ? '' : ` (${why})`}`,
    ),
  };
}

/** What it may touch. */
function blastOf({ target, load, runners, requestsPerSecond, fleet }: Plan): Fact[] {
  const where = 'colours' in target ? `${target.colours.blue} or ${target.colours.green}` : target.url;
  const size = [
    ...(load === undefined ? ["the script's own load"] : [`${formatCount(load.vus)} VUs for ${formatDuration(load.duration)}`]),
    ...(requestsPerSecond === undefined ? [] : [`${formatCount(Math.round(requestsPerSecond))} requests/s planned`]),
    `${runners.length} ${fleet.backend} ${runners.length === 1 ? 'runner' : 'runners'}`,
  ];
  return [
    { name: 'target', value: where },
    { name: 'load', value: size.join(', ') },
  ];
}

function whereIt({ by, link }: Occurrence, run: RunId | undefined, directory: string | undefined): Fact[] {
  return [
    { name: 'by', value: `${by.user} on ${by.host}` },
    ...(run === undefined ? [] : [{ name: 'run', value: run }]),
    ...(directory === undefined || link !== undefined ? [] : [{ name: 'result', value: `${by.host}:${directory}` }]),
  ];
}
