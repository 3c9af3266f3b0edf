import { setTimeout as passes } from 'node:timers/promises';
import { Client } from 'pg';
import type { PostgresServer } from '../../servers/postgres.js';
import { asRole } from '../../servers/sql.js';
import { type Said, workplace } from '../../support/loadctl.js';
import { command, type Place, type Struck } from './command.js';
import { type Dump, dump, type Log } from './oracle.js';
import type { SchemaPlan } from './plan.js';
import { profileText } from './profile.js';
import { runLogged, startApplication, startOthers } from './writers.js';

/** The role that row security holds for. */
export const plainRole = { name: 'tester', password: 'tester' };

/** How a schema's test went. */
export interface Played {
  readonly seeded: Said;
  readonly cleaned: Said;
  readonly struck?: Struck;
  readonly before: Dump;
  /** Right after the seed. */
  readonly between: Dump;
  readonly after: Dump;
  readonly logs: readonly Log[];
  /** The transaction that was open when the cleanup began. */
  readonly open?: string;
}

/** Makes the schema in a database of its own, and seeds, writes and cleans up as its plan says. */
export async function play(server: PostgresServer, plan: SchemaPlan): Promise<Played> {
  const name = `schema${plan.seed}`;
  const url = await server.createDatabase(name);
  const clients = await Promise.all(['oracle', 'others', 'application', 'slow'].map((who) => connect(url, who)));
  const [oracle, others, application, slow] = clients;
  if (oracle === undefined || others === undefined || application === undefined || slow === undefined) throw new Error('no clients');
  try {
    await prepare(oracle, plan, new URL(url));
    const shown = plan.model.plainRole ? asRole(url, plainRole.name, plainRole.password) : url;
    const at = workplace({ 'profiles/dev.yaml': profileText(plan.profile, shown, plan.receipt), 'script.js': '' });
    return await work({ at, plan, oracle, others, application, slow });
  } finally {
    await Promise.all(clients.map((client) => client.end()));
    await dropDatabase(server, name);
  }
}

interface Stage extends Place {
  readonly others: Client;
  readonly application: Client;
  /** Holds a transaction open. */
  readonly slow: Client;
}

async function work(stage: Stage): Promise<Played> {
  const { plan, oracle, others, application } = stage;
  const { model, seed, hazards } = plan;
  const before = await dump(oracle);
  const busy = await startOthers(
    others,
    model,
    seed,
    hazards.flatMap(({ late = [] }) => late),
  );
  const logs: Log[] = [busy.log];
  const seeding = await command(stage, 'seed');
  const between = await dump(oracle);
  for (const sql of plan.application) await run(application, sql);
  logs.push(
    await runLogged(
      oracle,
      hazards.flatMap(({ after = [] }) => after),
    ),
  );
  const { xid, commit } = await leaveOpen(stage);
  const written: Promise<void>[] = [];
  const cleaning = await command(stage, 'cleanup', () => {
    written.push(commit());
    return startApplication(application, model, { seed: seed + 1, from: 600_000, most: plan.transactions });
  });
  await Promise.all([busy.stop(), ...written]);
  const struck = seeding.struck ?? cleaning.struck;
  const after = await dump(oracle);
  return {
    seeded: seeding.said,
    cleaned: cleaning.said,
    before,
    between,
    after,
    logs,
    ...(struck === undefined ? {} : { struck }),
    ...(xid === undefined ? {} : { open: xid }),
  };
}

/** Begins the plan's open transaction; `commit` ends it after its time. */
async function leaveOpen({ slow, plan: { open } }: Stage): Promise<{ readonly xid?: string; commit(): Promise<void> }> {
  if (open === undefined) return { commit: () => Promise.resolve() };
  await slow.query('BEGIN');
  await slow.query(open.sql);
  const { rows } = await slow.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
  if (open.isPrepared) await slow.query("PREPARE TRANSACTION 'slow'");
  const commit = async () => {
    await passes(open.ms);
    await slow.query(open.isPrepared ? "COMMIT PREPARED 'slow'" : 'COMMIT');
  };
  return { ...rows[0], commit };
}

async function prepare(client: Client, { schema, others, model }: SchemaPlan, { port, password, pathname }: URL): Promise<void> {
  const here = (sql: string) => sql.replace('@port@', port).replace('@password@', password).replace('@database@', pathname.slice(1));
  for (const sql of schema) await run(client, here(sql));
  if (model.plainRole)
    for (const kind of ['TABLES', 'SEQUENCES'])
      for (const name of ['public', '"Sales"'])
        await run(
          client,
          `GRANT USAGE ON SCHEMA ${name} TO ${plainRole.name}; GRANT ALL ON ALL ${kind} IN SCHEMA ${name} TO ${plainRole.name}`,
        );
  for (const sql of others) await run(client, sql);
}

/** A mistake of the generator's names its statement. */
async function run(client: Client, sql: string): Promise<void> {
  await client.query(sql).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}: ${sql}`);
  });
}

async function connect(url: string, who: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: who });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function dropDatabase(server: PostgresServer, name: string): Promise<void> {
  const client = await connect(server.url, 'oracle');
  await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await client.end();
}
