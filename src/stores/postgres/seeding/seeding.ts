import { unlessAborted } from '../../../core/abort.js';
import type { SeededStep } from '../../../core/events.js';
import type { Milliseconds } from '../../../core/quantities.js';
import { callAfter } from '../../../core/timer.js';
import type { PostgresStore } from '../../../profile/sections/schema.js';
import { afterGrace } from '../../kind/after-grace.js';
import { together } from '../../kind/together.js';
import { addConflicts, noConflicts, type Seeding, type StoreContext, type StoreTask } from '../../kind/types.js';
import { type Asked, reached } from '../cleaning/look.js';
import type { Session } from '../connection/session.js';
import { closeAll, keepQuiet, limits, openSessions, openWorkSession } from '../connection/sessions.js';
import { sumUpOthers } from '../proof/others.js';
import { countBeside } from '../proof/replicas.js';
import { findTargets, isCertain } from '../selection/targets.js';
import { checkSets } from './check.js';
import { type Database, stateOf } from './database.js';
import { prepare } from './prepare.js';
import { askForSent, takeBackFrom } from './take-back.js';
import { tellSet } from './tell-set.js';

/** So many connections write at the same time: in all databases of a store together, and in one; one in each where there are more. */
const writersAtOnce = { together: 4, inOne: 2 };
/** What an interrupt waits for to know what is in. */
const askMs: Milliseconds = 1000;

/** Connects to every database of the store. */
export async function openSeeding(config: PostgresStore, task: StoreTask, outer: StoreContext): Promise<Seeding> {
  const { signal, over } = afterGrace(outer);
  /** Statements are ended by this one's signal; what begins the next one looks at the signal of `outer`. */
  const inner = { ...outer, signal };
  const sessions = await openSessions(config, inner);
  const databases = sessions.map((session): Database => ({ session, helpers: [], sets: [], former: [], isBegun: false }));
  const asked: Asked = { config, task, context: outer };
  return {
    async check() {
      const found = await together(databases, (database) => checkDatabase(database, databases.length, asked));
      const tables = await together(databases, ({ session, sets }) =>
        reached(
          session,
          sets.map(({ rows }) => rows),
        ),
      );
      return {
        conflicts: found.reduce(addConflicts, noConflicts),
        tables: tables.flat(),
        others: (proof) =>
          countBeside(
            config,
            databases.map((database) => counting(database, asked, proof)),
            inner,
          ),
        ready: () => openWriters(databases, inner),
        write: (set) => writeEverywhere(databases, set, asked),
        state: () => states(databases, inner),
        async takeBack() {
          await together(databases, (database) => takeBackFrom(database, asked, inner));
        },
      };
    },
    async close() {
      over();
      await closeAll([...sessions, ...databases.flatMap(({ helpers }) => helpers)]);
    },
  };
}

async function checkDatabase(database: Database, databases: number, asked: Asked) {
  await prepare(database, asked);
  await keepQuiet(database.session, limits.short);
  return checkSets(database, databases > 1 ? Number.POSITIVE_INFINITY : 0, asked.context);
}

function counting(
  { session, sets, former }: Database,
  { config, task, context }: Asked,
  proof: Parameters<typeof sumUpOthers>[1]['proof'],
) {
  return {
    session,
    count: async (beside: Session) => {
      const targets = (await findTargets(beside, config, task)).filter(isCertain);
      return sumUpOthers(beside, { targets, seeded: [...sets.map(({ rows }) => rows), ...former], proof, clock: context.clock });
    },
  };
}

async function openWriters(databases: readonly Database[], context: StoreContext): Promise<void> {
  const each = Math.min(writersAtOnce.inOne, Math.floor(writersAtOnce.together / databases.length));
  await together(databases, async ({ session, helpers }) => {
    for (let more = 1; more < each; more++) helpers.push(await openWorkSession(session.address, context, limits.short));
    await session.query('SELECT 1');
  });
}

async function writeEverywhere(databases: readonly Database[], name: string, { task, context }: Asked): Promise<SeededStep[]> {
  const failed = new AbortController();
  const writing = { context: { ...context, signal: AbortSignal.any([context.signal, failed.signal]) }, pauseMs: task.pauseMs };
  const write = async (database: Database) => {
    const set = database.sets.find(({ rows }) => rows.set.name === name);
    return set === undefined ? [] : [await tellSet(database, set, writing)];
  };
  return (await together(databases, write, (error) => failed.abort(error))).flat();
}

/** Where the end of a transaction was not heard of the server is asked for it, for a moment. */
async function states(databases: readonly Database[], context: StoreContext) {
  const enough = new AbortController();
  const keep = callAfter(context.clock, askMs, () => enough.abort());
  const moment = { ...context, signal: enough.signal };
  const ask = async ({ session: { address }, sets }: Database) => {
    const unclear = sets.filter(({ unknown }) => unknown.length > 0);
    if (unclear.length === 0) return;
    const session = await openWorkSession(address, moment);
    for (const set of unclear) await askForSent(session, set, moment).catch(() => undefined);
    await session.close();
  };
  await unlessAborted(Promise.allSettled(databases.map(ask)), enough.signal);
  keep();
  return databases.flatMap(stateOf);
}
