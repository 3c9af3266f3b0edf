import type { Command } from './command.js';
import type { EpochMs, Milliseconds } from './quantities.js';

/** Time as the code sees it. */
export interface Clock {
  /**
   * Now, by the machine's wall clock: for what people and other machines read. Somebody may set it at any time, so nothing is
   * measured, waited for or ordered by it; the linter lets it into a field or an argument only.
   */
  stamp(): EpochMs;
  /** Milliseconds since some fixed moment of this process; it never goes back and nobody sets it. */
  elapsed(): Milliseconds;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  sleep(ms: Milliseconds, signal?: AbortSignal): Promise<void>;
}

/** How a process ended: exactly one of the two is set, or `error` when it never started. */
export interface ProcessEnd {
  readonly exitCode?: number;
  readonly signal?: NodeJS.Signals;
  /** The system's error code when the process could not be started (`ENOENT`, `EACCES`), is out of reach (`EHOSTUNREACH`), or is gone and nobody knows how (`ESRCH`). */
  readonly error?: string;
  /** Why, in words that go into a sentence, where something else than the process knows. */
  readonly why?: string;
}

/** A process that runs. */
export interface Process {
  readonly pid: number | undefined;
  /** Resolves when the process is gone; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** Sends a signal to the process, or to its whole group where it has its own; false when it is gone. */
  kill(signal: NodeJS.Signals): boolean;
  /** Writes a line to the process's stdin, where it is a pipe. */
  write(text: string): void;
}

/** Where a process's output goes: a file that is appended to, or a function that gets it line by line, or as it comes. */
type Sink = { readonly file: string } | ((line: string) => void) | { readonly bytes: (piece: Buffer) => void };

/** How a process is started. */
export interface SpawnOptions {
  readonly stdout?: Sink;
  readonly stderr?: Sink;
  /** A process group of its own: Ctrl-C in the terminal does not reach it. */
  readonly ownGroup?: boolean;
  /** Keep stdin open as a pipe for {@link Process.write}. */
  readonly stdinPipe?: boolean;
  /** It ends with loadctl, however that ends. Of signals to its group only SIGINT is its to answer. */
  readonly leashed?: boolean;
}

/** Starts a process; never throws: a process that cannot be started ends with `error`. */
export type Spawn = (command: Command, options?: SpawnOptions) => Process;

/** What a finished command said. */
export interface Output extends ProcessEnd {
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is run to its end. */
export interface ExecuteOptions {
  /** It is ended after so long, or when `signal` aborts: by SIGTERM, and a second later by SIGKILL, with all that it started. */
  readonly timeoutMs?: Milliseconds;
  readonly signal?: AbortSignal;
  /** It ends with loadctl, however that ends: for what may take for ever. */
  readonly leashed?: boolean;
}

/** Runs a command to its end and hands back what it said; never throws. */
export type Execute = (command: Command, options?: ExecuteOptions) => Promise<Output>;

/** What tells a process from all others of its machine that had its id, or will have it. */
export interface ProcessMark {
  readonly pid: number;
  /** When it started, in the system's own words; missing where it does not tell. */
  readonly started?: string;
  /** Which start of the machine that was in. */
  readonly boot?: string;
}

/** Whether a lock is held; `unknown` where there is none to ask. */
export type LockState = 'held' | 'free' | 'unknown';

/** The one way out to the operating system; made in src/world.ts, handed down in slices. */
export interface World {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  readonly clock: Clock;
  readonly spawn: Spawn;
  readonly execute: Execute;
  /** The name of this machine and of the person at it, for run.json and the lock. */
  readonly who: { readonly user: string; readonly host: string };
  readonly versions: { readonly node: string };
  /** How long this process ran, or waited for a CPU, so far: what is missing of its time is what it waited for, or was stopped. Undefined where the system does not tell. */
  scheduledMs(): Milliseconds | undefined;
  /** This process, so that it can be told from others by {@link World.isRunning}. */
  mark(): Promise<ProcessMark>;
  /** Whether that very process runs on this machine. */
  isRunning(mark: ProcessMark): Promise<boolean>;
  /** Holds the lock that this file is until the process ends. Where the file system cannot do that, nobody holds it. */
  holdLock(file: string): Promise<void>;
  /** Whether a process of this machine, in whichever container, holds the lock that this file is. */
  lockState(file: string): Promise<LockState>;
  /**
   * A folder of mode 0700 for what is nobody else's to read and not to be kept: it goes with this process, and if that is
   * killed with the next command. Its path has at most `longest` characters. Throws `unavailable` where none can be made.
   */
  privateFolder(longest?: number): Promise<string>;
  readonly stdout: Screen;
  readonly stderr: Screen;
  /** The first SIGINT or SIGTERM aborts `interrupted`, the second one `killed`. */
  onInterrupt(listener: (count: number, signal: NodeJS.Signals) => void): () => void;
}

/** A stream that people or programs read. */
export interface Screen {
  /** Writes a text; nothing in it acts on a terminal or a CI system but loadctl's own colours (sanitise.ts). */
  write(text: string): void;
  /** Writes what the script itself says to the world, as it is. */
  pass(text: string): void;
  readonly isTerminal: boolean;
  /** What was written waits for a reader that takes nothing: what is only for now need not be drawn. */
  readonly isBehind: boolean;
  /** Columns; 80 where it is no terminal. */
  readonly width: number;
  /** Lines; 24 where it is no terminal. */
  readonly height: number;
  /** The stream itself, for a library that draws on it. */
  readonly stream: NodeJS.WriteStream;
  /**
   * Takes the whole of a terminal, with a screen of its own for it: what stood there before comes back with
   * {@link WholeScreen.giveBack}, or however this process ends (but for SIGKILL). `redraw` is called where it is empty again.
   */
  takeWhole(redraw: () => void): WholeScreen;
}

/** A terminal that was taken as a whole. */
export interface WholeScreen {
  /** Writes a text, as {@link Screen.write} does; nothing once it was given back. */
  write(text: string): void;
  /** May be called twice. */
  giveBack(): void;
}

/** The world with the person at its terminal: what commands are handed. */
export interface Shell extends World {
  /** What a person types on, for a library that reads single keys; undefined where nobody can type. */
  readonly keyboard: NodeJS.ReadStream | undefined;
  /** Asks and hands back the line that was typed; undefined where nobody can answer, or who was asked pressed Ctrl-C or Ctrl-D. */
  ask(question: string, signal: AbortSignal): Promise<string | undefined>;
  /** Until the returned function is called, Ctrl-Z does not stop this process: the listener hears of it. */
  refuseSuspension(listener: () => void): () => void;
}
