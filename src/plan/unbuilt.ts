import type { Profile } from '../profile/schema.js';

/** A word of the profile that is checked like all others, and whose part this version does not have. */
export interface UnbuiltWord {
  /** Where it is: `runners.backend: ssh`. */
  readonly word: string;
  /** What that means, as a sentence. */
  readonly message: string;
  /** What cannot be done with it; nothing where it is only ignored. */
  readonly stops: readonly ('load' | 'data')[];
}

/** Every such word that the profile uses. Where anything but this machine is touched, abort rules are the guards' matter. */
export function unbuiltWords(profile: Profile, beyondLoopback: boolean): UnbuiltWord[] {
  return [...inTarget(profile), ...inStores(profile), ...inRunners(profile), ...inWatching(profile, beyondLoopback)];
}

function inTarget({ target }: Profile): UnbuiltWord[] {
  if (target.colours === undefined) return [];
  return [{ word: 'target.colours', message: 'Finding out which of two colours is live is not built yet.', stops: ['load'] }];
}

function inStores({ stores }: Profile): UnbuiltWord[] {
  return Object.entries(stores).flatMap(([name, store]): UnbuiltWord[] => {
    if (store.kind === 'redis' && store.cluster !== undefined) {
      return [{ word: `stores.${name}.cluster`, message: 'Redis Cluster is not built yet.', stops: ['data'] }];
    }
    if (store.kind === 'postgres' && store.auth?.iam !== undefined) {
      return [{ word: `stores.${name}.auth.iam`, message: 'Logging in with an IAM token is not built yet.', stops: ['load', 'data'] }];
    }
    return [];
  });
}

function inRunners({ runners }: Profile): UnbuiltWord[] {
  const { backend, onLost } = runners;
  const words: UnbuiltWord[] = [];
  if (backend !== 'local' && backend !== 'ssh') {
    words.push({ word: `runners.backend: ${backend}`, message: `Runners by way of ${backend} are not built yet.`, stops: ['load'] });
  }
  if (onLost === 'continue') {
    words.push({ word: 'runners.onLost: continue', message: 'Going on without a lost runner is not built yet: the run ends.', stops: [] });
  }
  return words;
}

function inWatching({ abort, monitors, outputs }: Profile, beyondLoopback: boolean): UnbuiltWord[] {
  const words: UnbuiltWord[] = [];
  if (abort.length > 0 && !beyondLoopback) {
    words.push({ word: 'abort', message: 'Abort rules are not watched yet: the run goes on whatever they say.', stops: [] });
  }
  if (Object.keys(monitors).length > 0) {
    words.push({ word: 'monitors', message: 'Monitors are not built yet, they are ignored: critical limits are not measured.', stops: [] });
  }
  if (Object.keys(outputs).length > 0) words.push({ word: 'outputs', message: 'Outputs are not built yet, they are ignored.', stops: [] });
  return words;
}
