import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import xterm from '@xterm/headless';

/** A program in a terminal of its own. */
export interface InTerminal {
  /** What it has shown so far, with its control sequences. */
  shown(): string;
  /** Types on its keyboard: `\x03` is Ctrl-C, which the terminal makes a signal for its foreground group. */
  type(keys: string): void;
  /** Resolves when it has shown `text`. */
  until(text: string | RegExp): Promise<void>;
  readonly exitCode: Promise<number | null>;
  /** What stands on the screen now. */
  screen(): Promise<ScreenNow>;
  /** Makes the terminal wider or narrower, as a window does: what stands on it is broken anew before the program hears of it. */
  resize(size: TerminalSize): Promise<void>;
  /** The program itself, once it has shown something. */
  pid(): number;
  /** Lets a program that was stopped go on; until then nothing of it is shown. */
  goOn(): void;
  /** Hangs up, and waits for the program's end. */
  hangUp(): Promise<void>;
}

/** Columns and lines. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** A screen at one moment. */
export interface ScreenNow {
  readonly lines: readonly string[];
  /** With what has scrolled out of sight. */
  readonly all: readonly string[];
  /** Whether it is the one that programs take and give back. */
  readonly isAlternate: boolean;
  readonly breaksLines: boolean;
  readonly showsCursor: boolean;
}

/**
 * Whether this machine can make terminals: util-linux' `script` is there on Debian, Ubuntu and their images, where
 * Python need not be. In CI its absence is an error: what is skipped there is never looked at.
 */
export function hasTerminals(): boolean {
  try {
    if (execFileSync('script', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).includes('util-linux'))
      return true;
  } catch {
    // as good as another `script`
  }
  if (process.env.CI) throw new Error("Tests with a real terminal need util-linux' script: install it (package bsdutils).");
  return false;
}

/** Starts a program in a new terminal, of 80 columns where nothing else is asked for. */
export function startInTerminal(
  argv: readonly string[],
  cwd: string,
  env: Record<string, string>,
  size: TerminalSize = { columns: 80, rows: 24 },
): InTerminal {
  const command = `stty cols ${size.columns} rows ${size.rows}; exec ${argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')}`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd,
    env: { TERM: 'xterm-256color', ...env, SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return follow(child, size);
}

function follow(child: ChildProcess, { columns, rows }: TerminalSize): InTerminal {
  let shown = '';
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true });
  const exitCode = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  // Keys for a terminal that is gone reach nobody.
  child.stdin?.on('error', () => undefined);
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    terminal.write(text);
  });
  const until = (text: string | RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (typeof text === 'string' ? !shown.includes(text) : !text.test(shown)) return;
        child.stdout?.off('data', look);
        resolve();
      };
      child.stdout?.on('data', look);
      look();
      void exitCode.then(() => reject(new Error(`it ended without showing ${text}:\n${shown}`)));
    });
  const pid = () => Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
  const settled = () => new Promise<void>((resolve) => terminal.write('', resolve));
  const resize = async (to: TerminalSize) => {
    await settled();
    terminal.resize(to.columns, to.rows);
    execFileSync('stty', ['-F', readlinkSync(`/proc/${pid()}/fd/2`), 'cols', `${to.columns}`, 'rows', `${to.rows}`]);
  };
  const screen = async () => {
    await settled();
    return screenOf(terminal, shown);
  };
  const hangUp = async () => {
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await exitCode;
  };
  return {
    screen,
    resize,
    pid,
    hangUp,
    goOn: () => void child.kill('SIGCONT'),
    shown: () => shown,
    type: (keys) => void child.stdin?.write(keys),
    until,
    exitCode,
  };
}

function screenOf({ buffer: { active }, rows, modes }: InstanceType<typeof xterm.Terminal>, shown: string): ScreenNow {
  const line = (at: number) => active.getLine(at)?.translateToString(true) ?? '';
  return {
    lines: Array.from({ length: rows }, (_, row) => line(active.baseY + row)),
    all: Array.from({ length: active.length }, (_, row) => line(row)),
    isAlternate: active.type === 'alternate',
    breaksLines: modes.wraparoundMode,
    showsCursor: shown.lastIndexOf('\u001b[?25l') <= shown.lastIndexOf('\u001b[?25h'),
  };
}
