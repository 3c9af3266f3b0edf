import { LoadctlError } from '../../core/errors.js';
import { formatCount } from '../../core/quantities.js';
import type { CheckedSeeding, SetState } from '../../stores/kind/types.js';
import type { DataContext } from './lock.js';

/**
 * The error that ended a seed, with what is in by now, store by store: after an interrupt and without the lock all that was
 * written stays, and after a refusal what could not be taken back.
 */
export async function howItStands(
  error: unknown,
  stores: readonly CheckedSeeding[],
  { signal, named, profile }: Pick<DataContext, 'signal' | 'named' | 'profile'>,
): Promise<unknown> {
  const why = signal.aborted && signal.reason instanceof LoadctlError ? signal.reason : error;
  if (!(why instanceof LoadctlError)) return why;
  const states = (await Promise.all(stores.map((store) => store.state()))).flat();
  const isIn = states.some(({ written, unknown }) => written + unknown > 0);
  const isInterrupted = why.reason === 'interrupted';
  // What was refused, and interrupted only while it was taken back, would be refused again.
  const resumes = isInterrupted || why === signal.reason;
  // Whoever interrupts the way back is told why it was taken, and how the command ended: by him.
  const reason = signal.aborted && why !== signal.reason ? 'interrupted' : why.reason;
  const message = isInterrupted ? 'seeding was interrupted' : why.message;
  if (isIn)
    return new LoadctlError(reason, `${message}; ${inAll(states)} are in`, {
      hint: resumes
        ? 'The same command resumes from there.'
        : `${why.hint ?? ''} What is in goes by: loadctl cleanup ${named ?? `--env ${profile.environment}`} --seeded`.trim(),
      lines: [...why.lines, ...(states.length > 1 ? states.map(inOne) : [])],
      cause: why,
    });
  if (isInterrupted)
    return new LoadctlError('interrupted', `${message}; nothing was written`, { hint: 'Run the command again.', cause: why });
  const hint = `${why.hint ?? ''} Nothing of this seed is in.`.trim();
  return states.length === 0 || why.message.endsWith('nothing was written')
    ? why
    : new LoadctlError(reason, message, { hint, lines: why.lines, cause: why });
}

function inAll(states: readonly SetState[]): string {
  const sum = (pick: (state: SetState) => number) => states.reduce((rest, state) => rest + pick(state), 0);
  const counts = howMuch({ there: sum(({ there }) => there), unknown: sum(({ unknown }) => unknown), all: sum(({ all }) => all) });
  return `${counts} ${[...new Set(states.map(({ unit }) => unit))].join(' and ')}`;
}

function inOne(state: SetState): string {
  return `${state.what}: ${howMuch(state)} ${state.unit}`;
}

/** What was sent in a transaction whose end nobody heard of may be in as well. */
function howMuch({ there, unknown, all }: Pick<SetState, 'there' | 'unknown' | 'all'>): string {
  return `${unknown > 0 ? 'at least ' : ''}${formatCount(there)} of ${formatCount(all)}`;
}
