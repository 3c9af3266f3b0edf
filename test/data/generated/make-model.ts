import type { Draw } from './draw.js';
import { drawAudits, drawCycles, drawEntry, drawReference, drawReferences } from './make-links.js';
import type { IdKind, Layout, Role, SchemaModel, TableModel } from './model.js';

const tableNames = [
  'user',
  'Order.Items',
  'select',
  'Group',
  'tëst',
  'a b',
  'MiXed',
  'carts',
  'cart_events',
  'table',
  'Straße 7',
  'orders',
  'all',
  '表',
];
const idNames = ['id', 'Id', 'key', 'order id', 'n', 'user', 'ctid_', 'no.'];

/** Draws a schema of 1 to 8 tables in which nothing stands in loadctl's way. */
export function drawModel(draw: Draw): SchemaModel {
  const names = draw.shuffled(tableNames);
  const tables: TableModel[] = [];
  const count = draw.int(1, 8);
  for (let index = 0; index < count; index++) tables.push(drawTable(draw, tables, names[index] ?? `t${index}`));
  growOne(draw, tables);
  const audits = tables.flatMap((table) => drawAudits(draw, table));
  return { tables, audits, cycles: drawCycles(draw, tables), plainRole: draw.chance(0.5) };
}

/** In few schemas a set takes more than one transaction; not where every row's delete reads a whole table that references it. */
function growOne(draw: Draw, tables: TableModel[]): void {
  const isReferenced = ({ index, self }: TableModel) =>
    self !== undefined || tables.some(({ references }) => references.some(({ parent }) => parent === index));
  const free = tables.filter((table) => table.seeded !== undefined && !isReferenced(table));
  if (free.length === 0 || !draw.chance(0.1)) return;
  const one = draw.of(free);
  tables[one.index] = { ...one, seeded: draw.int(1500, 5000) };
}

function drawTable(draw: Draw, earlier: readonly TableModel[], name: string): TableModel {
  const index = earlier.length;
  const role: Role = index === 0 && draw.chance(0.8) ? 'seeded' : draw.of<Role>(['seeded', 'seeded', 'listed', 'listed', 'both', 'others']);
  // What others may inherit from has no key of its own: a seeded row of it is one that an entry covers.
  const layout = draw.of<Layout>(['plain', 'plain', 'plain', role === 'seeded' ? 'plain' : 'inherits', 'hash', 'range', 'list']);
  const kind = drawKind(draw, layout);
  const columns = kind === 'pair' ? ['tenant', draw.of(['no', 'No'])] : [draw.of(idNames)];
  const heirs = layout === 'inherits' ? [`${name} kid`, ...(draw.chance(0.3) ? [`${name} grandkid`] : [])] : [];
  const numbered = (kind === 'shared' && layout !== 'plain') || (['identity', 'always', 'shared'].includes(kind) && draw.chance(0.3));
  const isListed = role === 'listed' || role === 'both';
  // What references a listed table has to be listed itself.
  const parents = earlier.filter((table) => table.layout !== 'list' && (isListed || table.entry === undefined));
  const references = drawReferences(draw, parents, layout);
  const bare = { index, name, layout, heirs, id: { kind, columns }, numbered, references, schema: draw.chance(0.2) ? 'Sales' : 'public' };
  const self =
    kind !== 'pair' && layout !== 'list' && draw.chance(0.2)
      ? drawReference(draw, { ...bare, tag: 'plain', flavour }, layout, 'boss')
      : undefined;
  const entry = isListed ? drawEntry(draw, references, earlier, { role, kind }) : undefined;
  const seeds = role === 'seeded' || (role === 'both' && (entry?.by === 'in' || entry?.by === 'id'));
  return {
    ...bare,
    tag: drawTag(draw, kind, layout),
    flavour: {
      collated: draw.chance(0.2),
      blindOwner: draw.chance(0.2),
      heirKeys: draw.chance(0.5),
      generated: draw.chance(0.2),
      openPolicy: draw.chance(0.15),
      tidyTrigger: draw.chance(0.15),
    },
    ...(self === undefined ? {} : { self: { ...self, required: false } }),
    ...(seeds ? { seeded: draw.int(3, 60) } : {}),
    ...(entry === undefined ? {} : { entry }),
  };
}

const flavour = {
  collated: false,
  blindOwner: false,
  heirKeys: false,
  generated: false,
  openPolicy: false,
  tidyTrigger: false,
};

function drawKind(draw: Draw, layout: Layout): IdKind {
  if (layout === 'plain') return draw.of<IdKind>(['text', 'text', 'uuid', 'number', 'identity', 'always', 'shared', 'pair']);
  if (layout === 'list') return draw.of<IdKind>(['text', 'uuid', 'number']);
  return draw.of<IdKind>(['text', 'text', 'uuid', 'number', 'shared']);
}

/** Where the database makes ids, only a unique tag tells a seeded row. */
function drawTag(draw: Draw, kind: IdKind, layout: Layout): TableModel['tag'] {
  if (layout !== 'plain' && layout !== 'inherits') return 'plain';
  if (['identity', 'always', 'shared'].includes(kind)) return 'unique';
  return draw.of<TableModel['tag']>([
    'plain',
    'plain',
    'unique',
    'deferrable',
    'expression',
    'partial',
    'not distinct',
    'exclusion',
    'temporal',
  ]);
}
