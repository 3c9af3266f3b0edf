import type { CleanupEntry, PlannedSeed } from '../../plan/sections.js';
import { setColumnText, tableText } from '../../profile/words/names.js';

/** What a set fills: `db.app.users`, `keys cache/user:user-{n}`. */
export function seedInWords(set: PlannedSeed): string {
  if (set.kind === 'rows') return tableText(set);
  const forms = { hash: 'hashes', list: 'lists', set: 'sets', zset: 'sorted sets', text: 'keys', json: 'keys' };
  return `${forms[set.as ?? 'text']} ${set.store}/${set.key}`;
}

/** What an entry of the cleanup takes out: `db.reservations where user_id begins with load-test-user-`. */
export function cleanupInWords(entry: CleanupEntry): string {
  switch (entry.kind) {
    case 'rows':
      return `${tableText(entry)}${whichRows(entry)}`;
    case 'keys': {
      const where = entry.where === undefined ? '' : ` where ${entry.where.json.join('.')} is in ${setColumnText(entry.where.in)}`;
      return `keys ${entry.store}/${entry.match}${where}`;
    }
    case 'members':
      return `members ${entry.match} of ${entry.store}/${entry.key}`;
    case 'index':
      return entry.flush === 'everything'
        ? `everything in index ${entry.index ?? '?'} of ${entry.store}`
        : `all keys of this profile in index ${entry.index ?? '?'} of ${entry.store}`;
  }
}

function whichRows(rows: Extract<CleanupEntry, { kind: 'rows' }>): string {
  if ('via' in rows) return `, via ${'set' in rows.via ? `the set ${rows.via.set}` : tableText(rows.via)}`;
  if ('in' in rows) return ` where ${rows.column} is in ${setColumnText(rows.in)}`;
  return 'uuid' in rows
    ? ` where ${rows.column} is of the UUID namespace ${rows.uuid}`
    : ` where ${rows.column} begins with ${rows.prefix}`;
}
