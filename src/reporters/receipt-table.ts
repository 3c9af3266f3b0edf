import { formatCount } from '../core/quantities.js';
import type { Paint } from './paint.js';
import { placeName } from './seed-table.js';
import { type Column, renderTable, type TableStyle } from './table.js';

/** What of receipt.json is shown. */
export interface ShownReceipt {
  readonly environment: string;
  readonly run?: string;
  readonly dryRun: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly by: { readonly user: string; readonly host: string };
  readonly rows: readonly (Taken & {
    readonly shard: number | null;
    readonly host: string;
    readonly role: string;
    readonly table: string;
  })[];
  /** `what` is missing in receipts of earlier versions: all were of keys. */
  readonly keys: readonly (Taken & { readonly what?: 'keys' | 'members'; readonly node: string; readonly database: number })[];
  readonly others: readonly OtherTable[];
  readonly statements: readonly { readonly store: string; readonly shard: number | null; readonly sql: string }[];
  readonly proven: boolean;
  readonly notes: readonly string[];
}

interface Taken {
  readonly store: string;
  readonly which: string;
  readonly deleted: number;
  readonly left: number;
}

interface OtherTable {
  readonly store: string;
  readonly shard: number | null;
  readonly node?: string;
  readonly table: string;
  readonly before: number | null;
  readonly after: number;
  readonly sumBefore?: string;
  readonly sumAfter?: string;
}

const columns = (dryRun: boolean): readonly Column[] => [
  { title: 'what' },
  { title: 'where', wraps: true },
  { title: 'which', wraps: true },
  { title: 'deleted', align: 'right' },
  { title: dryRun ? 'there now' : 'left', align: 'right' },
];

const otherColumns: readonly Column[] = [
  { title: "everybody else's rows", wraps: true },
  { title: 'where', wraps: true },
  { title: 'before', align: 'right' },
  { title: 'after', align: 'right' },
  { title: '', wraps: true },
];

/** The proof of a cleanup: what was deleted and what is left, and that nobody else's rows are fewer. */
export function renderReceipt(receipt: ShownReceipt, style: TableStyle): string {
  const { paint } = style;
  const gone = (count: number) => (receipt.dryRun ? '' : formatCount(count));
  const left = (count: number) => (receipt.dryRun || count === 0 ? formatCount(count) : paint.bad(formatCount(count)));
  const rows = receipt.rows.map(({ table, store, shard, host, role, which, deleted, left: rest }) => [
    table,
    `${placeName(store, shard)} on ${host} as ${role}`,
    which,
    gone(deleted),
    left(rest),
  ]);
  const keys = receipt.keys.map(({ what = 'keys', store, node, database, which, deleted, left: rest }) => [
    what,
    `${store} on ${node}, index ${database}`,
    which,
    gone(deleted),
    left(rest),
  ]);
  const sections = [
    [headline(receipt, paint)],
    rows.length + keys.length > 0 ? renderTable(columns(receipt.dryRun), [...rows, ...keys], style) : [],
    receipt.others.length > 0
      ? renderTable(
          otherColumns,
          receipt.others.map((one) => otherRow(one, paint)),
          style,
        )
      : [],
    receipt.dryRun
      ? receipt.statements.map(({ store, shard, sql }) => `  ${paint.faint(`${placeName(store, shard)}:`)} ${sql.replaceAll(/\s+/g, ' ')}`)
      : [],
    receipt.notes.map((note) => `  ${paint.warn('!')} ${note}`),
  ];
  return sections.flatMap((lines) => (lines.length > 0 ? [...lines, ''] : [])).join('\n');
}

function headline({ proven, dryRun, environment, finishedAt, by }: ShownReceipt, paint: Paint): string {
  const facts = paint.faint(`${environment} · ${finishedAt} · ${by.user} on ${by.host}`);
  if (dryRun) return `${paint.strong('DRY RUN')}  nothing was changed  ${facts}`;
  const word = proven
    ? `${paint.strong(paint.good('CLEAN'))}  nothing of the test is left`
    : `${paint.strong(paint.bad('NOT PROVEN'))}  that nothing of the test is left`;
  return `${word}  ${facts}`;
}

function otherRow(other: OtherTable, paint: Paint): string[] {
  const { store, shard, node, table, before, after } = other;
  const where = node === undefined ? placeName(store, shard) : `${store} on ${node}`;
  const change = before === null ? paint.faint('not counted before') : changeIn(other, before, paint);
  return [table, where, before === null ? '–' : formatCount(before), formatCount(after), change];
}

/** As many rows as before may be other ones: their sum tells. */
function changeIn({ after, sumBefore, sumAfter }: OtherTable, before: number, paint: Paint): string {
  if (after !== before) return paint.warn(signed(after - before));
  if (sumBefore === undefined || sumAfter === undefined) return 'unchanged';
  return sumBefore === sumAfter ? 'unchanged, same checksum' : paint.warn('as many, with other values');
}

function signed(difference: number): string {
  return `${difference > 0 ? '+' : '−'}${formatCount(Math.abs(difference))}`;
}

/** Reads a receipt out of an event; undefined where it is none. */
export function asReceipt(value: unknown): ShownReceipt | undefined {
  return typeof value === 'object' && value !== null && 'proven' in value && 'rows' in value && 'others' in value
    ? (value as ShownReceipt)
    : undefined;
}
