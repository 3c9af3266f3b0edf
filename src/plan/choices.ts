import type { Choice } from '../metrics/choices.js';
import type { Draws } from './sections.js';

/** The counters in which a script may say what it drew (docs/script-contract.md). */
export const choiceCounters = ['session_choices', 'read_choices'] as const;

/** What a script with these counters draws, with the shares that it is asked for. */
export function countedChoices({ sessions, mix }: Pick<Draws, 'sessions' | 'mix'>, counters: readonly string[]): Choice[] {
  const choices: Choice[] = [
    { counter: 'session_choices', tag: 'session', shares: sessions },
    { counter: 'read_choices', tag: 'endpoint', shares: mix },
  ];
  return choices.filter(({ counter, shares }) => counters.includes(counter) && Object.keys(shares).length > 0);
}
