import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget, type Target } from '../support/target.js';

const script = `
import http from 'k6/http';
import { sleep } from 'k6';
const held = [];
export default () => {
  http.get(__ENV.BASE_URL + '/work');
  if (__ENV.HUNGRY === __ENV.LOADCTL_RUNNER) held.push(new Uint8Array(20e6).fill(1));
  sleep(0.02);
};
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }
`;

function place(target: Target, duration: string, k6 = 'exec "$K6" "$@"'): Workplace {
  const at = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js, vus: 4, duration: ${duration}}\nrunners: {count: 2}\nsla: {errors: < 1%}\n`,
    'script.js': script,
    'k6.sh': `#!/bin/sh\nK6='${process.env.LOADCTL_K6 ?? 'k6'}'\nrunner() { [ "$1" = run ] && [ "\${LOADCTL_RUNNER:-}" = 2 ]; }\n${k6}\n`,
  });
  chmodSync(join(at.folder, 'k6.sh'), 0o755);
  return at;
}

const withScript = (at: Workplace) => ({ LOADCTL_K6: join(at.folder, 'k6.sh') });

test('a runner out of memory: noticed, the others ended, torn down once, and the result is invalid', async () => {
  const target = await startTarget();
  const at = place(target, '60s', 'if runner "$@"; then ulimit -v 1500000; fi\nexec "$K6" "$@"');

  const said = await at.loadctl(['run', '--env', 'dev', '-e', 'HUNGRY=2'], withScript(at));

  expect(said, said.stderr).toMatchObject({ code: 111 });
  expect(said.stdout).toMatch(/Runner 2 was lost/);
  expect(target.hits.get('GET /torn-down')).toBe(1);
  expect(k6Processes(at.folder)).toBe('');
});

test('a REST port that is taken between two looks at it: another one is used', async () => {
  const target = await startTarget();
  const occupy = `
if runner "$@" && [ ! -e taken ]; then
  : >taken
  for word in "$@"; do case $word in 127.0.0.1:*) port=\${word#127.0.0.1:} ;; esac; done
  node -e "const s = require('net').createServer().listen($port, '127.0.0.1', () => { require('fs').writeFileSync('listening', ''); setTimeout(() => s.close(), 3000); })" &
  while [ ! -e listening ]; do sleep 0.05; done
fi
exec "$K6" "$@"`;
  const at = place(target, '1s', occupy);

  const said = await at.loadctl(['run', '--env', 'dev'], withScript(at));

  expect(said, said.stderr).toMatchObject({ code: 0 });
  expect(() => at.read('taken')).not.toThrow();
  expect(JSON.parse(readFileSync(join(at.latestRun(), 'summary.json'), 'utf8'))).toMatchObject({ runners: 2 });
});

test('a runner killed in the last second is lost all the same', async () => {
  const target = await startTarget();
  const at = place(target, '4s');
  const run = at.start(['run', '--env', 'dev'], withScript(at));
  await expect
    .poll(() => events(at).some((event) => (event.elapsedMs ?? 0) >= 3000 && event.type === 'fleet-sampled'), { timeout: 20_000 })
    .toBe(true);
  process.kill(events(at).find((event) => event.type === 'runner-started' && event.runner === '2')?.pid ?? 0, 'SIGKILL');

  const said = await run.said;

  expect(said, said.stderr).toMatchObject({ code: 111 });
  expect(said.stdout).toContain('Runner 2 was lost (killed by SIGKILL)');
  expect(target.hits.get('GET /torn-down')).toBe(1);
});

interface RunEvent {
  readonly type: string;
  readonly runner?: string;
  readonly pid?: number;
  readonly elapsedMs?: number;
}

function events(at: Workplace): RunEvent[] {
  try {
    const lines = readFileSync(join(at.latestRun(), 'events.ndjson'), 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as RunEvent);
  } catch {
    return []; // the run has no directory yet
  }
}

function k6Processes(folder: string): string {
  const all = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' });
  return all
    .split('\n')
    .filter((line) => line.includes(folder) && line.includes('--execution-segment'))
    .join('\n');
}
