import { constants } from 'node:os';
import { type Command, displayCommand, shellQuote } from '../../core/command.js';
import { vanished } from '../../core/ends.js';
import type { RunnerId } from '../../core/ids.js';
import type { ProcessEnd } from '../../core/os.js';

/** What an agent is told, a line each; only `run` has more lines. */
export const orders = {
  beat: '\n',
  now: 'now\n',
  /** `use`: what the machine and its runners have used so far; `host K6`: what it is and has, with the k6 of this name or path. */
  look: (at: string) => `look ${at}\n`,
  /** Whether it is this runner that listens on a port of its machine. */
  whose: (runner: RunnerId, port: number) => `whose ${runner} ${port.toString(16).toUpperCase().padStart(4, '0')}\n`,
  run: (runner: RunnerId, command: Command) => {
    const script = startScript(command);
    return `run ${runner} ${script.split('\n').length}\n${script}\n`;
  },
  end: (runner: RunnerId, how: 'gracefully' | 'hard') => `${how === 'hard' ? 'kill' : 'end'} ${runner}\n`,
  /** Everything ends, and the agent leaves nothing behind. */
  bye: 'bye\n',
};

/**
 * What an agent says, a line each: a word, what it is of, and text. `ready agent FOLDER`; `beat`; `now clock SECONDS`;
 * `seen NAME LINE`, of all lines that a look reads, then `looked use` or `looked host`; `started RUNNER PID`; `ended RUNNER HOW`;
 * `port RUNNER WHOSE`, `own`, `other`, `nobody` or `unknown`; `kept RUNNER BYTES`, when its log is whole, with how many bytes came after its beginning.
 */
export interface Answer {
  readonly word: (typeof answerWords)[number];
  readonly of: string;
  readonly text: string;
}

const answerWords = ['ready', 'beat', 'now', 'seen', 'looked', 'started', 'ended', 'kept', 'port'] as const;

/** Reads a line of an agent; undefined for one that is not its own (the greeting of a login script). */
export function readAnswer(line: string): Answer | undefined {
  const [, said, of = '', text = ''] = /^(\S+) ?(\S*) ?(.*)$/.exec(line) ?? [];
  const word = answerWords.find((known) => known === said);
  return word && { word, of, text };
}

/** What an agent says of a runner that is gone where nothing is left that saw how. */
export const unknownEnd = 'unknown';

/** How a runner ended: an exit status, or the name of a signal without SIG, as its number is another one on another system. */
export function endIn({ text }: Answer): ProcessEnd {
  if (text === unknownEnd) return { error: vanished };
  const signal = `SIG${text}`;
  return signal in constants.signals ? { signal: signal as NodeJS.Signals } : { exitCode: Number.parseInt(text, 10) };
}

/** The shell script that becomes the command. Its file is gone by then, as it holds the environment; PATH and HOME are the host's own. */
function startScript(command: Command): string {
  const given = Object.entries(command.env ?? {}).filter(([name]) => name !== 'PATH' && name !== 'HOME');
  return [
    'rm -f "$0"',
    ...given.map(([name, value]) => `export ${variableName(name)}=${shellQuote(value)}`),
    `exec ${displayCommand(command)}`,
  ].join('\n');
}

function variableName(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new Error(`no shell knows a variable ${name}: the profile's rules let it through`);
}
