import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { agentCommand, runOrder } from '../../src/runners/ssh/agent-script.js';

/** Every kind of POSIX shell that is here: the hosts' `sh` can be any of them. */
const kinds = ['dash', 'bash', 'busybox', 'ksh', 'mksh', 'yash'];
const shells = kinds
  .map((name) => ({ name, path: spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim() }))
  .filter(({ path }) => path !== '');

interface Agent {
  readonly process: ChildProcess;
  readonly temp: string;
  order(text: string): void;
  /** Resolves with the first line that fits, said already or later. */
  says(pattern: RegExp): Promise<string>;
}

/** Starts an agent in this shell; shells behave differently when they are called `sh`. */
function startAgent(shell: string): Agent {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl agent-'));
  const temp = join(folder, 'tmp');
  mkdirSync(temp);
  symlinkSync(shell, join(folder, 'sh'));
  const { stdin = '', args } = agentCommand({ token: 'token', k6: 'no-such-k6', keep: false });
  const child = spawn(join(folder, 'sh'), args.slice(1), {
    env: { PATH: process.env.PATH, TMPDIR: temp },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await expect.poll(() => readdirSync(temp), { timeout: 6000 }).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  });
  child.stdin.on('error', () => {});
  child.stdin.write(stdin);
  const said: string[] = [];
  const listeners = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(line);
    for (const listener of listeners) listener();
  });
  const says = (pattern: RegExp) =>
    new Promise<string>((resolve) => {
      const look = () => {
        const line = said.find((text) => pattern.test(text));
        if (line === undefined) return;
        listeners.delete(look);
        resolve(line);
      };
      listeners.add(look);
      look();
    });
  return { process: child, temp, order: (text) => child.stdin.write(text), says };
}

const sleeper = (id: string) => runOrder(id, { file: 'sleep', args: ['60'] });
const isAlive = (pid: number) => spawnSync('kill', ['-0', String(pid)]).status === 0;
const pidIn = (line: string) => Number(line.split(' ')[2]);

test.each(shells)('$name: orders are carried out, and ends are told by status and signal', async ({ path }) => {
  const { process: agent, temp, order, says } = startAgent(path);
  expect(await says(/^fact platform /)).toMatch(/^fact platform \S+ \S+$/);
  expect(await says(/^ready /)).toBe(`ready ${temp}/loadctl-token`);
  order('\n');
  await says(/^beat$/);
  order(runOrder('1', { file: 'sh', args: ['-c', '[ "$SECRET" = "it\'s \\$HOME" ] && exit 7'], env: { SECRET: "it's $HOME" } }));
  await says(/^ended 1 7$/);
  order(sleeper('2'));
  await says(/^started 2 /);
  order('end 2\n');
  await says(/^ended 2 143$/);
  order(sleeper('3'));
  const sleeping = pidIn(await says(/^started 3 /));
  order('look\n');
  await says(/^looked$/);
  expect(await says(/^seen process-3 /)).toMatch(new RegExp(`^seen process-3 ${sleeping} \\(`));
  expect(await says(/^seen machine cpu0 /)).toMatch(/ \d+ \d+$/);
  expect(await says(/^seen memory MemAvailable:/)).toMatch(/ \d+ kB$/);
  order('kill 3\n');
  await says(/^ended 3 137$/);
  order(`${sleeper('4')}bye\n`);
  const pid = pidIn(await says(/^started 4 /));
  await expect.poll(() => agent.exitCode).not.toBeNull();
  expect(readdirSync(temp)).toEqual([]);
  await expect.poll(() => isAlive(pid)).toBe(false);
});

test.each(shells)(
  '$name: without heartbeats all is ended and taken away within 5 s, also where the agent itself was killed',
  async ({ path }) => {
    const agents = [startAgent(path), startAgent(path)];
    const pids = await Promise.all(
      agents.map(async ({ order, says }) => {
        await says(/^ready /);
        order(sleeper('1'));
        return pidIn(await says(/^started 1 /));
      }),
    );
    const begun = Date.now();
    agents[1]?.process.kill('SIGKILL');
    await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => agents.flatMap(({ temp }) => readdirSync(temp)), { timeout: 2000 }).toEqual([]);
    expect(Date.now() - begun).toBeLessThan(5000);
  },
);
