import { idType, quote, sqlName, type TableModel } from './model.js';

/** How a table is partitioned, at the end of its own statement. */
export function partitionClause({ layout, id }: TableModel): string {
  const [first = 'id'] = id.columns;
  if (layout === 'plain' || layout === 'inherits') return '';
  return ` PARTITION BY ${layout} (${layout === 'list' ? 'region' : quote(first)})`;
}

/** Two partitions and a default one, of which one has partitions of its own; names that begin alike. */
export function partitions(table: TableModel): string[] {
  const { layout, id } = table;
  const part = (suffix: string) => sqlName({ ...table, name: `${table.name}_${suffix}` });
  const of = (suffix: string, bounds: string, more = '') => `CREATE TABLE ${part(suffix)} PARTITION OF ${sqlName(table)} ${bounds}${more}`;
  const deeper = (suffix: string) =>
    [0, 1].map(
      (rest) => `CREATE TABLE ${part(`${suffix}${rest}`)} PARTITION OF ${part(suffix)} FOR VALUES WITH (MODULUS 2, REMAINDER ${rest})`,
    );
  const byHash = ` PARTITION BY HASH (${quote(id.columns[0] ?? 'id')})`;
  if (layout === 'hash') return [0, 1, 2].map((rest) => of(`h${rest}`, `FOR VALUES WITH (MODULUS 3, REMAINDER ${rest})`));
  if (layout === 'list')
    return [of('eu', "FOR VALUES IN ('eu')"), of('us', "FOR VALUES IN ('us')", byHash), ...deeper('us'), of('rest', 'DEFAULT')];
  if (layout !== 'range') return [];
  const [one, other] = {
    text: ["'m'", "'user3-3'"],
    uuid: [`'${'4'.padEnd(8, '0')}-0000-0000-0000-000000000000'`, `'${'c'.padEnd(8, '0')}-0000-0000-0000-000000000000'`],
  }[idType(table)] ?? ['500', '900000010'];
  return [
    of('low', `FOR VALUES FROM (MINVALUE) TO (${one})`),
    of('mid', `FOR VALUES FROM (${one}) TO (${other})`, byHash),
    ...deeper('mid'),
    of('rest', 'DEFAULT'),
  ];
}
