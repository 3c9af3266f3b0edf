import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

const [plugin, global, imported] = ['plugin', 'lint/style/noRestrictedGlobals', 'lint/style/noRestrictedImports'];
const [lines, parameters] = ['lint/complexity/noExcessiveLinesPerFunction', 'lint/complexity/useMaxParams'];

const five = 'export const five = (a: 1, b: 1, c: 1, d: 1, e: 1) => a + b + c + d + e;';
const functionOf = (count: number) => `export function long() {\n${'  console.log(1);\n'.repeat(count)}}`;

test('the linter refuses every clock but the one in src/world.ts, and functions that are too long or take too much', () => {
  const refused: Readonly<Record<string, readonly [text: string, rule: string]>> = {
    'src/core/wall-clock.ts': ['export const at = () => Date.now();', plugin],
    'src/core/wall-clock-as-value.ts': ['export const stamps = [1].map(Date.now);', plugin],
    'src/core/today.ts': ['export const at = () => new Date();', plugin],
    'src/core/measure.ts': ['export const at = () => performance.now();', global],
    'src/core/timeout.ts': ['export const late = () => setTimeout(() => {}, 1);', global],
    'src/core/interval.ts': ['export const often = () => setInterval(() => {}, 1);', global],
    'src/core/immediate.ts': ['export const soon = () => setImmediate(() => {});', global],
    'src/core/back-door.ts': ['export const late = () => globalThis.setTimeout(() => {}, 1);', global],
    'src/core/deadline.ts': ['export const limit = () => AbortSignal.timeout(1);', plugin],
    'src/core/timers.ts': ["import { setTimeout as sleep } from 'node:timers/promises';\nexport const rest = () => sleep(1);", imported],
    'src/core/hooks.ts': ["import { performance as clock } from 'node:perf_hooks';\nexport const at = () => clock.now();", imported],
    'src/core/kept.ts': ['export const at = (clock: { stamp(): number }) => { const now = clock.stamp(); return now; };', plugin],
    'src/core/gap.ts': ['export const gap = (clock: { stamp(): number }, from: number) => [clock.stamp() - from];', plugin],
    'src/core/handed-on.ts': ['export const now = (clock: { stamp(): number }) => clock.stamp();', plugin],
    'src/phases/run/aside.ts': ['export const aside = (work: () => Promise<void>) => { void work(); };', 'lint/complexity/noVoid'],
    'src/core/five.ts': [five, parameters],
    'bench/lines.js': [functionOf(61), lines],
    'examples/five.ts': [five, parameters],
    'test/support/five.ts': [five, parameters],
    'test/servers/lines.ts': [functionOf(61), lines],
  };
  const found = lint(Object.fromEntries(Object.entries(refused).map(([file, [text]]) => [file, text])));
  expect(found).toEqual(Object.fromEntries(Object.entries(refused).map(([file, [, rule]]) => [file, [rule]])));
});

test('the linter lets the rest pass: a date from a number, a socket’s own timeout, tests of any length', () => {
  const found = lint({
    'src/world.ts': 'export const at = () => [Date.now(), performance.now(), setTimeout(() => {}, 1)];',
    'src/core/stamp.ts': 'export const at = (clock: { stamp(): number }) => ({ at: clock.stamp(), iso: new Date(clock.stamp()) });',
    'src/core/iso.ts': 'export const iso = (at: number) => new Date(at).toISOString();',
    'src/core/socket.ts':
      "import type { Socket } from 'node:net';\nexport const late = (socket: Socket) => socket.setTimeout(1, () => {});",
    'src/core/took.ts': 'export const took = (clock: { elapsed(): number }) => clock.elapsed();',
    'src/core/four.ts': 'export const four = (a: 1, b: 1, c: 1, d: 1) => a + b + c + d;',
    'bench/lines.js': functionOf(60),
    'test/long.test.ts': `${five}\nexport const at = () => Date.now();\n${functionOf(200)}`,
  });
  expect(found).toEqual({});
});

/** The rules that files break, by the linter as it is set up here. */
function lint(files: Readonly<Record<string, string>>): Record<string, string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-linter-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['biome.json', 'lint', '.gitignore']) cpSync(join(root, name), join(folder, name), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), `${text}\n`);
  }
  const args = ['lint', '--error-on-warnings', '--reporter=json', '--max-diagnostics=none'];
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/biome'), args, { cwd: folder, encoding: 'utf8' });
  const { diagnostics }: { diagnostics: { category: string; location: { path: string } }[] } = JSON.parse(stdout);
  const found: Record<string, string[]> = {};
  for (const { category, location } of diagnostics) found[location.path] = [...(found[location.path] ?? []), category];
  return found;
}
