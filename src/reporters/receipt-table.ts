import { formatCount } from '../core/quantities.js';
import { type Receipt, type ReceiptLine, type ReceiptOthers, receiptVersion } from '../core/receipt.js';
import type { Paint } from './paint.js';
import { shardName } from './seed-table.js';
import { type Column, renderTable, type TableStyle } from './table.js';
import { wrapLines } from './wrap.js';

const columns = (dryRun: boolean): readonly Column[] => [
  { title: 'what' },
  { title: 'where', wraps: true },
  { title: 'which', wraps: true },
  { title: 'deleted', align: 'right' },
  { title: dryRun ? 'there now' : 'left', align: 'right' },
];

const otherColumns: readonly Column[] = [
  { title: 'rows of others', wraps: true },
  { title: 'where', wraps: true },
  { title: 'before', align: 'right' },
  { title: 'after', align: 'right' },
  { title: '', wraps: true },
];

/** The proof of a cleanup: what was deleted and what is left, and that nobody else's rows are fewer. */
export function renderReceipt(receipt: Receipt, style: TableStyle): string {
  const { paint } = style;
  const version: number = receipt.version;
  if (version !== receiptVersion)
    return `  ${paint.warn('!')} This receipt is of version ${version}; this loadctl shows version ${receiptVersion}.\n`;
  const gone = (count: number) => (receipt.dryRun ? '' : formatCount(count));
  const left = (count: number | null) => {
    const text = count === null ? '?' : formatCount(count);
    return receipt.dryRun || count === 0 ? text : paint.bad(text);
  };
  const rows = receipt.rows.map(({ table, store, shard, host, role, which, deleted, left: rest }) => [
    table,
    `${shardName(store, shard)} on ${host} as ${role}`,
    which,
    gone(deleted),
    left(rest),
  ]);
  const keys = receipt.keys.map(({ what, store, node, database, which, deleted, left: rest }) => [
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
      ? receipt.statements.map(({ store, shard, sql }) => `  ${paint.faint(`${shardName(store, shard)}:`)} ${sql.replaceAll(/\s+/g, ' ')}`)
      : [],
    receipt.lines.flatMap((line) => lineRows(line, paint)),
    receipt.notes.map((note) => `  ${paint.warn('!')} ${note}`),
  ];
  return sections.flatMap((lines) => (lines.length > 0 ? [...wrapLines(lines, style.width), ''] : [])).join('\n');
}

function headline(receipt: Receipt, paint: Paint): string {
  const { proven, dryRun, environment, finishedAt, by } = receipt;
  const facts = paint.faint(`${environment} · ${finishedAt} · ${by.user} on ${by.host}`);
  if (dryRun) return `${paint.strong('DRY RUN')}  nothing was changed  ${facts}`;
  const isEmpty = receipt.rows.length + receipt.keys.length + receipt.lines.length === 0;
  if (proven && isEmpty) return `${paint.strong('NOTHING TO CLEAN UP')}  this profile declares no test data  ${facts}`;
  const isMissing = receipt.lines.some(({ kind }) => kind === 'missing');
  const word = proven
    ? `${paint.strong(paint.good('CLEAN'))}  nothing of the test is left${isMissing ? ' under its own keys' : ''}`
    : `${paint.strong(paint.bad('NOT PROVEN'))}  test data may remain`;
  return `${word}  ${facts}`;
}

/** What is there still and why, with what to do about it. */
function lineRows({ kind, shard, what, count, why, command }: ReceiptLine, paint: Paint): string[] {
  const where = `${what}${shard === null ? '' : ` on shard ${shard}`}`;
  const many = count === null ? '' : `${formatCount(count)} of `;
  if (kind === 'kept') return [`  ${paint.faint('·')} seeded: kept  ${count === null ? 'what is there of ' : many}${where}`];
  if (kind === 'missing') return [`  ${paint.faint('·')} seeded: missing  ${many}${where}: ${why}`];
  const mark = kind === 'left' ? paint.bad('✖') : paint.warn('?');
  const head = `  ${mark} ${kind === 'left' ? 'left' : 'not proven'}: ${many}${where}${why === undefined ? '' : `: ${why}`}`;
  return command === undefined ? [head] : [head, `      ${paint.faint('→')} ${command}`];
}

function otherRow(other: ReceiptOthers, paint: Paint): string[] {
  const { store, shard, node, table, before, after } = other;
  const where = node === undefined ? shardName(store, shard) : `${store} on ${node}`;
  const change = before === null ? paint.faint('not counted before') : changeIn(other, before, paint);
  return [table, where, before === null ? '–' : formatCount(before), formatCount(after), change];
}

/** As many rows as before may be other ones: their sum tells. */
function changeIn({ after, sumBefore, sumAfter }: ReceiptOthers, before: number, paint: Paint): string {
  if (after !== before) return paint.warn(signed(after - before));
  if (sumBefore === undefined || sumAfter === undefined) return 'unchanged';
  return sumBefore === sumAfter ? 'unchanged, same checksum' : paint.warn('same count, different checksum');
}

function signed(difference: number): string {
  return `${difference > 0 ? '+' : '−'}${formatCount(Math.abs(difference))}`;
}
