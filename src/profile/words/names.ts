/** A table as a profile names it: `db.users`, `db.sales."Order.Items"`. */
export interface TableName {
  readonly store: string;
  /** Missing where the connection's search path finds the table. */
  readonly schema?: string;
  readonly table: string;
}

/** A column of a seeded set: `users.id`, `users."first name"`. */
export interface SetColumn {
  readonly set: string;
  readonly column: string;
}

const setName = '[A-Za-z][\\w-]*';
const quotedPart = '"(?:[^"]|"")+"';
const part = `${quotedPart}|[^".\\s{}]+`;

/** The source of a regular expression for `SET.COLUMN` with the column in quotes, which may hold anything. */
export const setColumnPattern = `${setName}\\.${quotedPart}`;

/** What the name of a set, or of a store, has to look like. */
export const nameRule = new RegExp(`^${setName}$`);

const wholeTable = new RegExp(`^(${setName})\\.(?:(${part})\\.)?(${part})$`, 'u');
const wholeColumn = new RegExp(`^(${setName})\\.(${part})$`, 'u');

/** Reads `store.[schema.]table`; undefined where it is none. */
export function readTableName(text: string): TableName | undefined {
  const [, store, schema, table] = wholeTable.exec(text) ?? [];
  if (store === undefined || table === undefined) return undefined;
  return { store, ...(schema === undefined ? {} : { schema: unquoted(schema) }), table: unquoted(table) };
}

/** Reads `SET.COLUMN`; undefined where it is none. */
export function readSetColumn(text: string): SetColumn | undefined {
  const [, set, column] = wholeColumn.exec(text) ?? [];
  return set === undefined || column === undefined ? undefined : { set, column: unquoted(column) };
}

/** A key with its store, which ends at the first `/`; undefined where there is none. */
export function readKey(text: string): { readonly store: string; readonly key: string } | undefined {
  const [, store, key] = new RegExp(`^(${setName})/(.+)$`, 'su').exec(text) ?? [];
  return store === undefined || key === undefined ? undefined : { store, key };
}

/** A table as a profile names it. */
export function tableText({ store, schema, table }: TableName): string {
  return [store, ...(schema === undefined ? [] : [quotedWhereNeeded(schema)]), quotedWhereNeeded(table)].join('.');
}

/** A column of a set as a profile names it. */
export function setColumnText({ set, column }: SetColumn): string {
  return `${set}.${quotedWhereNeeded(column)}`;
}

/** A part of a name, in quotes where it could be misread. */
export function quotedWhereNeeded(name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_$-]*$/u.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}
