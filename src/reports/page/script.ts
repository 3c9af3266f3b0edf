import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PageData } from '../result/chart-data.js';

/** What a page runs, and the style of what that draws; both are of loadctl's own build (src/page). */
export interface Script {
  readonly code: string;
  readonly style: string;
}

let read: Script | undefined;

/** The page's script; undefined where this loadctl was built without a bundler, and pages have drawings only. */
export function pageScript(): Script | undefined {
  const folder = join(dirname(createRequire(import.meta.url).resolve('loadctl/package.json')), 'dist', 'page');
  if (read === undefined && existsSync(join(folder, 'page.js')))
    read = { code: readFileSync(join(folder, 'page.js'), 'utf8'), style: readFileSync(join(folder, 'page.css'), 'utf8') };
  return read;
}

/** What the script draws, as text of letters and digits: nothing that a target or a script called anything stands in it as it is. */
export function packed(data: PageData): string {
  return gzipSync(JSON.stringify(data), { level: 9 }).toString('base64');
}
