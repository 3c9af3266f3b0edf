import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { workplace } from '../support/loadctl.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
const canMount = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;

const system = ['root:x:0:0::/root:/bin/bash', 'sync:x:4:65534::/bin:/bin/sync', 'postgres:x:101:104::/var/lib/postgresql:/bin/bash'];
const noLogin = 'backup:x:1004:1004::/home/backup:/usr/sbin/nologin';
const person = (name: string, uid: number) => `${name}:x:${uid}:${uid}::/home/${name}:/bin/zsh`;

test.runIf(canMount).each([
  { accounts: [...system, noLogin], state: 'good', said: 'no other account can log in here' },
  { accounts: [...system, person('ann', 1000)], state: 'low', said: '1 other one can log in here (ann)' },
  {
    accounts: ['a\u001b[2J', 'b', 'c', 'd'].map((name, index) => person(name, 1000 + index)),
    state: 'low',
    said: '4 others can log in here (a\u001b[2J, b, c, …)',
  },
])('doctor says who else could read what setup() returns: $said', ({ accounts, state, said }) => {
  const place = workplace({ passwd: `${accounts.join('\n')}\n` });
  const doctor = (...args: string[]) => {
    const script = 'mount --bind "$1/passwd" /etc/passwd && shift && exec "$@"';
    const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
    const call = ['--mount', 'sh', '-c', script, 'sh', place.folder, process.execPath, bin, 'doctor', ...args];
    return spawnSync('unshare', call, { cwd: place.folder, encoding: 'utf8', env: { PATH, HOME, LOADCTL_K6 } });
  };
  const { findings } = JSON.parse(doctor('--json').stdout) as { findings: { what: string; state: string; said: string; more?: string }[] };
  const found = findings.find(({ what }) => what === 'accounts');
  expect(found).toMatchObject({ state, said });
  expect(found?.more?.includes('can read what setup() returns') ?? false).toBe(state === 'low');
  const shown = doctor();
  expect([shown.status, shown.stdout.includes('\u001b')]).toEqual([0, false]);
});
