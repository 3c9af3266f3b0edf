import { relative } from 'node:path';

/** A file's name for messages: relative to the working directory where it is below it. */
export function shownPath(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return shown === '' || shown.startsWith('..') ? path : shown;
}
