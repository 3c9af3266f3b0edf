import type { Hazard, StoreTask } from '../../kind/types.js';
import { hidingTables } from '../catalog/hindrances.js';
import { missingPermissions } from '../catalog/permissions.js';
import { lookAtSequences } from '../catalog/sequences.js';
import type { Table } from '../catalog/tables.js';
import type { Session } from '../connection/session.js';
import type { Looking } from '../pages/look.js';
import type { SeededRows } from '../rows/seeded-rows.js';
import type { Target } from '../selection/targets.js';
import type { CleanedDatabase } from './cleaned-database.js';
import { lookAtNumbers, unrecordedNumbers } from './number-ranges.js';
import type { Listed } from './order.js';
import { lookAtReferences } from './references.js';
import type { Doubt } from './what-stays.js';

interface Hindered {
  readonly hindrances: ReadonlyMap<number, Hazard>;
}

/** What stands against entries: the schema, the role, and what only seems to be the test's. */
export async function standingAgainst(looking: Looking, { hindrances, ...listed }: Hindered & Listed) {
  const { session } = looking;
  const look = await lookAtReferences(looking, listed);
  const unreadable = await unreadableParents(session, listed.targets);
  const hazards = new Map<Target, Hazard>();
  for (const target of listed.targets) {
    const { table, numbers, doubt } = target;
    const [near] = numbers === undefined ? [] : (await lookAtSequences(session, numbers)).hazards;
    const uncertain =
      doubt === undefined ? undefined : { message: `${session.place.name}: ${doubt}`, hint: 'Name a column: `column: …, in: SET.COLUMN`.' };
    const hazard = hindrances.get(table.oid) ?? unreadable.get(target) ?? uncertain ?? near ?? look.hazards.get(table.oid);
    if (hazard !== undefined) hazards.set(target, hazard);
  }
  return { hazards, notes: look.notes };
}

/** Of entries whose rows are found through others: where the role may not read those. */
async function unreadableParents(session: Session, targets: readonly Target[]): Promise<Map<Target, Hazard>> {
  const needed = targets.flatMap((target) =>
    target.through === undefined ? [] : [{ target, table: target.through.key.parent, permissions: ['SELECT'] as const }],
  );
  return new Map([...(await missingPermissions(session, needed))].map(([{ target }, hazard]) => [target, hazard]));
}

/** Why rows of sets are to stay, whoever's they are. */
export async function doubtsOf(
  session: Session,
  task: StoreTask,
  { seeded, hindrances }: Hindered & { readonly seeded: readonly SeededRows[] },
): Promise<Map<SeededRows, Doubt>> {
  const doubts = new Map<SeededRows, Doubt>();
  for (const rows of seeded) {
    const [near] = rows.own?.isBare ? (await lookAtNumbers(session, rows)).hazards : [];
    const hazard = hindrances.get(rows.table.oid) ?? near;
    const why = unrecordedNumbers(task, rows);
    if (hazard !== undefined) doubts.set(rows, { why: hazard.message, command: hazard.hint });
    else if (why !== undefined) doubts.set(rows, { why, command: 'clean up where the set was seeded, or remove them yourself' });
  }
  return doubts;
}

/** Entries whose rows may be of others, as nothing tells that they were seeded from here. */
export function unrecorded(targets: readonly Target[]): [Target, Hazard][] {
  return targets.flatMap((target): [Target, Hazard][] => {
    const { unrecorded: why } = target;
    return why === undefined
      ? []
      : [
          [
            target,
            { message: why, hint: 'Clean up where the set was seeded; remove yourself what was not looked at then, and seed again.' },
          ],
        ];
  });
}

/** Of rows that are found through others nothing is found where these are hidden; of a part that is read by itself its own policies count. */
export async function noteHidden({ session, targets, lines }: CleanedDatabase, tables: readonly Table[]): Promise<void> {
  const { place, address } = session;
  const read = new Map(tables.map(({ oid, inProfile }) => [oid, { oid, inProfile }]));
  for (const { through } of targets) {
    if (through === undefined) continue;
    const { parent, key } = through;
    for (const [oid, inProfile] of [
      [parent.oid, parent.inProfile],
      [key.parent.oid, key.parent.shown],
    ] as const)
      if (!read.has(oid)) read.set(oid, { oid, inProfile });
  }
  for (const table of await hidingTables(session, [...read.values()])) {
    const why = `row-level security may hide rows of it from the role ${place.role}, so whether any is left is unknown`;
    lines.push({
      kind: 'unknown',
      store: address.store,
      shard: address.shard,
      what: table.inProfile,
      count: null,
      why,
      command: 'clean up as a role with BYPASSRLS',
    });
  }
}
