import { type LogLine, parseLogLine, type Shortage, shortageIn } from './log.js';

/** What a log says that matters for a result, however long it is. */
export interface LogDigest {
  /** The errors that k6 itself tells, in order: the first ones and the last ones. */
  readonly errors: readonly LogLine[];
  /** Whether the script called `test.fail()`: after the test's end, in teardown(), that does not change k6's exit code any more. */
  readonly markedFailed: boolean;
  /** How often each thing was warned of or complained about by k6. */
  readonly complaints: ReadonlyMap<string, number>;
  /** How many lines the script said by `console`. */
  readonly scriptLines: number;
  /** How often the runner was short of something of its own machine. */
  readonly shortages: readonly { readonly of: Shortage; readonly times: number }[];
}

/** A digest that grows by every line. */
export interface LogDigester {
  add(line: string): void;
  read(): LogDigest;
}

const errorsKept = { first: 10, last: 10 };
/** Different complaints that are told apart: an address in each makes many of one. Further ones are not. */
const complaintsKept = 1000;
const lettersKept = 2000;
const ofErrors = ['error', 'fatal', 'panic'];
/** What only k6 itself writes: in a script's words its quotes are escaped. Lines that say nothing of any use here, and the script's own. */
const idle = /"level":"(?:info|debug)"/;
const saidByScript = '"source":"console"';

/** A {@link LogDigester} before the first line of one runner's log. */
export function logDigester(): LogDigester {
  const errors: LogLine[] = [];
  const complaints = new Map<string, number>();
  const short = new Map<Shortage, number>();
  let markedFailed = false;
  let scriptLines = 0;
  const count = <Key>(counted: Map<Key, number>, key: Key) => counted.set(key, (counted.get(key) ?? 0) + 1);
  return {
    add: (text) => {
      if (text.includes(saidByScript)) scriptLines += 1;
      if (text.trim() === '' || idle.test(text)) return;
      const { level, message: whole, byScript, ...more } = parseLogLine(text);
      const message = whole.slice(0, lettersKept);
      const byK6 = !byScript && ofErrors.includes(level);
      if (byK6 && errors.push({ level, message, byScript, ...more }) > errorsKept.first + errorsKept.last)
        errors.splice(errorsKept.first, 1);
      if (byK6 && message.startsWith('test marked as failed')) markedFailed = true;
      if (byScript) return;
      if ((level === 'warning' || level === 'error') && (complaints.has(message) || complaints.size < complaintsKept))
        count(complaints, message);
      const shortage = shortageIn(message);
      if (shortage !== undefined) count(short, shortage);
    },
    read: () => ({ errors, markedFailed, complaints, scriptLines, shortages: [...short].map(([of, times]) => ({ of, times })) }),
  };
}

/** The complaints of all runners together, most often first. */
export function addComplaints(digests: readonly LogDigest[]): { readonly message: string; readonly times: number }[] {
  const sum = new Map<string, number>();
  for (const [message, times] of digests.flatMap(({ complaints }) => [...complaints])) sum.set(message, (sum.get(message) ?? 0) + times);
  return [...sum].map(([message, times]) => ({ message, times })).sort((a, b) => b.times - a.times);
}
