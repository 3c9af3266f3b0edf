import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Said, type Workplace, workplace } from '../support/loadctl.js';
import { type Form, fedFlags } from './form.js';
import { checksOf, countsOf, filesIn, inOneSpelling, inWords, readJson, type Seen, talkIn } from './seen.js';

/** What a fleet's run shows, and all that loadctl told. */
export type SeenOfFleet = Omit<Seen, 'requests'> & {
  readonly told: string;
  /** Whether it had to be told to end. */
  readonly late: boolean;
  /** The last that its bar showed; missing where no load was on. */
  readonly bar?: Bar;
};

/** A bar of progress, in milliseconds. */
export interface Bar {
  readonly elapsedMs: number;
  readonly totalMs: number;
}

interface Summary {
  readonly metrics: Readonly<Record<string, { readonly values: Readonly<Record<string, unknown>> }>>;
  readonly rootGroup: Parameters<typeof checksOf>[0];
}

interface Verdict {
  readonly criteria: readonly { readonly source: string; readonly metric: string; readonly outcome: string }[];
}

/** The target, and the variables that the script is given. */
export interface Surroundings {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a script by loadctl with three runners, in a folder of its own. */
export async function runFleet(form: Form, script: string, { url, env }: Surroundings): Promise<SeenOfFleet> {
  const guards = { allow: ['shop.test'], confirm: false };
  const profile = {
    environment: 'dev',
    target: { url },
    workload: { script, env, options: form.laidOver?.options ?? {} },
    runners: { count: 3 },
    guards,
  };
  const place = workplace({ 'profiles/dev.yaml': JSON.stringify(profile) });
  const started = place.start(['run', '--env', 'dev', ...(form.flags ?? []), ...fedFlags(form)], { ...form.shell });
  const { code, stdout, stderr, late } = await inTime(started);
  const runs = join(place.folder, '.loadctl', 'runs');
  const run = join(runs, existsSync(runs) ? (readdirSync(runs)[0] ?? 'none') : 'none');
  const summary = readJson<Summary>(join(run, 'summary.json'));
  return {
    code,
    counts: Object.assign({}, ...Object.entries(summary?.metrics ?? {}).map(([name, { values }]) => countsOf(name, values))),
    checks: checksOf(summary?.rootGroup),
    thresholds: thresholdsOf(readJson<Verdict>(join(run, 'verdict.json'))),
    files: filesIn(place.folder),
    summary: stdout,
    talk: logsOf(run).flatMap(talkIn).sort(),
    told: `${stdout}\n${stderr}`,
    late,
    ...barOf(run),
  };
}

function barOf(run: string): Pick<SeenOfFleet, 'bar'> {
  const file = join(run, 'events.ndjson');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const last = lines.filter((line) => line.includes('"fleet-sampled"')).at(-1);
  return last === undefined ? {} : { bar: JSON.parse(last) as Bar };
}

/** A form is small: a fleet that is still at it after this long does something else than one k6. */
const longestMs = 20_000;

/** What a call said; one that takes too long is told to end, and then to end at once. */
async function inTime({ process, said }: ReturnType<Workplace['start']>): Promise<Said & { readonly late: boolean }> {
  let late = false;
  const first = setTimeout(() => {
    late = true;
    process.kill('SIGTERM');
  }, longestMs);
  const second = setTimeout(() => process.kill('SIGTERM'), longestMs + 8000);
  const ended = await said;
  for (const timer of [first, second]) clearTimeout(timer);
  return { ...ended, late };
}

/** The profile that a k6 user would write for his script: where it is, what it is told, how many runners. */
export function profileOf({ laidOver }: Form, script: string, { url, env }: Surroundings): string {
  return JSON.stringify({
    environment: 'dev',
    target: { url },
    workload: { script, env, options: laidOver?.options ?? {} },
    runners: { count: 3 },
    guards: { allow: ['shop.test'], confirm: false },
  });
}

function thresholdsOf(verdict: Verdict | undefined): Record<string, string> {
  const own = (verdict?.criteria ?? []).filter(({ source }) => source === 'script');
  const metrics = [...new Set(own.map(({ metric }) => metric))];
  const outcomesOf = (metric: string) => own.filter((one) => one.metric === metric).map(({ outcome }) => outcomeOf(outcome));
  return Object.fromEntries(metrics.map((metric) => [inOneSpelling(metric), inWords(outcomesOf(metric))]));
}

/** `undecided` counts as missed, as it does for the verdict. */
function outcomeOf(outcome: string): 'met' | 'missed' | 'no data' {
  return outcome === 'pass' ? 'met' : outcome === 'no-data' ? 'no data' : 'missed';
}

function logsOf(run: string): string[] {
  const runners = join(run, 'runners');
  if (!existsSync(runners)) return [];
  return readdirSync(runners).map((runner) => readFileSync(join(runners, runner, 'log'), 'utf8'));
}
