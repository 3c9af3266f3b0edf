import type { EpochMs, Milliseconds } from '../../core/quantities.js';
import type { BackendContext } from '../runner/types.js';
import type { Agent } from './link.js';
import { orders } from './protocol.js';

const clockAsks = 3;

/** Asks a wall clock elsewhere once; undefined where no answer comes. */
export type AskOnce = () => Promise<EpochMs | undefined>;

/**
 * What a host's wall clock said when our elapsed() stood at 0: by the answer that came soonest, as the others were held up on
 * some way. Undefined where none came.
 */
export async function askClock(ask: AskOnce, { clock }: Pick<BackendContext, 'clock'>): Promise<EpochMs | undefined> {
  let best: { readonly tookMs: Milliseconds; readonly origin: EpochMs } | undefined;
  for (let asks = 0; asks < clockAsks; asks += 1) {
    const asked = clock.elapsed();
    const answer = await ask();
    const tookMs = clock.elapsed() - asked;
    // Halfway between question and answer is when it was read.
    if (answer !== undefined && tookMs < (best?.tookMs ?? Number.POSITIVE_INFINITY)) best = { tookMs, origin: answer - asked - tookMs / 2 };
  }
  return best?.origin;
}

/** The clock of an agent's host, by its `date`. */
export function clockOf(agent: Pick<Agent, 'next' | 'order'>): AskOnce {
  return async () => {
    const answer = agent.next('now', 'clock');
    agent.order(orders.now);
    const seconds = Number.parseFloat((await answer)?.text ?? '');
    return Number.isNaN(seconds) ? undefined : seconds * 1000;
  };
}
