import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again until there is an answer, at most so many seconds; then it fails, and says what was waited for. */
export async function eventually<T>(seconds: number, what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(50);
  }
}
