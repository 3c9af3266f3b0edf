// How much longer `loadctl run` takes than bare k6 where the load itself takes no time: one iteration on each of two runners, in pairs, in turn.
// Target: at most 1.0 s. Usage: node bench/one-iteration.js [--pairs 15] [--runners 2] [--loadctl FOLDER: another checkout's]
import { fork, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { k6Path } from './support/k6.js';

const { values: flags } = parseArgs({
  options: {
    pairs: { type: 'string', default: '15' },
    runners: { type: 'string', default: '2' },
    loadctl: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
  },
});
const pairs = Number(flags.pairs);
const runners = Number(flags.runners);
const limitMs = 1000;
const titles = { bare: 'k6 run', ours: `loadctl run, ${runners} runner${runners === 1 ? '' : 's'}`, more: 'more than k6' };
/** The events that tell how far a run is. */
const told = new Set([
  'command-started',
  'step-started',
  'step-finished',
  'runner-started',
  'runner-ready',
  'fleet-released',
  'load-ended',
  'runner-ended',
  'judged',
  'command-finished',
]);

const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
const target = fork(fileURLToPath(new URL('support/target.js', import.meta.url)), ['127.0.0.1']);
try {
  const { port } = await new Promise((resolve) => target.once('message', resolve));
  writeTest(`http://127.0.0.1:${port}`);
  report(measure(await k6Path()));
} finally {
  target.disconnect();
  rmSync(folder, { recursive: true, force: true });
}

function writeTest(url) {
  const options = `{ vus: ${runners}, iterations: ${runners} }`;
  const script = `import http from 'k6/http';\nexport const options = ${options};\nexport default () => { http.get('${url}/'); };\n`;
  writeFileSync(join(folder, 'script.js'), script);
  mkdirSync(join(folder, 'profiles'));
  const profile = `target: {url: "${url}", health: /}\nworkload: {script: ../script.js}\nrunners: {count: ${runners}}\nsla: {errors: < 1%}\n`;
  writeFileSync(join(folder, 'profiles', 'dev.yaml'), profile);
}

function measure(k6) {
  const subjects = {
    bare: () => millisecondsOf(k6, ['run', '--quiet', '--no-usage-report', 'script.js']),
    ours: () => millisecondsOf(process.execPath, [join(flags.loadctl, 'bin/loadctl.js'), 'run', '--env', 'dev', '--quiet']),
  };
  for (const subject of Object.values(subjects)) subject();
  return Array.from({ length: pairs }, (_, pair) => {
    const order = pair % 2 === 0 ? ['bare', 'ours'] : ['ours', 'bare'];
    const times = {};
    let moments;
    for (const name of order) {
      const begun = Date.now();
      times[name] = subjects[name]();
      if (name === 'ours') moments = [...momentsOfLastRun(begun), ['the process is gone', times.ours]];
    }
    return { ...times, more: times.ours - times.bare, moments };
  });
}

function millisecondsOf(file, args) {
  const begun = performance.now();
  const { status, stderr } = spawnSync(file, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} exited ${status}: ${stderr}`);
  return performance.now() - begun;
}

/** How far the last run was, so many milliseconds after it was typed: the first of each kind of event. */
function momentsOfLastRun(begun) {
  const runs = join(folder, '.loadctl', 'runs');
  const events = readFileSync(join(runs, readdirSync(runs).sort().at(-1), 'events.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const moments = new Map();
  for (const { at, type, step } of events) {
    const name = step === undefined ? type : `${type} ${step}`;
    if (!told.has(type) || moments.has(name)) continue;
    moments.set(name, at - begun);
  }
  return [...moments];
}

function report(measured) {
  for (const name of ['bare', 'ours', 'more']) {
    const sorted = measured.map((pair) => pair[name]).sort((a, b) => a - b);
    const [min, median, max] = [sorted[0], middle(sorted), sorted.at(-1)].map((ms) => `${ms.toFixed(0)} ms`.padStart(8));
    console.log(`${titles[name].padEnd(26)} min ${min}   median ${median}   max ${max}`);
  }
  console.log('\nwhat loadctl had come to, median:');
  let before = 0;
  for (const name of new Map(measured[0].moments).keys()) {
    const times = measured.flatMap(({ moments }) => new Map(moments).get(name) ?? []);
    const at = middle(times.sort((a, b) => a - b));
    console.log(`${at.toFixed(0).padStart(6)} ms  ${`+${(at - before).toFixed(0)}`.padStart(6)}  ${name}`);
    before = at;
  }
  const more = middle(measured.map((pair) => pair.more).sort((a, b) => a - b));
  const reached = more <= limitMs;
  console.log(`\n${reached ? 'reached' : 'NOT reached'}: at most ${limitMs} ms more, ${pairs} pairs: ${more.toFixed(0)} ms`);
  process.exitCode = reached ? 0 : 1;
}

function middle(sorted) {
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
