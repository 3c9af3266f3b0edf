import type { SeedValue } from '../../profile/sections/schema.js';
import { quotedWhereNeeded } from '../../profile/words/names.js';
import { reservedNames } from '../../profile/words/template.js';
import type { Fits } from '../../stores/postgres/outline/try-values.js';
import type { Outline, OutlineColumn, OutlineReference, OutlineTable } from '../../stores/postgres/outline/types.js';
import { type Candidate, candidates, constantsIn, keyCandidates, mayTellRow } from './values.js';

/** What is proposed to be seeded and cleaned up. */
export interface Proposal {
  /** In an order in which each refers to those before it. */
  readonly sets: readonly ProposedSet[];
  readonly rows: readonly ProposedRows[];
  /** The column that a script's users come from: `customers.id`; missing where nothing looks like users. */
  readonly pool?: string;
  /** Tables that were wanted, or that others need, and that nothing can be proposed for. */
  readonly open: readonly { readonly table: string; readonly why: string }[];
  /** Tables that hold no key to a seeded one: nothing is proposed for them. */
  readonly apart: readonly string[];
}

/** A set of rows. */
export interface ProposedSet {
  readonly name: string;
  /** As a profile names it behind the store. */
  readonly table: string;
  readonly rows: number;
  readonly columns: Readonly<Record<string, SeedValue>>;
  readonly notes: readonly string[];
}

/** An entry of `cleanup.rows`. */
export interface ProposedRows {
  readonly table: string;
  readonly column?: string;
  readonly in?: string;
  /** The name of a set, or a table as a profile names it behind the store. */
  readonly via?: { readonly set: string } | { readonly table: string };
}

const usualRows = 100;
const userLike =
  /^(?:\w+_)?(users?|customers?|accounts?|members?|people|persons?|clients?|players?|patients?|students?|employees?|subscribers?|buyers?|profiles?)$/i;

/** The tables that are proposed where nobody names any: the one that looks most like users, else the one that most others reference. */
export function usualTables({ tables }: Outline): OutlineTable[] {
  const referenced = (table: OutlineTable) =>
    tables.filter((one) => one !== table && one.references.some(({ to }) => to === table.oid)).length;
  const weight = (table: OutlineTable) => (userLike.test(table.name) ? 1000 : 0) + referenced(table);
  const [first] = [...tables].sort((a, b) => weight(b) - weight(a));
  return first !== undefined && weight(first) > 0 ? [first] : [];
}

/** Makes a proposal: sets for these tables and for those that they cannot do without, and what hangs on their rows. `today`: `2026-01-31`. */
export async function propose(outline: Outline, wanted: readonly OutlineTable[], fits: Fits, today: string): Promise<Proposal> {
  const made = new Map<number, MadeSet>();
  const open = new Map<number, { table: string; why: string }>();
  const names = setNames(outline);
  for (const table of wanted) await makeSet(table, { outline, fits, today, names, made, open, under: [] });
  const sets = [...made.values()];
  const rows = cleanupOf(outline, made);
  const touched = new Set([...sets.map(({ set }) => set.table), ...rows.map(({ table }) => table)]);
  const users = sets.find(({ table }) => userLike.test(table.name));
  const [key] = users?.table.primaryKey ?? [];
  return {
    sets: sets.map(({ set }) => set),
    rows,
    ...(users === undefined || key === undefined || !isPoolColumn(users.set.columns[key])
      ? {}
      : { pool: `${users.set.name}.${quotedWhereNeeded(key)}` }),
    open: [...open.values()],
    apart: outline.tables.map(({ inProfile }) => inProfile).filter((name) => !touched.has(name)),
  };
}

interface MadeSet {
  readonly table: OutlineTable;
  readonly set: ProposedSet;
}

interface Making {
  readonly outline: Outline;
  readonly fits: Fits;
  readonly today: string;
  readonly names: ReadonlyMap<number, string>;
  readonly made: Map<number, MadeSet>;
  readonly open: Map<number, { table: string; why: string }>;
  /** The tables whose sets are being made. */
  readonly under: readonly number[];
}

function isPoolColumn(value: SeedValue | undefined): boolean {
  return typeof value === 'string' && /^[^{}]*\{(n([+-]\d+)?|uuid)\}[^{}]*$/.test(value);
}

