import { setTimeout as passes } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Receipt } from '../../../src/core/receipt.js';
import { cleanup } from '../../../src/phases/data/cleanup.js';
import { seed } from '../../../src/phases/data/seed.js';
import { type DataProfile, dataContext, type Machine } from '../../servers/data-context.js';
import type { Strike } from '../../support/keyspace.js';
import { type Said, type Workplace, workplace } from '../../support/loadctl.js';

/** A keyspace's two commands. */
export interface Commands {
  seed(): Promise<void>;
  cleanup(): Promise<Receipt>;
}

/** Both in this process, on one machine. */
export function commandsHere(parts: DataProfile): Commands {
  const machine: Machine = {};
  return {
    async seed() {
      await seed(dataContext(parts, { machine }));
    },
    async cleanup() {
      const { receipt, reasons } = await cleanup(dataContext(parts, { machine }), { dryRun: false, seeded: true });
      expect(reasons).toEqual(receipt.proven ? [] : ['cleanup-not-proven']);
      return receipt;
    },
  };
}

const args = { seed: ['seed', '--env', 'dev'], cleanup: ['cleanup', '--env', 'dev', '--seeded', '--json'] };

/** Both as processes, of which one is struck, and then run again. */
export function struckCommands(parts: DataProfile, strike: Strike): Commands {
  const profile = { target: { url: 'http://127.0.0.1:1' }, workload: { script: '../script.js' }, ...parts };
  const at = workplace({ 'profiles/dev.yaml': JSON.stringify(profile), 'script.js': '' });
  const run = async (name: Strike['command']): Promise<Said> => {
    if (strike.command === name) await struck(at, strike);
    return at.loadctl(args[name]);
  };
  return {
    async seed() {
      const { code, stderr } = await run('seed');
      expect(code, stderr).toBe(0);
    },
    async cleanup() {
      const { code, stdout, stderr } = await run('cleanup');
      expect([0, 113], stderr).toContain(code);
      const receipt: Receipt = JSON.parse(stdout);
      expect(receipt.proven).toBe(code === 0);
      return receipt;
    },
  };
}

/** Ends a command so long after it has said something; Ctrl-C ends it soon. */
async function struck(at: Workplace, { command, signal, ms }: Strike): Promise<void> {
  const { process: child, said, until } = at.start(args[command]);
  await Promise.race([until(/./), said]);
  await Promise.race([passes(ms), said]);
  const struckAt = performance.now();
  child.kill(signal);
  const { code, stderr } = await said;
  if (signal === 'SIGKILL') return;
  expect([0, 105, ...(command === 'cleanup' ? [113] : [])], stderr).toContain(code);
  expect(performance.now() - struckAt).toBeLessThan(5000);
}
