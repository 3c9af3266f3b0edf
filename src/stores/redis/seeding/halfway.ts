import { LoadctlError } from '../../../core/errors.js';
import { isRefusal, replyWord } from '../connection/errors.js';

/** How far a seed was when it failed. */
interface Halfway {
  /** How much was written of each set, in words; undefined where nothing was. */
  readonly written: string | undefined;
  /** How a command names the profile. */
  readonly named: string;
  /** Takes it back; false where that could not be. */
  rollBack(): Promise<boolean>;
}

/**
 * What a server refuses halfway (no memory, a disk that it cannot save to) is a seed that failed, and is taken back as far as the
 * server lets us. Where it is out of reach nothing can be: what is in is told, and the next seed goes on from there.
 */
export async function halfway(error: unknown, { written, named, rollBack }: Halfway): Promise<unknown> {
  if (!(error instanceof LoadctlError) || error.reason !== 'unavailable') return error;
  const { message, hint = '', cause } = error;
  const nothing = `${message}; nothing was written`;
  if (!(cause instanceof Error && isRefusal(cause))) {
    const told = written === undefined ? nothing : `${message}; written before that: ${written}`;
    return new LoadctlError('unavailable', told, { hint: `${hint} The next seed goes on from there.`.trim(), cause });
  }
  const isOut = await rollBack();
  const became = isOut ? 'was removed again' : 'is still there';
  const told = written === undefined ? nothing : `${message}; what this seed wrote (${written}) ${became}`;
  const again = isOut ? '' : ` Once it takes writes again: loadctl cleanup ${named} --seeded`;
  const reason = ['OOM', 'MISCONF'].includes(replyWord(cause) ?? '') ? 'seeding-failed' : 'unavailable';
  return new LoadctlError(reason, told, { hint: `${hint}${again}`, cause });
}
