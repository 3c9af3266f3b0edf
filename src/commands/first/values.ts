import type { SeedValue } from '../../profile/sections/schema.js';
import type { OutlineColumn } from '../../stores/postgres/outline/types.js';

/** What a column may be seeded with, and what that is in some rows: the first, the last. */
export interface Candidate {
  readonly value: SeedValue;
  /** As Postgres reads it. */
  readonly samples: readonly string[];
  /** Whether each row has another one. */
  readonly tellsRow: boolean;
  /** The most rows that it can tell apart; missing where there is no limit that matters. */
  readonly mostRows?: number;
}

/** How many rows a set has, and what the values are about. */
export interface Wanted {
  readonly rows: number;
  /** The table's name, for texts. */
  readonly table: string;
  /** Constants that stand in checks of the column: one of them may be what it wants. */
  readonly constants: readonly string[];
  /** In the place of the moment of the seed, for a column by which a row is found again; missing where that moment will do. */
  readonly day?: string;
}

/** Values for a column that has to tell its row, best first. */
export function keyCandidates(column: OutlineColumn, wanted: Wanted): Candidate[] {
  const { base, maxLength } = column;
  if (base === 'uuid') return [uuid];
  if (base === 'int2') return [counted(30_000, Math.min(wanted.rows, 2_700))];
  if (/^(int4|int8|numeric)$/.test(base)) return [counted(900_000_000, wanted.rows)];
  if (!isText(column)) return [];
  const name = singular(wanted.table);
  const first = /name|title/i.test(column.name) ? `Test ${name.replaceAll('_', ' ')} {n}` : `${name}-{n}`;
  const plain = [first, 't{n}'].map((template) => numbered(template, wanted.rows));
  if (/e?mail/i.test(column.name)) return fitting([mail(wanted), ...plain], maxLength);
  const exact = maxLength === null || maxLength > 8 ? [] : [digitsOf(maxLength, wanted.rows)];
  return [...fitting(plain, maxLength), ...exact];
}

/** Whether a column is of a type that values are known for that tell its row. */
export function mayTellRow(column: OutlineColumn): boolean {
  return isText(column) || /^(uuid|int[248]|numeric)$/.test(column.base);
}

/** Values for a column that has to hold something, best first. */
export function candidates(column: OutlineColumn, wanted: Wanted): Candidate[] {
  const { base, category, labels, maxLength } = column;
  const found = wanted.constants.flatMap((text) => constantsLike(column, text));
  if (labels.length > 0) return labels.map((label) => constant(literal(label), label));
  if (base === 'uuid') return [uuid];
  if (base === 'bool') return [constant(true, 'true'), constant(false, 'false')];
  if (category === 'N')
    return [chosen(1, 100), chosen(1, 9), ...[1, 0, 10, 100, 1000].map((value) => constant(value, String(value))), ...found];
  if (isText(column)) return fitting([...textsFor(column, wanted), ...found], maxLength);
  if (category === 'A') return [constant([], '{}')];
  const usual =
    wanted.day !== undefined && isMoment(base) ? dayOf(base, wanted.day) : Object.hasOwn(usualValues, base) ? usualValues[base] : undefined;
  return [...(usual === undefined ? [] : [usual]), ...found];
}

/** The constants in SQL of checks: quoted texts and numbers. */
export function constantsIn(sql: readonly string[]): string[] {
  const texts = sql.flatMap((text) => [...text.matchAll(/'((?:[^']|'')*)'/g)].map(([, quoted = '']) => quoted.replaceAll("''", "'")));
  const numbers = sql.flatMap((text) => [...text.matchAll(/(?<![\w'.])-?\d+(?:\.\d+)?(?![\w'.])/g)].map(([number]) => number));
  return [...new Set([...texts, ...numbers])];
}

const uuid: Candidate = { value: '{uuid}', samples: ['6c6f6164-0000-8000-8000-000000000001'], tellsRow: true };
const now: Candidate = { value: '{now}', samples: ['2026-01-01T00:00:00.000Z'], tellsRow: false };

