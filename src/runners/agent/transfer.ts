import type { Milliseconds } from '../../core/quantities.js';
import { mostOfFile } from '../../k6/arguments.js';
import { numberFiles } from '../runner/files.js';
import { logLimits, rawLog } from '../runner/raw-log.js';
import type { RunnerLaunch } from '../runner/types.js';
import type { Asked } from './receive.js';

/** Files that are asked for, in this order, and how long that may take. */
export interface Wanted {
  readonly files: readonly Asked[];
  readonly limitMs: Milliseconds;
}

/** What is brought of a runner: its numbers first, as without them there is no result; then its log, the end before the rest. */
const whatOf = {
  numbers: { files: numberFiles, limitMs: 60_000 },
  log: {
    files: [
      { name: rawLog.last, most: logLimits.last, partial: true },
      { name: rawLog.first, most: logLimits.first, partial: true },
    ],
    limitMs: 30_000,
  },
} as const;

/** The files of a runner that hold this. */
export function wantedOf({ ownFiles }: RunnerLaunch, what: 'numbers' | 'log' | 'own'): Wanted {
  if (what !== 'own') return whatOf[what];
  return { files: ownFiles.map((name) => ({ name, most: mostOfFile * 2, partial: true })), limitMs: 120_000 };
}

/** Takes a file from stdin into a path, gives it a mode, and says its SHA-256 by whichever program is there. */
export function receiveCommand(path: string, mode: string): { readonly file: string; readonly args: readonly string[] } {
  return { file: 'sh', args: ['-c', receiveScript, 'loadctl', path, mode] };
}

const receiveScript = [
  'cat >"$1" && chmod "$2" "$1" || exit 74',
  'if command -v sha256sum >/dev/null; then sha256sum <"$1"',
  'elif command -v shasum >/dev/null; then shasum -a 256 <"$1"',
  'else openssl dgst -sha256 -r <"$1"; fi',
].join('; ');

/** The SHA-256 (hex) in what a {@link receiveCommand} said. */
export function sha256In(said: string): string | undefined {
  return /\b[0-9a-f]{64}\b/.exec(said)?.[0];
}

/** After a line with `mark`, says of each file of a folder its size and its content, or `-`, as receive.ts takes it in. */
export function sayCommand(
  folder: string,
  mark: string,
  files: readonly Asked[],
): { readonly file: string; readonly args: readonly string[] } {
  return { file: 'sh', args: ['-c', sayScript, 'loadctl', folder, mark, ...files.map(({ name }) => name)] };
}

/** A shell's `wc` may put spaces before a number. */
const sayScript = [
  'cd "$1" || exit 66',
  'printf "\\n%s\\n" "$2"',
  'shift 2',
  'for name do if [ -f "$name" ]; then size=$(($(wc -c <"$name"))); echo "$size"; head -c "$size" <"$name"; else echo -; fi; done',
].join('; ');
