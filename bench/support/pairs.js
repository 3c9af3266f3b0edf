import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));

/** Times `loadctl ARGS` beside `node -e 0`, in pairs so that both see the same machine; prints both, and hands back {ratio, medianMs}. */
export function comparePairs(args, { pairs, cwd }) {
  const subjects = { 'node -e 0': ['-e', '0'], [`loadctl ${args.join(' ')}`.trim()]: [bin, ...args] };
  const names = Object.keys(subjects);
  const measured = names.map(() => []);
  for (const name of names) millisecondsOf(subjects[name], cwd);
  for (let pair = 0; pair < pairs; pair++) {
    for (const at of pair % 2 === 0 ? [0, 1] : [1, 0]) measured[at].push(millisecondsOf(subjects[names[at]], cwd));
  }
  const width = Math.max(...names.map((name) => name.length));
  const medians = measured.map((times, at) => {
    const sorted = times.sort((a, b) => a - b);
    const [min, median, max] = [sorted[0], middle(sorted), sorted.at(-1)].map((ms) => `${ms.toFixed(1)} ms`.padStart(9));
    console.log(`${names[at].padEnd(width)}  min ${min}   median ${median}   max ${max}`);
    return middle(sorted);
  });
  return { ratio: medians[1] / medians[0], medianMs: medians[1] };
}

function millisecondsOf(args, cwd) {
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd });
  if (status !== 0) throw new Error(`node ${args.join(' ')} exited ${status}: ${stderr}`);
  return performance.now() - begun;
}

function middle(sorted) {
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
