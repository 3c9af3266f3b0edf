import { unlessAborted } from '../core/abort.js';
import { errorMessage } from '../core/errors.js';
import type { MonitorLook } from '../core/monitors.js';
import type { Clock } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import { repeat } from '../core/timer.js';
import type { Pace, Probe } from './kind/types.js';

/** A look that is over, and when its values were: by the clock's elapsed(). */
export interface Told {
  readonly look: MonitorLook;
  readonly at: Milliseconds;
}

/** How a probe is sampled. */
export interface Sampling extends Pace {
  readonly clock: Clock;
  readonly tell: (told: Told) => void;
}

/** A look that has not come back for so long, in time-outs, is given up with its connection. */
const patience = 5;

/**
 * Looks again and again until `over`, whatever other probes do. Where no answer came in time, that is told at each tick; values that
 * come later than that count for nothing.
 */
export async function sample(probe: Probe, { every, timeout, clock, tell }: Sampling, over: AbortSignal): Promise<void> {
  let due: { readonly since: Milliseconds; readonly look: Promise<readonly Told[]> } | undefined;
  let nextAt = clock.elapsed();
  const fail = (error: string) => tell({ look: { source: probe.source, error }, at: clock.elapsed() });
  // A source is told to be gone once: late is better than never.
  const tellGone = (late: readonly Told[]) => {
    for (const one of late) if (one.look.gone === true && !over.aborted) tell(one);
  };
  const tick = async () => {
    const now = clock.elapsed();
    if (due !== undefined) {
      fail(`no answer within ${Math.round(timeout)} ms`);
      if (now - due.since < patience * timeout) return;
      due = undefined;
      probe.drop();
    }
    if (now < nextAt) return;
    const look = lookOnce(probe, clock);
    const mine = { since: now, look };
    due = mine;
    void look.then(() => {
      if (due === mine) due = undefined;
    });
    const told = await unlessLate(look, timeout, clock, over);
    if (told === undefined) void look.then(tellGone);
    for (const one of told ?? []) tell(one);
    const [slower] = told?.flatMap(({ look: { everyMs } }) => everyMs ?? []) ?? [];
    if (slower !== undefined) nextAt = now + slower - every / 2;
  };
  await tick();
  await repeat(clock, every, over, tick);
}

/** One look, with the moment of its values: halfway between question and answer, or as old as the source says. Never rejects. */
export async function lookOnce(probe: Probe, clock: Pick<Clock, 'elapsed'>): Promise<readonly Told[]> {
  const asked = clock.elapsed();
  const at = () => (asked + clock.elapsed()) / 2;
  try {
    const looks = await probe.look();
    return looks.map(({ ageMs = 0, ...look }) =>
      Number.isFinite(ageMs)
        ? { look: inNumbers(look), at: at() - ageMs }
        : { look: { source: look.source, error: 'its samples have no time' }, at: at() },
    );
  } catch (error) {
    return [{ look: { source: probe.source, error: errorMessage(error) }, at: at() }];
  }
}

/** A look without what is no number: NaN, as a ratio of nothing is, and what is beyond all numbers. */
function inNumbers(look: Omit<MonitorLook, 'ageMs'>): Omit<MonitorLook, 'ageMs'> {
  const all = Object.entries(look.values ?? {});
  const numbers = all.filter(([, value]) => Number.isFinite(value));
  if (numbers.length === all.length) return look;
  const { values: _, ...rest } = look;
  return numbers.length === 0 ? { ...rest, error: `it told no number: ${all[0]?.[1]}` } : { ...rest, values: Object.fromEntries(numbers) };
}

/** What a look came to in its time; undefined where it was late. */
async function unlessLate<T>(work: Promise<T>, ms: Milliseconds, clock: Clock, over: AbortSignal): Promise<T | undefined> {
  const done = new AbortController();
  const late = new AbortController();
  void clock.sleep(ms, AbortSignal.any([done.signal, over])).then(() => late.abort());
  try {
    return await unlessAborted(work, late.signal);
  } finally {
    done.abort();
  }
}
