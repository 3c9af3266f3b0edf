import type { Criterion } from '../metrics/criterion.js';
import { formatLimit } from '../metrics/limit-text.js';
import type { Profile } from '../profile/sections/schema.js';

/** A word of the profile that is checked like all others, and whose part this version does not have. */
export interface UnbuiltWord {
  /** Where it is: `runners.backend: ssh`. */
  readonly word: string;
  /** What that means, as a sentence. */
  readonly message: string;
  /** What cannot be done with it; nothing where it is only ignored. */
  readonly stops: readonly ('load' | 'data')[];
}

/** Every such word that the profile uses. */
export function unbuiltWords(profile: Profile): UnbuiltWord[] {
  return [...inRunners(profile), ...inWatching(profile)];
}

function inRunners({ runners }: Profile): UnbuiltWord[] {
  const { backend } = runners;
  const words: UnbuiltWord[] = [];
  if (backend !== 'local' && backend !== 'ssh') {
    words.push({ word: `runners.backend: ${backend}`, message: `Runners by way of ${backend} are not built yet.`, stops: ['load'] });
  }
  return words;
}

function inWatching({ abort, monitors, outputs }: Profile): UnbuiltWord[] {
  const words: UnbuiltWord[] = abort.filter(({ when }) => when.source === 'server').map(({ when }) => unwatched(when));
  if (Object.keys(monitors).length > 0) {
    words.push({ word: 'monitors', message: 'Monitors are not built yet, they are ignored: critical limits are not measured.', stops: [] });
  }
  if (Object.keys(outputs).length > 0) words.push({ word: 'outputs', message: 'Outputs are not built yet, they are ignored.', stops: [] });
  return words;
}

function unwatched(when: Criterion): UnbuiltWord {
  const message = `The abort rule ${when.name} ${formatLimit(when)} is not watched: no monitor gives it.`;
  return { word: `abort: ${when.name}`, message, stops: [] };
}
