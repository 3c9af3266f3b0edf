import { execFileSync } from 'node:child_process';
import { chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { keep } from '../../examples/servers/keep.js';
import { type PreparedPostgres, preparePostgres } from '../../examples/servers/postgres.js';

/** A primary and a hot standby that follows it by streaming replication. */
export interface PrimaryAndStandby {
  /** The superuser's URL of the database `postgres` of the one that is written to. */
  readonly primary: string;
  /** The same at the one that only shows what it has received. */
  readonly standby: string;
  /** Ends the primary at once, with what it had not sent yet, and makes a primary of the standby. */
  failOver(): Promise<void>;
}

/** Starts both; they are gone when the test is over. */
export async function startPrimaryAndStandby(): Promise<PrimaryAndStandby> {
  const prepared = [await preparePostgres(), await preparePostgres()] as const;
  const [first, second] = prepared;
  await serve(first);
  await copyData(first, second);
  const { hostname, port, password } = new URL(first.url('postgres'));
  writeFileSync(join(second.folder, 'data', 'standby.signal'), '');
  const conninfo = `host=${hostname} port=${port} user=postgres password=${password}`;
  await serve({ ...second, command: [...second.command, '-c', `primary_conninfo=${conninfo}`] });
  const standby = new URL(second.url('postgres'));
  standby.password = password;
  return {
    primary: first.url('postgres'),
    standby: standby.toString(),
    async failOver() {
      process.kill(Number(readFileSync(join(first.folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGQUIT');
      await promote(standby.toString());
    },
  };
}

/** Makes a primary of a standby, and waits until it is one. */
export async function promote(standby: string): Promise<void> {
  const client = new pg.Client({ connectionString: standby });
  client.on('error', () => undefined);
  await client.connect();
  // It replays what it has first, which ends queries that stand in its way.
  await client.query('SELECT pg_promote(false)');
  const follows = () =>
    client.query('SELECT pg_is_in_recovery() AS follows').then(
      ({ rows }) => rows[0].follows,
      () => true,
    );
  await expect.poll(follows, { timeout: 60_000 }).toBe(false);
  await client.end();
}

async function serve({ command, folder, isReady, owner }: PreparedPostgres): Promise<void> {
  const kept = await keep(command, folder, isReady, owner);
  onTestFinished(() => kept.stop());
}

/** What pg_basebackup does, by hand. */
async function copyData(from: PreparedPostgres, to: PreparedPostgres): Promise<void> {
  const client = new pg.Client({ connectionString: from.url('postgres') });
  await client.connect();
  const [source, target] = [join(from.folder, 'data'), join(to.folder, 'data')];
  await client.query("SELECT pg_backup_start('standby', fast => true)");
  rmSync(target, { recursive: true });
  execFileSync('cp', ['-Rp', source, target]);
  rmSync(join(target, 'postmaster.pid'));
  const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)');
  const label = join(target, 'backup_label');
  writeFileSync(label, rows[0].labelfile);
  if (to.owner) chownSync(label, to.owner.uid, to.owner.gid);
  await client.end();
}