function isMoment(base: string): boolean {
  return /^(date|timestamp|timestamptz)$/.test(base);
}

function dayOf(base: string, day: string): Candidate {
  const value = base === 'timestamptz' ? `${day}T00:00:00Z` : day;
  return constant(value, value);
}

const usualValues: Readonly<Record<string, Candidate>> = {
  date: now,
  timestamp: now,
  timestamptz: now,
  time: constant('12:00', '12:00'),
  timetz: constant('12:00+00', '12:00+00'),
  interval: constant('1 day', '1 day'),
  json: constant({}, '{}'),
  jsonb: constant({}, '{}'),
  inet: constant('127.0.0.1', '127.0.0.1'),
  cidr: constant('127.0.0.0/8', '127.0.0.0/8'),
  macaddr: constant('00:00:00:00:00:01', '00:00:00:00:00:01'),
  money: constant('1', '1'),
  bytea: constant('\\x00', '\\x00'),
  tsvector: constant('test', 'test'),
  xml: constant('<test/>', '<test/>'),
};

function isText({ category, base }: OutlineColumn): boolean {
  return category === 'S' && base !== 'char';
}

function textsFor(column: OutlineColumn, wanted: Wanted): Candidate[] {
  const { name } = column;
  const words = name.replaceAll(/[_-]+/g, ' ').trim();
  const first = /e?mail/i.test(name)
    ? mail(wanted)
    : numbered(/name|title/i.test(name) ? `Test ${singular(wanted.table).replaceAll('_', ' ')} {n}` : `${literal(words)} {n}`, wanted.rows);
  return [first, numbered('t{n}', wanted.rows), numbered('{n}', wanted.rows), constant('t', 't')];
}

function constantsLike({ category }: OutlineColumn, text: string): Candidate[] {
  const number = Number(text);
  if (category !== 'N') return [constant(literal(text), text)];
  return Number.isFinite(number) && text.trim() !== '' ? [number, number + 1, number - 1].map((one) => constant(one, String(one))) : [];
}

function mail({ rows, table }: Wanted): Candidate {
  return numbered(`${singular(table).replaceAll(/[^a-z0-9]+/gi, '.')}{n}@test.example`, rows);
}

/** Numbers out of the way of other rows'. */
function counted(above: number, mostRows: number): Candidate {
  return { value: `{n+${above}}`, samples: [String(above + 1), String(above + mostRows)], tellsRow: true, mostRows };
}

/** Digits alone, as many as there is room for: `10` to `99`. */
function digitsOf(length: number, rows: number): Candidate {
  const above = 10 ** (length - 1) - 1;
  const mostRows = Math.min(rows, 9 * 10 ** (length - 1));
  return { value: above === 0 ? '{n}' : `{n+${above}}`, samples: [String(above + 1), String(above + mostRows)], tellsRow: true, mostRows };
}

function numbered(template: string, rows: number): Candidate {
  const at = (n: number) => template.replace('{n}', String(n)).replaceAll('{{', '{').replaceAll('}}', '}');
  return { value: template, samples: [at(1), at(rows)], tellsRow: true };
}

function chosen(low: number, high: number): Candidate {
  return { value: `{int:${low}..${high}}`, samples: [String(low), String(high)], tellsRow: false };
}

function constant(value: SeedValue, sample: string): Candidate {
  return { value, samples: [sample], tellsRow: false };
}

/** A cast would cut a text that is too long: the length is looked at here. */
function fitting(all: readonly Candidate[], maxLength: number | null): Candidate[] {
  return all.filter(({ samples }) => maxLength === null || samples.every((text) => [...text].length <= maxLength));
}

/** A text in which a template is none. */
function literal(text: string): string {
  return text.replaceAll('{', '{{').replaceAll('}', '}}');
}

/** `customers` → `customer`: for texts that people read. */
function singular(name: string): string {
  const plain = name.replaceAll(/[{}]/g, '').toLowerCase();
  return /[^s]s$/.test(plain) ? plain.replace(/ies$/, 'y').replace(/s$/, '') : plain;
}
