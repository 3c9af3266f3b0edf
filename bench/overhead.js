// Iterations a second of loadctl against bare k6, the same script and target, in turn:
// node bench/overhead.js [--own-options] [--against FOLDER] [pairs] [seconds] [runners [words for loadctl run …]],
// as in: node bench/overhead.js 7 8 2 -e GODEBUG=
// Each iteration makes one request; with --own-options it reads exec.test.options instead, which k6 makes anew at each access.
// With --against the loadctl of another checkout, built, takes the place of the bare k6.
// Prints the ratio for one runner and for two (design: the median is at least 0.97), or for `runners`. On a machine whose own speed
// comes and goes, single pairs tell little: the confidence interval of the median says how many it takes.
import { execFileSync, fork, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { k6Path } from './support/k6.js';

const vus = 50;

/** What k6-utils' tagWithCurrentStageIndex does in each iteration. */
const readsOptions = `import exec from 'k6/execution';
export default () => {
  if (exec.test.options.scenarios[exec.scenario.name].executor !== 'constant-vus') throw new Error('not the test\\'s own options');
};
`;

if (process.argv[2] === 'target') {
  const server = createServer((_, response) => response.end('{"ok":true}'));
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
  process.on('disconnect', () => process.exit());
} else {
  const rest = process.argv.slice(2);
  const ownOptions = rest[0] === '--own-options' && rest.shift() !== undefined;
  const against = rest[0] === '--against' ? rest.splice(0, 2)[1] : undefined;
  const [pairs = '5', seconds = '10', runners, ...words] = rest;
  await main(Number(pairs), Number(seconds), runners === undefined ? [1, 2] : [Number(runners)], { words, ownOptions, against });
}

async function main(pairs, seconds, fleets, { words, ownOptions, against }) {
  // In a session of its own, as servers are: Linux shares out CPU time among sessions, and loadctl's runners have their own.
  const target = fork(fileURLToPath(import.meta.url), ['target'], { detached: true });
  const { port } = await new Promise((resolve) => target.once('message', resolve));
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
  try {
    const url = `http://127.0.0.1:${port}/`;
    writeFileSync(
      join(folder, 'script.js'),
      ownOptions ? readsOptions : `import http from 'k6/http';\nexport default () => { http.get('${url}'); };\n`,
    );
    mkdirSync(join(folder, 'profiles'));
    const profile = `target: {url: "${url}"}\nworkload: {script: ../script.js, vus: ${vus}, duration: ${seconds}s}\n`;
    writeFileSync(join(folder, 'profiles', 'dev.yaml'), profile);
    const k6 = await k6Path();
    for (const runners of fleets) report({ runners, words }, pairs, { k6, folder, seconds, against });
  } finally {
    target.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Measures so many pairs of loads, `seconds` each, of the script in `folder`. */
function report({ runners, words }, pairs, { k6, folder, seconds, against }) {
  const fleet = [`${runners} runner${runners > 1 ? 's' : ''}`, ...words].join(' ');
  const peer = against === undefined ? 'one bare k6' : `the loadctl in ${against}`;
  console.log(`\nloadctl with ${fleet} against ${peer}, ${vus} VUs, ${seconds} s each, in turn`);
  const theirs = () => (against === undefined ? bareK6(k6, folder, seconds) : loadctl(against, folder, { runners, words }));
  const own = fileURLToPath(new URL('..', import.meta.url));
  const ratios = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    const { bare, ours } = measurePair(pair, { bare: theirs, ours: () => loadctl(own, folder, { runners, words }) });
    ratios.push(ours / bare);
    console.log(`  ${pair}: ${against ?? 'k6'} ${bare.toFixed(0)}/s, loadctl ${ours.toFixed(0)}/s, ratio ${(ours / bare).toFixed(3)}`);
  }
  ratios.sort((a, b) => a - b);
  const [min, median, max] = [ratios[0], medianOf(ratios), ratios.at(-1)].map((ratio) => ratio.toFixed(3));
  const rank = lowRank(pairs);
  const likely = rank < 0 ? 'too few pairs to say' : `${ratios[rank].toFixed(3)} to ${ratios[pairs - 1 - rank].toFixed(3)}`;
  console.log(`  ratio: min ${min}, median ${median} (95% confidence: ${likely}), max ${max}`);
}

/** Every other pair the other way round: what a run leaves to the next one (a warm target, memory) goes to both alike. */
function measurePair(pair, { bare, ours }) {
  if (pair % 2 === 1) return { bare: bare(), ours: ours() };
  const first = ours();
  return { bare: bare(), ours: first };
}

function medianOf(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The k for which the median of the population lies between the values of rank k and n-1-k (0-based) of n with a probability of 95% at least,
 * whatever their distribution (the sign test: binomial with p = 1/2); -1 where n is too small.
 */
function lowRank(n) {
  let tail = 0;
  let probability = 0.5 ** n;
  for (let k = 0; ; k += 1) {
    tail += probability;
    if (tail > 0.025) return k - 1;
    probability *= (n - k) / (k + 1);
  }
}

function bareK6(k6, folder, seconds) {
  const summary = join(folder, 'bare.json');
  const args = ['run', '--quiet', '--vus', String(vus), '--duration', `${seconds}s`, '--summary-export', summary, 'script.js'];
  execFileSync(k6, args, { cwd: folder, stdio: 'ignore' });
  return JSON.parse(readFileSync(summary, 'utf8')).metrics.iterations.rate;
}

function loadctl(checkout, folder, { runners, words }) {
  const args = [join(checkout, 'bin/loadctl.js'), 'run', '--env', 'dev', '--quiet', '--set', `runners.count=${runners}`, ...words];
  const { status } = spawnSync(process.execPath, args, { cwd: folder, stdio: 'ignore' });
  // 111: k6 takes all of this machine, which makes an invalid result, and is what is to be measured here.
  if (status !== 0 && status !== 111) throw new Error(`loadctl ended with ${status}`);
  const runs = join(folder, '.loadctl', 'runs');
  const newest = readdirSync(runs).sort().at(-1);
  return JSON.parse(readFileSync(join(runs, newest, 'summary.json'), 'utf8')).metrics.iterations.values.rate;
}
