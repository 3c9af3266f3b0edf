import { expect } from 'vitest';
import type { Receipt } from '../../../src/core/receipt.js';
import type { Said } from '../../support/loadctl.js';
import { quote } from './model.js';
import { asText, type Dump, differences } from './oracle.js';
import type { SchemaPlan } from './plan.js';
import type { Played } from './play.js';

/** How a schema's test ended: whether all of it went through. */
export type Outcome = 'clean' | 'refused';

/** Holds what loadctl said against the rows. */
export function judge(plan: SchemaPlan, played: Played): Outcome {
  const all = storyOf(plan, played);
  // Whatever it says: not one row of others comes, changes or goes.
  expect(differences(played.before, played.logs, played.after), all).toEqual([]);
  checkStruck(plan, played, all);
  checkSaid(plan, played.seeded, all);
  // What a refused seed leaves unsaid, which rows are whose, may keep a cleanup from proving anything.
  if (played.seeded.code !== 0) {
    // A seed that was killed as it took back what it wrote left that for the cleanup.
    const isCut = plan.strike?.command === 'seed' && plan.strike.signal === 'SIGKILL';
    if (!isCut) expect(left(plan, played.between), all).toEqual([]);
    expect([0, ...refusals], all).toContain(played.cleaned.code);
    if (isCut && played.cleaned.code === 0) expect(left(plan, whatWasThere(played)), all).toEqual([]);
    return 'refused';
  }
  checkSaid(plan, played.cleaned, all);
  if (played.cleaned.code !== 0) return 'refused';
  const receipt = JSON.parse(played.cleaned.stdout) as Receipt;
  expect(receipt.proven, all).toBe(true);
  expect(left(plan, whatWasThere(played)), all).toEqual([]);
  expect(unheard(plan, played), all).toEqual([]);
  return 'clean';
}

const refusals = [104, 112, 113, 114];

/** Without a hazard it ends well; else a refusal names one that is there. */
function checkSaid({ hazards, model }: SchemaPlan, said: Said, all: string): void {
  if (said.code === 0) return;
  const code = said.code ?? -1;
  const why = reasonIn(said);
  const tables = new Set(model.tables.map(({ name }) => name));
  const isNamed = (name: string) => why.includes(tables.has(name) ? `.${name}` : name);
  const named = hazards.filter(({ codes, names }) => codes.includes(code) && names.some(isNamed));
  expect(
    named.map(({ kind }) => kind),
    `exit ${code}\n${all}`,
  ).not.toEqual([]);
}

/** What a refusal is about: a receipt's lines, and the error. What is counted or done beside that names many a table. */
function reasonIn({ stdout, stderr }: Said): string {
  const lines = stdout.startsWith('{') ? (JSON.parse(stdout) as Receipt).lines : [];
  const error = stderr.slice(Math.max(0, stderr.indexOf('\nerror: ')));
  return [...lines.flatMap(({ what, why = '', command = '' }) => [`.${what}`, why, command]), error].join('\n').replaceAll('"', '');
}

/** A struck command ends soon, and not as a bug. */
function checkStruck({ strike }: SchemaPlan, { struck }: Played, all: string): void {
  if (strike?.signal !== 'SIGINT' || struck === undefined) return;
  expect([0, 105, ...refusals], all).toContain(struck.code);
  expect(struck.afterMs, all).toBeLessThan(5000);
}

/** Rows of the test that are there, but for those that a trigger wrote where no entry is. */
function left({ model }: SchemaPlan, { tests }: Dump): string[] {
  const unknown = model.audits.filter(({ by }) => by === 'unlisted').map(({ name }) => quote(name));
  return tests.filter(({ place }) => !unknown.some((name) => place.endsWith(name))).map(asText);
}

/** Rows that went while the table's own trigger on DELETE did not run, where nothing takes away what that writes. */
function unheard({ model }: SchemaPlan, { after }: Played): string[] {
  return model.audits.flatMap(({ name, by, onDelete }) => {
    if (by !== 'unlisted' || !onDelete) return [];
    const written = after.tests.filter(({ place }) => place.endsWith(quote(name))).map(({ line }) => line.replace(/^\(\d+,/, ''));
    const sources = (event: string) =>
      written.filter((line) => line.endsWith(`,${event})`)).map((line) => line.slice(0, -event.length - 1));
    const gone = new Set(sources('DELETE'));
    return sources('INSERT')
      .filter((source) => !gone.has(source))
      .map((source) => `${name}: ${source}`);
  });
}

/**
 * What is left of that which the proof could see. What was written later is nobody's fault, as the receipt says of which moment it
 * is; a transaction that was open all along is one to wait for.
 */
function whatWasThere({ after, cleaned, open }: Played): Dump {
  const [, , end, running = ''] = /"snapshot": ?"(\d+):(\d+):([\d,]*)"/.exec(cleaned.stdout) ?? [];
  if (end === undefined) return after;
  const isSeen = ({ xmin }: { readonly xmin: string }) =>
    xmin === open || (Number(xmin) < Number(end) && !running.split(',').includes(xmin));
  return { ...after, tests: after.tests.filter(isSeen) };
}

/** All that is needed to see what happened, and how to see it again. */
function storyOf(plan: SchemaPlan, { seeded, cleaned, struck }: Played): string {
  const ended = (name: string, said: Said | undefined) =>
    said === undefined ? [] : [`--- ${name}: ${said.code}`, said.stdout, said.stderr];
  return [
    `LOADCTL_SCHEMAS=1 LOADCTL_SCHEMA_SEED=${plan.seed}; hazards: ${plan.hazards.map(({ kind }) => kind).join(', ') || 'none'}; ${JSON.stringify(plan.strike ?? {})}`,
    ...plan.schema.map((sql) => `${sql};`),
    JSON.stringify(plan.profile, undefined, 1),
    ...ended('struck', struck),
    ...ended('seed', seeded),
    ...ended('cleanup', cleaned),
  ].join('\n');
}