/** Makes the set of a table after those of the tables that it cannot do without; false where none can be made. */
async function makeSet(table: OutlineTable, making: Making): Promise<boolean> {
  const { made, open, under, outline } = making;
  if (made.has(table.oid)) return true;
  const giveUp = (why: string) => {
    // Of tables that need each other the first reason is the one that says so.
    if (!open.has(table.oid)) open.set(table.oid, { table: table.inProfile, why });
    return false;
  };
  if (open.has(table.oid)) return false;
  if (under.includes(table.oid)) return giveUp('its rows and those of another table need each other');
  const key = keyOf(table);
  if (key === undefined) return giveUp('it has no unique key');
  if (table.hasHeirs)
    return giveUp('other tables inherit from it, and no key of it covers theirs: its rows cannot be distinguished from theirs');
  const written = table.columns.filter((column) => isWritten(column, key));
  const needed = table.references.filter(({ columns }) => columns.some((name) => written.some((column) => column.name === name)));
  for (const { to, columns } of needed) {
    if (to === table.oid) return giveUp(`${columns.join(', ')} references the table itself`);
    const parent = outline.tables.find(({ oid }) => oid === to);
    if (parent === undefined || !(await makeSet(parent, { ...making, under: [...under, table.oid] })))
      return giveUp(`${columns.join(', ')} references ${parent?.inProfile ?? 'a table that this role does not see'}, which has no set`);
  }
  const set = await fillSet({ table, key, written, needed }, making);
  if (typeof set === 'string') return giveUp(set);
  made.set(table.oid, { table, set });
  return true;
}

/** The primary key, else the narrowest other one that is never NULL. */
function keyOf({ primaryKey, uniqueKeys, columns }: OutlineTable): readonly string[] | undefined {
  if (primaryKey.length > 0) return primaryKey;
  const isSure = (key: readonly string[]) => key.every((name) => columns.some((column) => column.name === name && column.notNull));
  return uniqueKeys.filter(isSure).sort((a, b) => a.length - b.length)[0];
}

/** The key is written too where Postgres would fill it: references, and a cleanup, need to know it. */
function isWritten(column: OutlineColumn, key: readonly string[]): boolean {
  return !column.isGenerated && (key.includes(column.name) || (column.notNull && !column.isFilled));
}

interface Filling {
  readonly table: OutlineTable;
  readonly key: readonly string[];
  readonly written: readonly OutlineColumn[];
  readonly needed: readonly OutlineReference[];
}

/** Finds a value for each column; or says which one nothing is known for. */
async function fillSet(filling: Filling, { fits, names, made, today }: Making): Promise<ProposedSet | string> {
  const { table, key, written, needed } = filling;
  const columns: Record<string, SeedValue> = {};
  const samples = new Map<string, string>();
  let rows = usualRows;
  for (const column of written) {
    const reference = needed.find((one) => one.columns.includes(column.name));
    const referred = reference && referenceTo(column.name, reference, made);
    if (referred !== undefined) {
      columns[column.name] = referred.value;
      if (isAloneUnique(table, column.name)) rows = Math.min(rows, referred.rows);
      continue;
    }
    if (reference !== undefined) return `${column.name} references a column that is not seeded`;
    const wanted = { fits, tellsRow: tellsRow(filling, column.name), rows, ...(key.includes(column.name) ? { day: today } : {}) };
    const found = await valueFor(table, column, wanted);
    if (found === undefined) return `nothing is known to write into ${column.name} (${column.type}, NOT NULL, no default)`;
    columns[column.name] = found.value;
    samples.set(column.name, found.samples[0] ?? '');
    rows = Math.min(rows, found.mostRows ?? rows);
  }
  if (key.some((name) => !Object.hasOwn(columns, name))) return `its key (${key.join(', ')}) is made by an expression`;
  const notes = [...(await doubts(table, samples, fits)), ...triggerNotes(table)];
  return { name: names.get(table.oid) ?? table.name, table: table.inProfile, rows, columns, notes };
}

/** A column tells its row where it alone is unique, or where it is what is left of a key beside references. */
function tellsRow({ table, needed }: Filling, name: string): boolean {
  const isReference = (column: string) => needed.some(({ columns }) => columns.includes(column));
  const canTell = (column: string) => table.columns.some((one) => one.name === column && mayTellRow(one));
  return table.uniqueKeys.some((key) => {
    const own = key.filter((column) => !isReference(column));
    return (own.find(canTell) ?? own[0]) === name;
  });
}

function isAloneUnique({ uniqueKeys }: OutlineTable, name: string): boolean {
  return uniqueKeys.some((key) => key.length === 1 && key[0] === name);
}

function referenceTo(column: string, { to, columns, toColumns }: OutlineReference, made: Making['made']) {
  const parent = made.get(to)?.set;
  const other = toColumns[columns.indexOf(column)];
  if (parent === undefined || other === undefined || !Object.hasOwn(parent.columns, other)) return undefined;
  return { value: `{${parent.name}.${quotedWhereNeeded(other)}}`, rows: parent.rows };
}

