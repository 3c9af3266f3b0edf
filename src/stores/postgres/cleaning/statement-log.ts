import type { CleanupStatement } from '../../../core/receipt.js';
import type { Session } from '../connection/session.js';

/** Notes that a statement ran, with the rows that it changed and how long it took. */
export type StatementLog = (sql: string, rows: number, ms: number) => void;

/** Adds up the executions of every statement of one database. */
export function statementLog(session: Session): { readonly log: StatementLog; readonly statements: () => CleanupStatement[] } {
  const known = new Map<string, { rows: number; ms: number }>();
  return {
    log(sql, rows, ms) {
      const before = known.get(sql) ?? { rows: 0, ms: 0 };
      known.set(sql, { rows: before.rows + rows, ms: before.ms + ms });
    },
    statements: () =>
      [...known].map(([sql, sums]) => ({
        store: session.address.store,
        shard: session.address.shard,
        sql,
        rows: sums.rows,
        ms: Math.round(sums.ms),
      })),
  };
}
