import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('../../examples/bypass/go', import.meta.url));
const hasGo = spawnSync('go', ['version']).status === 0;

// Where CI must have Go, a missing one fails here instead of passing unseen.
test.skipIf(!hasGo && !process.env.CI)('the middleware in Go passes its own tests, on the same vectors', { timeout: 180_000 }, () => {
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOWORK: 'off' };
  const said = spawnSync('go', ['test', '-count=1', '-v', './...'], { cwd: folder, encoding: 'utf8', env });

  expect(said.error).toBeUndefined();
  expect(said.stdout + said.stderr).toContain('--- PASS: TestVectors/tampered_expiry');
  expect(said.status).toBe(0);
});
