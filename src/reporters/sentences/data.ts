import type { CleanupEntry, PlannedSeed } from '../../plan/sections.js';

/** What a step of the seed fills: `table app.users`, `keys user:user-{n}`. */
export function seedInWords(step: PlannedSeed): string {
  if (step.kind === 'rows') return `table ${step.schema === undefined ? '' : `${step.schema}.`}${step.table}`;
  return `${step.as === 'hash' ? 'hashes' : 'keys'} ${step.key}`;
}

/** What an entry of the cleanup takes out: `reservations where user_id begins with load-test-user-`. */
export function cleanupInWords(entry: CleanupEntry): string {
  switch (entry.kind) {
    case 'rows':
      return 'via' in entry ? `${entry.table}, by way of ${entry.via}` : `${entry.table} where ${entry.column} ${whichRows(entry)}`;
    case 'keys':
      return `keys ${entry.match}`;
    case 'members':
      return `members ${entry.match} of ${entry.key}`;
    case 'index':
      return entry.flush === 'everything' ? `everything in index ${entry.index ?? '?'}` : `index ${entry.index ?? '?'}, emptied`;
  }
}

function whichRows(rows: Exclude<Extract<CleanupEntry, { kind: 'rows' }>, { via: string }>): string {
  if ('range' in rows) return `is from ${rows.range.low} to ${rows.range.high}`;
  return 'uuid' in rows ? `is of the UUID namespace ${rows.uuid}` : `begins with ${rows.prefix}`;
}
