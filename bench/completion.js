// How long the answer to one Tab takes, `loadctl complete -- run --env ''`, beside `node -e 0`, with 20 profiles and 200 runs. Target: below 150 ms.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { comparePairs } from './support/pairs.js';

const limitMs = 150;
const pairs = Number(process.argv[2] ?? 25);
const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
try {
  mkdirSync(join(folder, 'profiles'));
  for (let number = 1; number <= 20; number++) writeFileSync(join(folder, 'profiles', `env-${number}.yaml`), 'target: {}\n');
  for (let number = 1; number <= 200; number++) mkdirSync(join(folder, '.loadctl', 'runs', `20261129-${number}`), { recursive: true });
  const { ratio, medianMs } = comparePairs(['complete', '--', 'run', '--env', ''], { pairs, cwd: folder });
  const word = medianMs < limitMs ? 'below' : 'NOT below';
  console.log(`${pairs} pairs, median ${medianMs.toFixed(1)} ms: ${word} ${limitMs} ms; ratio of the medians ${ratio.toFixed(2)}`);
  process.exitCode = medianMs < limitMs ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
