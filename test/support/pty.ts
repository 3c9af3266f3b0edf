import { type ChildProcess, execFileSync, spawn } from 'node:child_process';

/** A program in a terminal of its own. */
export interface InTerminal {
  /** What it has shown so far, with its control sequences. */
  shown(): string;
  /** Types on its keyboard: `\x03` is Ctrl-C, which the terminal makes a signal for its foreground group. */
  type(keys: string): void;
  /** Resolves when it has shown `text`. */
  until(text: string | RegExp): Promise<void>;
  readonly exitCode: Promise<number | null>;
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

/** Starts a program in a new terminal of 80 columns. */
export function startInTerminal(argv: readonly string[], cwd: string, env: Record<string, string>): InTerminal {
  const command = `stty cols 80 rows 24; exec ${argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')}`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd,
    env: { ...env, SHELL: '/bin/sh', TERM: 'xterm-256color' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return follow(child);
}

function follow(child: ChildProcess): InTerminal {
  let shown = '';
  const exitCode = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  // Keys for a terminal that is gone reach nobody.
  child.stdin?.on('error', () => undefined);
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
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
  return { shown: () => shown, type: (keys) => void child.stdin?.write(keys), until, exitCode };
}
