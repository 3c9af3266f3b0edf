import { errorCode } from '../core/errors.js';
import type { Clock, Screen } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import { forScreen } from '../core/sanitise.js';
import type { Suspension } from './suspend.js';
import { takeover } from './whole-screen.js';

/** So many characters may wait for a reader that takes none; what is said after that is left out. */
const mostWaiting = 256 * 1024;
const lookMs: Milliseconds = 50;
/** Descriptors up to this one were there before Node was. */
const lastStandard = 2;

/** What a reader who left makes of a write: a pipe, a connection, a terminal. */
const left = ['EPIPE', 'ECONNRESET', 'EIO'];

/** A screen that never holds up whoever writes on it, whatever its reader does. */
export interface PatientScreen extends Screen {
  /** Gives a whole screen back that was taken, and takes none any more. */
  endWhole(): void;
  /** The system's code for why what was written is lost (`ENOSPC`); undefined where it is not, or its reader left. */
  readonly lost: string | undefined;
  /** Resolves when all that was written is read, or its reader took nothing for as long as `patience` says by then. */
  read(patience: () => Milliseconds): Promise<void>;
}

/**
 * A stream whose reader may leave at any time (`| head`): what is written after that goes nowhere. It may also stand still (Ctrl-S, a
 * pager): of `talk`, what does not fit in any more is left out, and that is said once it reads on; results wait for it.
 */
export function patientScreen(
  stream: NodeJS.WriteStream,
  of: 'talk' | 'results',
  { clock, suspended }: { readonly clock: Clock; readonly suspended: Suspension },
): PatientScreen {
  let gone: Error | undefined;
  let leftOut = 0;
  writeWithoutWaiting(stream);
  stream.on('error', (error) => {
    gone ??= error;
  });
  stream.on('drain', () => {
    if (leftOut > 0) stream.write(`\n… ${leftOut} lines or so are missing here: this output was not read.\n`);
    leftOut = 0;
  });
  const pass = (text: string) => {
    if (gone !== undefined) return;
    if (of === 'talk' && stream.writableLength > mostWaiting) leftOut += text.split('\n').length - 1;
    else stream.write(text);
  };
  const descriptor = () => handleOf(stream)?.fd;
  const whole = takeover({ stream, descriptor }, suspended);
  return {
    takeWhole: whole.take,
    endWhole: whole.end,
    write: (text) => pass(forScreen(text)),
    pass,
    isTerminal: stream.isTTY === true,
    get isBehind() {
      return stream.writableLength > 0;
    },
    get width() {
      return stream.columns || 80; // 0: a terminal that does not know
    },
    get height() {
      return stream.rows || 24;
    },
    stream,
    get lost() {
      const code = errorCode(gone ?? stream.errored); // the stream knows it before the event
      return code === undefined || left.includes(code) ? undefined : code;
    },
    read: (patience) => whenRead(stream, patience, clock),
  };
}

/** What Node writes a stream by: not in its types, as it is nobody's but its own. */
interface Handle {
  readonly fd: number;
  readonly writeQueueSize: number;
  setBlocking(blocking: boolean): number;
}

function handleOf(stream: NodeJS.WriteStream): Handle | undefined {
  const handle: unknown = Reflect.get(stream, '_handle');
  return isHandle(handle) ? handle : undefined;
}

function isHandle(handle: unknown): handle is Handle {
  return typeof handle === 'object' && handle !== null && 'setBlocking' in handle && 'writeQueueSize' in handle && 'fd' in handle;
}

/**
 * Node waits for a terminal with each write, so that one that takes nothing would hold up the whole process, its timers and
 * signals too. It has opened the terminal anew for itself (another descriptor): to it nothing is changed for others who write there.
 */
function writeWithoutWaiting(stream: NodeJS.WriteStream): void {
  const handle = stream.isTTY === true ? handleOf(stream) : undefined;
  if (handle !== undefined && handle.fd > lastStandard) handle.setBlocking(false);
}

/** A long text is taken bit by bit: that its reader takes some of it is what counts. */
async function whenRead(stream: NodeJS.WriteStream, patience: () => Milliseconds, clock: Clock): Promise<void> {
  const waiting = () =>
    stream.destroyed || stream.writableLength === 0 ? 0 : stream.writableLength + (handleOf(stream)?.writeQueueSize ?? 0);
  let [left, since] = [waiting(), clock.elapsed()];
  while (left > 0 && clock.elapsed() - since < patience()) {
    await clock.sleep(lookMs);
    const now = waiting();
    if (now !== left) since = clock.elapsed();
    left = now;
  }
}
