import type { Draw } from './draw.js';
import { anyTable, type Hazard, type Making, single } from './hazard.js';
import { idType, isTested, prefix, quote, sqlName, type TableModel } from './model.js';

const trigger = (name: string, table: TableModel, event: string, body: string) => [
  `CREATE FUNCTION "${name}"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$`,
  `CREATE TRIGGER "${name}" BEFORE ${event} ON ${sqlName(table)} FOR EACH ROW EXECUTE FUNCTION "${name}"()`,
];

/** Schemas that stand in the way. */
export const schemaHazards: Record<string, Making> = {
  'partition that others reference': (model, draw) => {
    const table = anyTable(model, draw, (one) => ['hash', 'range'].includes(one.layout) && isTested(one) && single(one));
    if (table === undefined) return undefined;
    const part = `${table.name}_${table.layout === 'hash' ? 'h0' : 'low'}`;
    return atPart(table, draw, part, 'partition that others reference');
  },
  'trigger keeps rows': (model, draw) => {
    const table = anyTable(model, draw, (one) => isTested(one));
    if (table === undefined) return undefined;
    return {
      kind: 'trigger keeps rows',
      codes: [113],
      names: [table.name, 'keeper'],
      schema: trigger('keeper', table, 'DELETE', "IF OLD.who = 'test' THEN RETURN NULL; END IF; RETURN OLD;"),
    };
  },
  'trigger refuses deletes': (model, draw) => {
    const table = anyTable(model, draw, (one) => isTested(one));
    if (table === undefined) return undefined;
    const isOne = `OLD.who = 'test' AND md5(OLD.${quote(table.id.columns[0] ?? 'id')}::text) < '4'`;
    return {
      kind: 'trigger refuses deletes',
      codes: [113],
      names: [table.name, 'refuser'],
      schema: trigger('refuser', table, 'DELETE', `IF ${isOne} THEN RAISE EXCEPTION 'refuser keeps it'; END IF; RETURN OLD;`),
    };
  },
  'trigger swallows inserts': (model, draw) => {
    const table = anyTable(model, draw, ({ seeded }) => seeded !== undefined);
    if (table === undefined) return undefined;
    return {
      kind: 'trigger swallows inserts',
      codes: [114, 113],
      names: [table.name, 'swallower'],
      schema: trigger(
        'swallower',
        table,
        'INSERT',
        "IF NEW.who = 'test' AND NEW.note IS DISTINCT FROM 'app' AND NEW.price > 3 THEN RETURN NULL; END IF; RETURN NEW;",
      ),
    };
  },
  'trigger changes inserts': (model, draw) => {
    const table = anyTable(model, draw, ({ seeded }) => seeded !== undefined);
    if (table === undefined) return undefined;
    return {
      kind: 'trigger changes inserts',
      codes: [114, 113],
      names: [table.name, 'changer'],
      schema: trigger('changer', table, 'INSERT', "IF NEW.who = 'test' THEN NEW.price := 99.01; END IF; RETURN NEW;"),
    };
  },
  'row security hides': (model, draw) => {
    const table = model.plainRole ? anyTable(model, draw, (one) => isTested(one) && !one.flavour.openPolicy) : undefined;
    if (table === undefined) return undefined;
    const name = sqlName(table);
    return {
      kind: 'row security hides',
      codes: [112, 113, 114],
      names: [table.name, 'row-level security'],
      schema: [
        `ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`,
        `CREATE POLICY hides ON ${name} USING (${draw.of(["who = 'other'", "note IS DISTINCT FROM 'app'", "who = 'test'"])}) WITH CHECK (true)`,
      ],
    };
  },
  'rows that nothing tells': () => ({
    kind: 'rows that nothing tells',
    codes: [104, 113],
    names: ['alike'],
    schema: ['CREATE TABLE alike (no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text, word text)'],
    before: ["INSERT INTO alike (who, word) VALUES ('other', 'x'), ('other', 'x')"],
    seed: { alike: { table: 'db.alike', rows: 4, columns: { who: 'test', word: 'x' } } },
  }),
  'table without a key': () => ({
    kind: 'table without a key',
    codes: [104, 113],
    names: ['keyless'],
    schema: ['CREATE TABLE keyless (who text, word text)'],
    before: ["INSERT INTO keyless (who, word) VALUES ('other', 'k-0')"],
    seed: { keyless: { table: 'db.keyless', rows: 4, columns: { who: 'test', word: 'k-{n}' } } },
  }),
  'partition that is a foreign table': () => ({
    kind: 'partition that is a foreign table',
    codes: [112],
    names: ['spread', 'away'],
    schema: [
      'CREATE EXTENSION postgres_fdw',
      "CREATE SERVER there FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '@port@', dbname '@database@')",
      "CREATE USER MAPPING FOR PUBLIC SERVER there OPTIONS (user 'postgres', password '@password@')",
      'CREATE TABLE spread (who text, owner text, region text) PARTITION BY LIST (region)',
      "CREATE TABLE spread_eu PARTITION OF spread FOR VALUES IN ('eu')",
      'CREATE TABLE distant (who text, owner text, region text)',
      "CREATE FOREIGN TABLE spread_away PARTITION OF spread FOR VALUES IN ('away') SERVER there OPTIONS (table_name 'distant')",
    ],
    before: [
      "INSERT INTO distant SELECT 'other', 'real-' || g, 'away' FROM generate_series(1, 9) g",
      "INSERT INTO spread_eu SELECT 'other', 'real-' || g, 'eu' FROM generate_series(1, 9) g",
    ],
    after: [
      `INSERT INTO spread_eu SELECT 'test', '${prefix}' || g, 'eu' FROM generate_series(1, 9) g`,
      `INSERT INTO distant SELECT 'test', '${prefix}' || g, 'away' FROM generate_series(1, 9) g`,
    ],
    rows: [{ table: 'db.spread', column: 'owner' }],
  }),
  'heir of a seeded table': (model, draw) => {
    const table = anyTable(
      model,
      draw,
      (one) => one.layout === 'plain' && one.seeded !== undefined && one.id.kind === 'text' && !one.flavour.generated,
    );
    if (table === undefined) return undefined;
    return {
      kind: 'heir of a seeded table',
      codes: [104, 112, 113],
      names: [table.name, 'heiress'],
      schema: [`CREATE TABLE heiress () INHERITS (${sqlName(table)})`],
      before: [`INSERT INTO heiress SELECT x.* FROM ONLY ${sqlName(table)} AS x WHERE who = 'other'`],
    };
  },
  'heir that others reference': (model, draw) => {
    const table = anyTable(model, draw, (one) => one.layout === 'inherits' && isTested(one) && single(one));
    if (table === undefined) return undefined;
    return atPart(table, draw, draw.of(table.heirs), 'heir that others reference');
  },
};

/** Rows of others that reference a part of a table alone: rows of others there, and of the test. */
function atPart(table: TableModel, draw: Draw, name: string, kind: string): Hazard {
  const part = sqlName({ ...table, name });
  const id = quote(table.id.columns[0] ?? 'id');
  const action = draw.of(['CASCADE', 'SET NULL', 'NO ACTION']);
  const point = (who: string) => `INSERT INTO tail (who, at) SELECT 'other', ${id} FROM ONLY ${part} WHERE who = '${who}' LIMIT 2`;
  return {
    kind,
    codes: [112, 113],
    names: ['tail', name],
    schema: [`CREATE TABLE tail (no serial PRIMARY KEY, who text, at ${idType(table)} REFERENCES ${part} (${id}) ON DELETE ${action})`],
    before: [point('other')],
    after: [point('test')],
  };
}
