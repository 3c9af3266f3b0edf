import { formatCount } from '../../core/quantities.js';
import type { Receipt, ReceiptOthers } from '../../core/receipt.js';
import { shardName } from '../../reporters/seed-table.js';
import { type Markup, markup } from '../result/markup.js';
import { receiptWords } from '../result/words.js';
import { type Cell, figures, section, table, words } from './table.js';

/** The cleanup after it: what was deleted, what is left, and that nobody else’s rows are fewer. */
export function dataSection(receipt: Receipt | undefined): Markup | undefined {
  if (receipt === undefined) return undefined;
  const { rows, keys, others, lines, notes, finishedAt, by, proven } = receipt;
  const cleaned = [
    ...rows.map((one) => [one.table, `${shardName(one.store, one.shard)} on ${one.host}`, one.which, one.deleted, one.left]),
    ...keys.map((one) => [one.what, `${one.store} on ${one.node}, index ${one.database}`, one.which, one.deleted, one.left]),
  ].map((cells) => cells.map(countCell));
  const left = lines.map(({ kind, store, shard, what, count, why = '', command = '' }) =>
    [kind, store === null ? '' : shardName(store, shard), what, count, why, command].map(countCell),
  );
  return section(
    'data',
    'Test data',
    markup`<p class="${proven ? 'pass' : 'fail'}">${receiptWords(receipt)}</p>\n<p class="faint">Receipt of ${finishedAt}, by ${by.user} on ${by.host}.</p>\n`,
    table('What the cleanup deleted', [words('what'), words('where'), words('which'), figures('deleted'), figures('left')], cleaned),
    table('What is there still, or is not known', ['kind', 'where', 'what', 'count', 'why', 'what to do'].map(words), left),
    table('Rows and keys of others', [words('what'), words('where'), figures('before'), figures('after'), words('')], others.map(otherRow)),
    notes.length === 0 ? undefined : markup`<ul>${notes.map((note) => markup`<li>${note}</li>`)}</ul>\n`,
  );
}

function countCell(value: string | number | null): Cell {
  return typeof value === 'number' ? formatCount(value) : (value ?? 'unknown');
}

function otherRow({ store, shard, node, table: name, before, after, sumBefore, sumAfter }: ReceiptOthers): Cell[] {
  const isSame = before === after && sumBefore === sumAfter;
  const where = node === undefined ? shardName(store, shard) : `${store} on ${node}`;
  const change = before === null ? 'not counted before' : isSame ? 'unchanged' : 'changed';
  return [name, where, before === null ? '–' : formatCount(before), formatCount(after), change];
}
