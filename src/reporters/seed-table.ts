import { formatCount, type Milliseconds } from '../core/quantities.js';
import { type Column, renderTable, type TableStyle } from './table.js';
import { counted } from './words.js';

/** What came of one seed step in one database. */
export interface SeededRow {
  readonly store: string;
  /** Null where the store has no shards. */
  readonly shard: number | null;
  readonly what: string;
  readonly created: number;
  readonly alreadyThere: number;
  readonly conflicts: number;
  readonly elapsedMs: Milliseconds;
  readonly rowsPerSecond: number;
}

const columns: readonly Column[] = [
  { title: 'store' },
  { title: 'what', wraps: true },
  { title: 'created', align: 'right' },
  { title: 'already there', align: 'right', wraps: true },
  { title: 'conflicts', align: 'right' },
  { title: 'seconds', align: 'right' },
  { title: 'rows/s', align: 'right' },
];

/** What seeding did, store by store. */
export function renderSeed(seeded: readonly SeededRow[], style: TableStyle): string {
  const { paint } = style;
  if (seeded.length === 0) return `${paint.strong('SEEDED')}  ${paint.faint('nothing: the profile has no seed')}\n`;
  const created = seeded.reduce((sum, one) => sum + one.created, 0);
  const there = seeded.reduce((sum, one) => sum + one.alreadyThere, 0);
  const head = `${paint.strong(paint.good('SEEDED'))}  ${paint.faint(`${counted(created, 'row')} created, ${formatCount(there)} already there`)}`;
  return [head, '', ...renderTable(columns, seeded.map(row), style), ''].join('\n');
}

function row({ store, shard, what, created, alreadyThere, conflicts, elapsedMs, rowsPerSecond }: SeededRow): string[] {
  return [
    placeName(store, shard),
    what,
    ...[created, alreadyThere, conflicts].map(formatCount),
    (elapsedMs / 1000).toFixed(1),
    created + alreadyThere === 0 ? '–' : formatCount(rowsPerSecond),
  ];
}

/** `db`, or `db[2]` for a shard. */
export function placeName(store: string, shard: number | null): string {
  return shard === null ? store : `${store}[${shard}]`;
}
