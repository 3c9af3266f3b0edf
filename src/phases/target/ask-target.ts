import type { RowSample } from '../../stores/kind/types.js';
import type { RunContext } from '../frame/context.js';
import { probeOnce } from './health-probe.js';

/** A seeded row, and how to ask the target for it. */
export interface Question {
  readonly sample: RowSample;
  /** Without the target's address: `/users/user-4`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What the target answers where it finds the row. */
  readonly status: number;
}

/** What the target said of one seeded row. */
export interface Asked extends RowSample {
  /** Without the target's address: `GET /users/user-4`. */
  readonly request: string;
  /** 0: no answer came; undefined: it was not asked, as the row is not there. */
  readonly status?: number;
  readonly found: boolean;
}

/**
 * Asks the target for these rows. Reading back by our own rule would prove nothing: this shows that the target looks for a
 * row where it was put. Behind colours the one that is not live is asked.
 */
export function askTarget(context: Pick<RunContext, 'target' | 'world' | 'signal'>, questions: readonly Question[]): Promise<Asked[]> {
  const { target, world, signal } = context;
  const base = target.url.replace(/\/+$/, '');
  const ask = async ({ sample, path, headers, status: wanted }: Question): Promise<Asked> => {
    const request = `GET ${path}`;
    if (!sample.there) return { ...sample, request, found: false };
    const { status } = await probeOnce(`${base}${path}`, { userAgent: 'loadctl/doctor', clock: world.clock, signal, headers });
    return { ...sample, request, status, found: status === wanted };
  };
  return Promise.all(questions.map(ask));
}
