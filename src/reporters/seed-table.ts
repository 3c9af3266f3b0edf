import type { SeededStep } from '../core/events.js';
import { formatCount } from '../core/quantities.js';
import { counted } from './sentences/words.js';
import { type Column, renderTable, type TableStyle } from './table.js';

const columns: readonly Column[] = [
  { title: 'set' },
  { title: 'store' },
  { title: 'what', wraps: true },
  { title: 'created', align: 'right' },
  { title: 'already there', align: 'right', wraps: true },
  { title: 'conflicts', align: 'right' },
  { title: 'seconds', align: 'right' },
  { title: 'rows/s', align: 'right' },
];

/** What seeding did, store by store. */
export function renderSeed(seeded: readonly SeededStep[], style: TableStyle): string {
  const { paint } = style;
  if (seeded.length === 0) return `${paint.strong('SEEDED')}  ${paint.faint('nothing: the profile has no seed')}\n`;
  const created = seeded.reduce((sum, one) => sum + one.created, 0);
  const there = seeded.reduce((sum, one) => sum + one.alreadyThere, 0);
  const head = `${paint.strong(paint.good('SEEDED'))}  ${paint.faint(`${counted(created, 'row')} created, ${formatCount(there)} already there`)}`;
  return [head, '', ...renderTable(columns, seeded.map(row), style), ''].join('\n');
}

function row({ set, store, shard, what, created, alreadyThere, conflicts, elapsedMs, rowsPerSecond }: SeededStep): string[] {
  return [
    set,
    shardName(store, shard),
    what,
    ...[created, alreadyThere, conflicts].map(formatCount),
    (elapsedMs / 1000).toFixed(1),
    created + alreadyThere === 0 ? '–' : formatCount(rowsPerSecond),
  ];
}

/** A store's name in a table, with its shard where it has some: `db[3]`. */
export function shardName(store: string, shard: number | null): string {
  return shard === null ? store : `${store}[${shard}]`;
}
