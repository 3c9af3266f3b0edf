import type { Outline, OutlineTable } from '../../stores/postgres/outline/types.js';

/** Whoever answers what the first files need to know: flags alone, or flags and a person at a terminal. */
export interface Asker {
  /** Where the service answers. */
  url(): Promise<string>;
  /** An own script; undefined for a new one. */
  script(): Promise<string | undefined>;
  /** The URL of a database, of a cache; undefined where there is none. */
  db(): Promise<string | undefined>;
  redis(): Promise<string | undefined>;
  /** Whether the catalog of the database may be read; `where` is its host and name. */
  mayRead(where: string): Promise<boolean>;
  /** The tables that get test rows. */
  tables(outline: Outline, usual: readonly OutlineTable[]): Promise<readonly OutlineTable[]>;
  ci(): Promise<boolean>;
  /** Whether these files are to be written. */
  write(files: readonly string[]): Promise<boolean>;
}
