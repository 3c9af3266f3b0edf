import type { Clock } from '../../core/os.js';

/** Counts CPU seconds that could have been used: called at each look with how many CPUs there are, it hands back their sum so far. */
export function timeOf(clock: Pick<Clock, 'elapsed'>): (cpus: number) => number {
  let [sum, before] = [0, clock.elapsed()];
  return (cpus) => {
    const now = clock.elapsed();
    sum += ((now - before) / 1000) * cpus;
    before = now;
    return sum;
  };
}
