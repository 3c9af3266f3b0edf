import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The script that asks for one page again and again, where this package has it. */
export function firstLookScript(): string {
  return join(dirname(createRequire(import.meta.url).resolve('loadctl/package.json')), 'k6', 'first-look.ts');
}