/** The first candidate that Postgres would take in the first row and in the last. */
async function valueFor(
  table: OutlineTable,
  column: OutlineColumn,
  { fits, tellsRow: isKey, rows, day }: { readonly fits: Fits; readonly tellsRow: boolean; readonly rows: number; readonly day?: string },
): Promise<Candidate | undefined> {
  const own = table.checks.filter(({ columns }) => columns.includes(column.name)).map(({ sql }) => sql);
  const wanted = { rows, table: table.name, constants: constantsIn([...own, ...column.demands]), ...(day === undefined ? {} : { day }) };
  const all = isKey ? keyCandidates(column, wanted) : candidates(column, wanted);
  for (const candidate of all)
    if ((!isKey || candidate.tellsRow) && (await allFit(table, column.name, { candidate, fits }))) return candidate;
  return undefined;
}

async function allFit(table: OutlineTable, column: string, { candidate, fits }: { candidate: Candidate; fits: Fits }): Promise<boolean> {
  for (const text of candidate.samples) if (!(await fits(table, new Map([[column, text]])))) return false;
  return true;
}

/** What could only be found out by writing a row. */
async function doubts(table: OutlineTable, samples: ReadonlyMap<string, string>, fits: Fits): Promise<string[]> {
  const hidden = table.checks.filter(({ isPlain, columns }) => !isPlain && columns.some((name) => samples.has(name)));
  const together = samples.size === 0 || (await fits(table, samples));
  return [
    ...(together ? [] : ['? a check that is about several columns refuses these values: choose others']),
    ...hidden.map(({ sql }) => `? a check calls a function of yours, which was not called: ${sql.replaceAll(/\s+/g, ' ')}`),
  ];
}

function triggerNotes({ triggers, rowSecurity }: OutlineTable): string[] {
  return [
    ...(triggers.length === 0 ? [] : [`triggers that an insert sets off: ${triggers.join(', ')}`]),
    ...(rowSecurity ? ['row-level security is on: the role that seeds must be allowed to bypass it'] : []),
  ];
}

/** A name for the set of each table: its own, where that is one. */
function setNames({ tables }: Outline): Map<number, string> {
  const taken = new Set<string>(reservedNames);
  return new Map(
    tables.map(({ oid, name, schema }) => {
      const plain = name.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replace(/^[^A-Za-z]+/, '') || 'rows';
      const free = [plain, `${schema.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replace(/^[^A-Za-z]+/, '')}-${plain}`, `${plain}-${oid}`];
      const chosen = free.find((one) => /^[A-Za-z]/.test(one) && !taken.has(one)) ?? `rows-${oid}`;
      taken.add(chosen);
      return [oid, chosen];
    }),
  );
}

/** Everything that hangs on the seeded rows: parents before what refers to them. */
function cleanupOf({ tables }: Outline, made: ReadonlyMap<number, MadeSet>): ProposedRows[] {
  const hanging = new Set<number>();
  const hangs = ({ references }: OutlineTable) => references.some(({ to }) => made.has(to) || hanging.has(to));
  for (let before = -1; before !== hanging.size; ) {
    before = hanging.size;
    for (const table of tables) if (!made.has(table.oid) && hangs(table)) hanging.add(table.oid);
  }
  const listed = new Map<number, OutlineTable>();
  const rows: ProposedRows[] = [];
  const left = tables.filter(({ oid }) => hanging.has(oid));
  while (left.length > 0) {
    const isReady = ({ oid, references }: OutlineTable) => references.every(({ to }) => to === oid || !hanging.has(to) || listed.has(to));
    const isReached = ({ references }: OutlineTable) => references.some(({ to }) => made.has(to) || listed.has(to));
    const at = Math.max(0, [left.findIndex(isReady), left.findIndex(isReached)].find((index) => index >= 0) ?? 0);
    const [table] = left.splice(at, 1);
    if (table === undefined) break;
    rows.push(...entriesOf(table, made, listed));
    listed.set(table.oid, table);
  }
  return rows;
}

function entriesOf(table: OutlineTable, made: ReadonlyMap<number, MadeSet>, listed: ReadonlyMap<number, OutlineTable>): ProposedRows[] {
  return table.references.flatMap(({ to, columns, toColumns }): ProposedRows[] => {
    const [column = '', ...more] = columns;
    const several = table.references.filter((one) => one.to === to).length > 1;
    const which = several && more.length === 0 ? { column } : {};
    const set = made.get(to)?.set;
    if (set !== undefined) {
      const other = toColumns[0] ?? '';
      const isReadable = more.length === 0 && tellsItsRow(set.columns[other]);
      if (isReadable) return [{ table: table.inProfile, column, in: `${set.name}.${quotedWhereNeeded(other)}` }];
      return [{ table: table.inProfile, ...which, via: { set: set.name } }];
    }
    const parent = to === table.oid ? undefined : listed.get(to);
    return parent === undefined ? [] : [{ table: table.inProfile, ...which, via: { table: parent.inProfile } }];
  });
}

function tellsItsRow(value: SeedValue | undefined): boolean {
  return typeof value === 'string' && /\{(n([+-]\d+)?|uuid)\}/.test(value);
}
