import { startTarget, type Target } from './target.js';

/** What one runner was answered. */
export interface Answered {
  /** When each of its requests was answered, in order; performance.now(). */
  readonly times: number[];
  readonly vus: Set<string>;
}

/** A target that keeps a log of what it answered with 200: the oracle of what a fleet did. */
export interface LoggedTarget extends Target {
  /** Of `/work`, by runner. */
  readonly answered: ReadonlyMap<string, Answered>;
  /** All answers so far, whatever was asked for. */
  answers(): number;
  /** Resolves when so many answers were given. */
  after(answers: number): Promise<void>;
}

/** Starts a {@link LoggedTarget}; requests say who they are: `?runner=1&vu=3`. */
export async function startLoggedTarget(): Promise<LoggedTarget> {
  const answered = new Map<string, Answered>();
  const waiting = new Set<() => void>();
  let answers = 0;
  const target = await startTarget((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://target');
    const [runner, vu] = [searchParams.get('runner') ?? '', searchParams.get('vu') ?? ''];
    response.once('finish', () => {
      answers += 1;
      if (pathname === '/work') {
        const log = answered.get(runner) ?? { times: [], vus: new Set() };
        answered.set(runner, log);
        log.times.push(performance.now());
        log.vus.add(vu);
      }
      for (const look of waiting) look();
    });
    return false;
  });
  return {
    ...target,
    answered,
    answers: () => answers,
    after: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (answers < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}
