import { setTimeout as passes } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Said, Workplace } from '../../support/loadctl.js';
import type { SchemaPlan, Strike } from './plan.js';
import type { Writer } from './writers.js';

/** Where a command runs. */
export interface Place {
  readonly at: Workplace;
  readonly plan: SchemaPlan;
  readonly oracle: Client;
}

/** How a command ended that was struck, and how long after the signal. */
export type Struck = Said & { readonly afterMs: number };

interface Commanded {
  readonly said: Said;
  readonly struck?: Struck;
}

const args = { seed: ['seed', '--env', 'dev'], cleanup: ['cleanup', '--env', 'dev', '--seeded', '--json'] };

/** Runs a command to its end; where the plan strikes it, once more. An application that writes beside it does so from when it has reached the database. */
export async function command(stage: Place, name: Strike['command'], writing?: () => Writer): Promise<Commanded> {
  const { at, plan } = stage;
  const isStruck = plan.strike?.command === name;
  const { process: child, said } = at.start(args[name]);
  await Promise.race([reached(stage.oracle), said]);
  const writer = writing?.();
  if (plan.strike === undefined || !isStruck) {
    const ended = await said;
    await writer?.stop();
    return { said: ended };
  }
  const { signal, ms } = plan.strike;
  await Promise.race([passes(ms), said]);
  const struckAt = performance.now();
  child.kill(signal);
  const first = await said;
  const struck = { ...first, afterMs: performance.now() - struckAt };
  const second = await again(at, name);
  await writer?.stop();
  return { said: second, struck };
}

/** A session of loadctl is there. */
async function reached(client: Client): Promise<void> {
  const look = async () => {
    const { rows } = await client.query<{ there: boolean }>(
      "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'loadctl%') AS there",
    );
    return rows[0]?.there ?? false;
  };
  for (const until = performance.now() + 60_000; performance.now() < until && !(await look()); ) await passes(5);
}

/** The same command again. What is left of a killed one may hold the lock until its server notices. */
async function again(at: Workplace, name: Strike['command']): Promise<Said> {
  for (const until = performance.now() + 15_000; ; ) {
    const said = await at.loadctl(args[name]);
    if (said.code !== 112 || !said.stderr.includes('another loadctl') || performance.now() > until) return said;
  }
}
