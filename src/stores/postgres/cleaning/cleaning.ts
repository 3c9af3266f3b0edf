import type { PostgresStore } from '../../../profile/sections/schema.js';
import { together } from '../../kind/together.js';
import { addSwept, type CheckedCleaning, type Cleaning, nothingSwept, type StoreContext, type StoreTask } from '../../kind/types.js';
import { closeAll, openSessions } from '../connection/sessions.js';
import { sumUpOthers } from '../proof/others.js';
import { countBeside } from '../proof/replicas.js';
import { isCertain } from '../selection/targets.js';
import { addReports, emptyReport, reportOf } from './clean-report.js';
import { type CleanedDatabase, isUnknown } from './cleaned-database.js';
import { formerEntryLines } from './former-entries.js';
import { findSets } from './found-sets.js';
import { type Asked, type LookedAt, lookAtDatabase } from './look.js';
import { removedBefore } from './removed-before.js';
import { countTargets, sweepDatabase } from './sweep.js';
import { changedSets, keepSets, takeChangedSets, takeLeftSets, takeSets } from './take-sets.js';
import { waitForWriters, watchedBy } from './writers.js';

/** Connects to every database of the store. */
export async function openCleaning(config: PostgresStore, task: StoreTask, context: StoreContext): Promise<Cleaning> {
  const sessions = await openSessions(config, context);
  const asked = { config, task, context };
  return {
    async check({ seeded }) {
      return checked(await together(sessions, (session) => lookAtDatabase(session, asked, seeded)), asked);
    },
    close: () => closeAll(sessions),
  };
}

function checked(looked: readonly LookedAt[], { config, task, context }: Asked): CheckedCleaning {
  const databases = looked.map(({ database }) => database);
  const lookForFormer = async (database: CleanedDatabase) => {
    database.lines.push(...(await formerEntryLines(database, { config, task, context })));
  };
  return {
    hazards: looked.flatMap(({ hazards }) => hazards),
    tables: looked.flatMap(({ tables }) => tables),
    async count() {
      await together(databases, (database) => countTargets(database, database.targets, context));
    },
    async countSets() {
      return (await together(databases, (database) => findSets(database, context.clock))).flat();
    },
    async removedBefore() {
      return (await together(databases, (database) => removedBefore(database, context))).flat();
    },
    async sweep() {
      const swept = await together(databases, (database) => sweepDatabase(database, task, context));
      return swept.reduce(addSwept, nothingSwept);
    },
    async late(isLeft) {
      const late = await together(databases, (database) => waitForWriters(watchedBy(database, task), context, isLeft));
      return { seen: late.reduce((sum, { seen }) => sum + seen, 0), lines: late.flatMap(({ lines }) => lines) };
    },
    async takeSeeded(dryRun) {
      await together(databases, lookForFormer);
      await together(databases, (database) => takeSets(database, { task, context, dryRun }));
    },
    async takeLeft() {
      await together(databases, (database) => takeLeftSets(database, { task, context, dryRun: false }));
    },
    async keepSeeded() {
      await together(databases, lookForFormer);
      await together(databases, (database) => keepSets(database, task, context));
    },
    async changed() {
      return (await together(databases, (database) => changedSets(database, context))).flat();
    },
    async takeChanged(removed) {
      await together(databases, (database) => takeChangedSets(database, context, removed));
    },
    others: (proof) =>
      countBeside(
        config,
        databases.map((database) => {
          const { session, seeded, former } = database;
          const sets = [...seeded, ...former.map(({ rows }) => rows)];
          const targets = database.targets.filter((target) => isCertain(target) && !isUnknown(database, target));
          const wanted = { targets, seeded: sets, proof, clock: context.clock };
          return { session, count: (beside) => sumUpOthers(beside, wanted) };
        }),
        context,
      ),
    report: (dryRun) => databases.map((database) => reportOf(database, dryRun)).reduce(addReports, emptyReport),
  };
}
