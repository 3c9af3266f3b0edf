import { ddlOf } from './ddl.js';
import { type Draw, drawFrom } from './draw.js';
import type { Hazard } from './hazard.js';
import { drawHazards } from './hazards.js';
import { drawModel } from './make-model.js';
import { type Cycle, quote, type SchemaModel, sqlName } from './model.js';
import { type Profile, profileOf } from './profile.js';
import { alikeIds, insertSql } from './rows.js';

/** A signal that strikes a command, so long after it has reached the database. */
export interface Strike {
  readonly command: 'seed' | 'cleanup';
  readonly signal: 'SIGKILL' | 'SIGINT';
  readonly ms: number;
}

/** All that a seed decides. */
export interface SchemaPlan {
  readonly seed: number;
  readonly model: SchemaModel;
  readonly hazards: readonly Hazard[];
  readonly profile: Profile;
  readonly receipt: string;
  /** Statements in order: the schema, rows of others. */
  readonly schema: readonly string[];
  readonly others: readonly string[];
  /** What the application has written before the cleanup, and how many transactions more it does while that works. */
  readonly application: readonly string[];
  readonly transactions: number;
  readonly strike?: Strike;
  /** A transaction of the application's that begins before the cleanup and ends while that works. */
  readonly open?: Open;
}

/** A transaction that is left open, or prepared, for so long. */
interface Open {
  readonly sql: string;
  readonly isPrepared: boolean;
  readonly ms: number;
}

/** The plan of a seed: the same one every time. */
export function schemaPlan(seed: number): SchemaPlan {
  const draw = drawFrom(seed);
  const model = drawModel(draw);
  const hazards = draw.chance(0.28) ? drawHazards(model, draw) : [];
  const { seed: sets, rows } = profileOf(model, draw);
  const part = (name: 'schema' | 'before' | 'rows') => hazards.flatMap((hazard) => hazard[name] ?? []);
  const strike = draw.chance(1 / 3) ? { strike: drawStrike(draw) } : {};
  return {
    seed,
    model,
    hazards,
    profile: { seed: Object.assign({ ...sets }, ...hazards.map((hazard) => hazard.seed ?? {})), rows: [...rows, ...part('rows')] },
    receipt: draw.of(['off', 'count', 'full', 'full']),
    schema: [...ddlOf(model), ...part('schema').map(String)],
    others: [...othersSql(model), ...model.cycles.flatMap((cycle) => backSql(cycle, model)), ...part('before').map(String)],
    application: applicationSql(model, draw.chance(0.06)),
    transactions: draw.int(0, 40),
    ...strike,
    ...drawOpen(model, draw),
  };
}

function drawOpen(model: SchemaModel, draw: Draw): Pick<SchemaPlan, 'open'> {
  const listed = model.tables.filter(({ entry }) => entry !== undefined);
  if (listed.length === 0 || !draw.chance(0.15)) return {};
  const sql = insertSql(model, draw.of(listed), { who: 'test', from: 700_001, to: 700_002 });
  return { open: { sql, isPrepared: draw.chance(0.5), ms: draw.int(0, 600) } };
}

function drawStrike(draw: Draw): Strike {
  return { command: draw.of(['seed', 'cleanup']), signal: draw.of(['SIGKILL', 'SIGINT']), ms: draw.int(0, draw.of([250, 1500])) };
}

/** Rows that are there before anybody tests: eight of each table, some in what inherits from it, and those that look like seeded ones. */
function othersSql(model: SchemaModel): string[] {
  return model.tables.flatMap((table) => {
    const ids = alikeIds(table);
    return [
      insertSql(model, table, { who: 'other', from: 1, to: 8 }),
      ...table.heirs.map((heir, index) => insertSql(model, table, { who: 'other', heir, from: 10 + 5 * index, to: 13 + 5 * index })),
      ...(ids.length === 0 ? [] : [insertSql(model, table, { who: 'other', from: 30, to: 30 + ids.length, ids })]),
    ];
  });
}

/** Others' rows point back at others' rows. */
function backSql({ from, to }: Cycle, { tables }: SchemaModel): string[] {
  const [table, target] = [tables[from], tables[to]];
  if (table === undefined || target === undefined) return [];
  const only = target.layout === 'inherits' ? 'ONLY ' : '';
  const one = `SELECT ${quote(target.id.columns[0] ?? 'id')} FROM ${only}${sqlName(target)} WHERE who = 'other' ORDER BY 1 LIMIT 1`;
  return [`UPDATE ${sqlName(table)} SET back = (${one}) WHERE who = 'other' AND price < 5`];
}

/** Rows of the test, parents first; in few schemas so many that whole pages are theirs. */
function applicationSql(model: SchemaModel, isMuch: boolean): string[] {
  const listed = model.tables.filter(({ entry }) => entry !== undefined);
  return listed.flatMap((table, place) => {
    const many = isMuch && place === 0 ? 7000 : 12;
    return [
      insertSql(model, table, { who: 'test', from: 500_001, to: 500_000 + many }),
      ...table.heirs.map((heir, index) =>
        insertSql(model, table, { who: 'test', heir, from: 490_000 + 10 * index, to: 490_004 + 10 * index }),
      ),
    ];
  });
}
