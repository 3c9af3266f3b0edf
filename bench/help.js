// How long `loadctl --help` takes beside `node -e 0`, in pairs so that both see the same machine. Target: less than twice.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const pairs = Number(process.argv[2] ?? 25);
const limit = 2;
const bin = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));

function millisecondsOf(args) {
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} exited ${status}: ${stderr}`);
  return performance.now() - begun;
}

const subjects = { 'node -e 0': ['-e', '0'], 'loadctl --help': [bin, '--help'] };
const measured = Object.fromEntries(Object.keys(subjects).map((name) => [name, []]));
for (const args of Object.values(subjects)) millisecondsOf(args);
for (let pair = 0; pair < pairs; pair++) {
  const order = pair % 2 === 0 ? Object.keys(subjects) : Object.keys(subjects).reverse();
  for (const name of order) measured[name].push(millisecondsOf(subjects[name]));
}

const middle = (sorted) => (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
const medians = Object.entries(measured).map(([name, times]) => {
  const sorted = times.sort((a, b) => a - b);
  const [min, median, max] = [sorted[0], middle(sorted), sorted.at(-1)].map((ms) => `${ms.toFixed(1)} ms`.padStart(9));
  console.log(`${name.padEnd(15)} min ${min}   median ${median}   max ${max}`);
  return middle(sorted);
});
const ratio = medians[1] / medians[0];
console.log(`${pairs} pairs, ratio of the medians ${ratio.toFixed(2)}: ${ratio < limit ? 'below' : 'NOT below'} ${limit}`);
process.exitCode = ratio < limit ? 0 : 1;
