import { LoadctlError } from '../../core/errors.js';
import type { Outline, OutlineTable } from '../../stores/postgres/outline/types.js';
import type { Asker } from './asker.js';

/** What was given as flags. */
export interface Flags {
  readonly url: string | undefined;
  readonly script: string | undefined;
  readonly db: string | undefined;
  readonly redis: string | undefined;
  /** Names of tables. */
  readonly tables: readonly string[] | undefined;
  readonly ci: boolean;
  readonly yes: boolean;
}

export const defaultUrl = 'http://127.0.0.1:8080';

/** Flags alone: nobody is asked, and a database is read only with `--yes`. */
export function flagsAlone(flags: Flags): Asker {
  return {
    url: async () => flags.url ?? defaultUrl,
    script: async () => flags.script,
    db: async () => flags.db,
    redis: async () => flags.redis,
    mayRead: async (where) => {
      if (flags.yes) return true;
      throw new LoadctlError(
        'usage',
        `--db: may loadctl read the catalog of ${where}? There is no terminal to ask on; nothing was written.`,
        {
          hint: 'Add --yes: it only reads the names of tables and columns and their keys, in transactions that cannot write.',
        },
      );
    },
    tables: async (outline, usual) => (flags.tables === undefined ? usual : flags.tables.map((name) => tableOf(outline, name))),
    ci: async () => flags.ci,
    write: async () => true,
  };
}

/** The table of a name, with its schema or without. Throws `usage`. */
export function tableOf({ tables }: Outline, name: string): OutlineTable {
  const found = tables.find((table) => [table.inProfile, table.name, `${table.schema}.${table.name}`].includes(name));
  if (found !== undefined) return found;
  const known = tables.map(({ inProfile }) => inProfile);
  const list = known.length === 0 ? 'the role sees none' : `there are ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', …' : ''}`;
  throw new LoadctlError('usage', `--tables: no table ${name} in the database; ${list}`, {
    hint: 'Nothing was written. Name those that need test rows.',
  });
}
