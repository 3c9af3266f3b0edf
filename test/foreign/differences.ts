import type { SeenOfFleet } from './fleet.js';
import type { Form } from './form.js';
import type { Seen } from './seen.js';

/** Both runs of a form. */
export interface Both {
  readonly bare: Seen;
  readonly fleet: SeenOfFleet & Pick<Seen, 'requests'>;
}

/** What a fleet does not do as one k6 does it, in words; nothing where all is the same. */
export function differences(form: Form, { bare, fleet }: Both): string[] {
  const counted = form.uncounted === undefined;
  return [
    ...(bare.code === form.ends ? [] : [`the form itself: k6 ended with ${bare.code}, not ${form.ends}`]),
    ...(fleet.late ? ['loadctl did not end by itself'] : []),
    ...unequal('exit code', form.decided?.code ?? bare.code, fleet.code),
    ...(counted ? apart('count', countsToCompare(bare.counts, fleet.counts), fleet.counts, (name) => allowed(form, name)) : []),
    ...(counted ? unequalEach('check', bare.checks, fleet.checks) : []),
    ...unequalEach('threshold', expectedThresholds(form, bare.thresholds), fleet.thresholds),
    ...(form.uncounted === 'metrics and requests' ? [] : apart('request', bare.requests, fleet.requests, () => form.within?.requests ?? 0)),
    ...unequalEach('file', bare.files, fleet.files),
    ...(fleet.summary.startsWith(bare.summary) ? [] : [`stdout: k6 ${show(bare.summary)}, loadctl ${show(fleet.summary.slice(0, 300))}`]),
    ...(form.talk === undefined ? [] : unequal('console', bare.talk.join('\n'), fleet.talk.join('\n'))),
    ...(counted ? unfinished(fleet) : []),
    ...(form.tells ?? []).flatMap((wanted) => (wanted.test(fleet.told) ? [] : [`loadctl does not tell ${wanted}`])),
  ];
}

/** A bar is full when the load that it shows is over, and it says by then how long that was. */
function unfinished({ bar }: SeenOfFleet): string[] {
  if (bar === undefined || (bar.totalMs > 0 && bar.totalMs <= bar.elapsedMs)) return [];
  return [`the bar: ${bar.elapsedMs} of ${bar.totalMs} ms when the load was over`];
}

/** What k6 counts; of what it leaves out because it had no samples, loadctl may say 0. */
function countsToCompare(bare: Seen['counts'], fleet: Seen['counts']): Record<string, number> {
  const more = Object.entries(fleet).filter(([name, value]) => !(name in bare) && value !== 0 && !name.includes('{'));
  return { ...bare, ...Object.fromEntries(more.map(([name]) => [name, 0])) };
}

function allowed({ within = {} }: Form, name: string): number {
  return within[name.replace(/ \w+$/, '')] ?? within[name.replace(/\{.*| \w+$/g, '')] ?? 0;
}

function expectedThresholds({ decided }: Form, bare: Seen['thresholds']): Seen['thresholds'] {
  const noData = decided?.noData ?? [];
  return Object.fromEntries(
    Object.entries(bare).map(([metric, outcome]) => [metric, noData.includes(metric) ? outcome.replace('met', 'no data') : outcome]),
  );
}

type Numbers = Readonly<Record<string, number>>;

function apart(what: string, bare: Numbers, fleet: Numbers, most: (name: string) => number): string[] {
  const names = what === 'request' ? [...new Set([...Object.keys(bare), ...Object.keys(fleet)])] : Object.keys(bare);
  return names.flatMap((name) => {
    const [one, other] = [bare[name] ?? 0, fleet[name] ?? 0];
    if (Math.abs(one - other) <= most(name)) return [];
    const margin = most(name) === 0 ? '' : ` (${most(name)} apart at most)`;
    return [`${what} ${name}: k6 ${one}, loadctl ${other}${margin}`];
  });
}

type Texts = Readonly<Record<string, string>>;

function unequalEach(what: string, bare: Texts, fleet: Texts): string[] {
  const names = [...new Set([...Object.keys(bare), ...Object.keys(fleet)])];
  return names.flatMap((name) => unequal(`${what} ${name}`, bare[name], fleet[name]));
}

function unequal(what: string, bare: unknown, fleet: unknown): string[] {
  return bare === fleet ? [] : [`${what}: k6 ${show(bare)}, loadctl ${show(fleet)}`];
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
