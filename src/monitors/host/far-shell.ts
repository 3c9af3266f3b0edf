import type { LoadctlError } from '../../core/errors.js';
import type { Gate } from '../../core/gate.js';
import type { ProcessEnd } from '../../core/os.js';
import { connectCommand, type SshHost } from '../../runners/ssh/commands.js';
import { destinationOf } from '../../runners/ssh/destination.js';
import { type ConnectFailure, connectFailure } from '../../runners/ssh/failures.js';
import type { MonitorContext } from '../kind/types.js';

/** A shell on another machine that says its CPU times, memory and load whenever it is asked. */
export interface FarShell {
  /** The lines of /proc/stat and /proc/meminfo that are wanted, and `load` with those of /proc/loadavg. */
  ask(): Promise<readonly string[]>;
  close(): void;
}

/** Takes a number a line, and answers between two lines with it. Where its stdin ends, as the connection does, it ends. */
const script = `while read -r number; do
echo "begin $number"
cat /proc/stat /proc/meminfo | grep -E '^(cpu|Mem)'
echo "load $(cat /proc/loadavg)"
echo "end $number"
done`;

const attempts = 3;
const linesKept = 50;

/** Opens one; tries again what may pass by itself. Throws `unavailable`. */
export async function openFarShell(name: string, gate: Gate, context: Pick<MonitorContext, 'spawn' | 'sshConfig'>): Promise<FarShell> {
  // The session is its own connection: nothing else goes through it.
  const host: SshHost = { ...destinationOf(name), socket: 'none', configFile: context.sshConfig };
  for (let attempt = 1; ; attempt += 1) {
    const { shell, failed } = startShell(host, context);
    const answered = () =>
      shell.ask().then(
        () => undefined,
        () => failed,
      );
    const failure = await gate(answered);
    if (failure === undefined) return shell;
    if (!failure.passing || attempt === attempts) throw failure.error;
  }
}

interface Started {
  readonly shell: FarShell;
  /** Resolves when the session is over. */
  readonly failed: Promise<ConnectFailure>;
}

function startShell(host: SshHost, { spawn }: Pick<MonitorContext, 'spawn'>): Started {
  const said: string[] = [];
  const answers = exchange();
  const process = spawn(connectCommand(host, { file: 'sh', args: ['-c', script] }), {
    ownGroup: true,
    stdinPipe: true,
    stdout: answers.hear,
    stderr: (line) => {
      if (said.push(line) > linesKept) said.shift();
    },
  });
  const failed = process.ended.then((end: ProcessEnd) => {
    const failure = connectFailure(host, host.configFile, end, said);
    answers.end(failure.error);
    return failure;
  });
  return {
    failed,
    shell: { ask: () => answers.next((number) => process.write(`${number}\n`)), close: () => void process.kill('SIGTERM') },
  };
}

interface Waiting {
  readonly resolve: (lines: readonly string[]) => void;
  readonly reject: (error: LoadctlError) => void;
}

/** Brings answers to whoever asked, by their numbers; what a login script says lies outside of them. */
function exchange() {
  const waiting = new Map<string, Waiting>();
  let [asked, lines, over] = [0, [] as string[], undefined as LoadctlError | undefined];
  return {
    next: (ask: (number: number) => void): Promise<readonly string[]> =>
      new Promise((resolve, reject) => {
        if (over !== undefined) return reject(over);
        asked += 1;
        waiting.set(String(asked), { resolve, reject });
        ask(asked);
      }),
    hear: (line: string) => {
      const [, word, number = ''] = /^(begin|end) (\d+)$/.exec(line) ?? [];
      if (word === 'begin') lines = [];
      else if (word === undefined) lines.push(line);
      else {
        waiting.get(number)?.resolve(lines);
        waiting.delete(number);
      }
    },
    end: (error: LoadctlError) => {
      over = error;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}
