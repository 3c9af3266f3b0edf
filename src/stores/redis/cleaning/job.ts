import type { CleanedKeys, ReceiptLine } from '../../../core/receipt.js';
import type { Servers } from '../connection/servers.js';
import type { Counts, Tally } from './tally.js';

/** What one entry of `cleanup.keys` comes to. */
export interface Job {
  readonly servers: Servers;
  readonly what: CleanedKeys['what'];
  /** Which of them, as {@link CleanedKeys.which} has it. */
  readonly which: string;
  /** What the servers are asked, as a receipt shows it. */
  readonly statement: string;
  /** Throws what stands against it. */
  check(): Promise<void>;
  /** How many are there, by server; what it could not find out it keeps for {@link lines}. */
  count(): Promise<Counts>;
  /** Deletes what is there now, and adds to `deleted` as it goes. */
  take(deleted: Tally): Promise<void>;
  /** What the last count could not find out. */
  lines(): readonly ReceiptLine[];
}

/** Where commands go, for a statement: an index, or the primaries of a cluster. */
export function whereText({ index, isCluster }: Servers): string {
  return isCluster ? 'on each primary: ' : `SELECT ${index}; `;
}
