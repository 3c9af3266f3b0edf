import { spawn } from 'node:child_process';
import { chownSync, copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget } from '../support/target.js';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));
/** A user that no passwd file knows. */
const nobody = 12345;

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

function asNobody({ folder }: Workplace, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    uid: nobody,
    gid: nobody,
    env: { PATH: process.env.PATH, TMPDIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said })));
}

test.runIf(process.getuid?.() === 0)('without HOME and without a passwd entry (docker run --user 12345) everything works', async () => {
  const target = await startTarget();
  const place = workplace({
    'profiles/dev.yaml': `target: {url: "${target.url}"}\nworkload: {script: ../script.js, vus: 2, duration: 1s}\nrunners: {count: 2}\n`,
    'script.js': `import http from 'k6/http';\nexport default () => { http.get(__ENV.BASE_URL + '/work'); };`,
  });
  const k6 = join(place.folder, 'k6-of-its-own');
  copyFileSync(process.env.LOADCTL_K6 ?? '', k6);
  for (const name of ['', ...readdirSync(place.folder, { recursive: true, encoding: 'utf8' })])
    chownSync(join(place.folder, name), nobody, nobody);

  expect(await asNobody(place, ['--version'])).toEqual({ code: 0, said: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  expect((await asNobody(place, ['run', '--help'])).code).toBe(0);
  expect((await asNobody(place, ['plan', '--env', 'dev'])).code).toBe(0);
  const ran = await asNobody(place, ['run', '--env', 'dev'], { LOADCTL_K6: k6 });
  expect(ran.code, ran.said).toBe(0);
  expect(target.hits.get('GET /work')).toBeGreaterThan(1);
});
