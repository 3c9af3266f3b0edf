import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fleetPlace, loadOf } from '../support/fleet-place.js';
import { startTarget } from '../support/target.js';

const listening = '0A';
/** 127.0.0.1, as /proc/net/tcp has it. */
const loopback = '0100007F';

/** The addresses that a process listens on by TCP, by the kernel: `0100007F:1F90`. */
function listensOn(pid: number): string[] {
  const inodes = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  });
  const rows = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').trim().split('\n').slice(1));
  return rows.flatMap((row) => {
    const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
    return state === listening && inodes.includes(inode) ? [local] : [];
  });
}

test.runIf(process.platform === 'linux')(
  'every k6 listens on loopback alone, so that no other machine can ask for what setup() returned',
  async () => {
    const at = fleetPlace(await startTarget(), { runners: 'count: 2' });
    const run = at.start(['run', '--env', 'dev']);
    await at.event(loadOf(1000));
    const pids = at.events().flatMap(({ type, pid }) => (type === 'runner-started' ? [Number(pid)] : []));

    const addresses = pids.map(listensOn);

    run.process.kill('SIGTERM');
    await run.said;
    expect(addresses).toEqual([[expect.stringMatching(`^${loopback}:`)], [expect.stringMatching(`^${loopback}:`)]]);
  },
);
