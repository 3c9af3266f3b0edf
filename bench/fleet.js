// Whether one conductor holds a fleet that is larger than this machine: 100, 300 and 1,000 pods that speak the whole protocol of
// runners on Kubernetes (TLS link, agent, REST, pushes of 80 series, summaries of 300 kB) without k6, all in one process, against
// the conductor's own code. Targets: released within 1 s; at most 300 pushes a second; under one core and 1 GB; one in fifty lost
// and noticed within 5 s; all summaries merged within 60 s.
// Usage: node bench/fleet.js [--runners 100,300,1000] [--seconds 60]
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { conductorBytes, conductorNodeOptions } from '../dist/plan/pods.js';
import { pushEveryElsewhere } from '../dist/plan/push-interval.js';
import { k6Path } from './support/k6.js';
import { printTable } from './support/table.js';

const { values: flags } = parseArgs({
  options: { runners: { type: 'string', default: '100,300,1000' }, seconds: { type: 'string', default: '60' } },
});
const seconds = Number(flags.seconds);
const loseAtMs = Math.min(20_000, (seconds * 1000) / 3);
/** As a conductor's Job has it; and Node lets a heap grow as long as there is memory: what it needs shows where it may not. */
const heap = (runners) => ['--max-old-space-size=512', conductorNodeOptions(conductorBytes({}, runners)) ?? []].flat();
const profiled = process.env.BENCH_PROFILE;
const targets = { spreadMs: 1000, pushes: 300, cores: 1, megabytes: 1000, noticedMs: 5000, mergedS: 60 };

async function measureAll() {
  const rows = [
    ['runners', 'ready', 'released within', 'pushes/s', 'lost', 'cores', 'memory', 'lost noticed', 'numbers', 'merged', 'no CPU'],
  ];
  const missed = [];
  for (const runners of flags.runners.split(',').map(Number)) {
    const one = await measure(runners);
    const { readyS, spreadMs, pushes, failed, cores, megabytes, noticedMs, lost, numbers, mergedS, waitedShare } = one;
    console.error(JSON.stringify({ runners, ...one }));
    rows.push([
      runners,
      `${readyS.toFixed(1)} s`,
      `${spreadMs} ms`,
      pushes.toFixed(0),
      failed,
      cores.toFixed(2),
      `${megabytes.toFixed(0)} MB`,
      `${lost}, ${(noticedMs / 1000).toFixed(1)} s`,
      numbers,
      `${mergedS.toFixed(1)} s`,
      `${(waitedShare * 100).toFixed(0)}%`,
    ]);
    for (const [name, most] of Object.entries(targets)) if (!(one[name] <= most)) missed.push(`${runners} runners: ${name} ${one[name]}`);
    if (failed > 0) missed.push(`${runners} runners: ${failed} pushes lost`);
  }
  printTable(rows);
  console.log('\nno CPU: of the time of the load, how much the conductor was ready to run and others had the CPUs');
  console.log(missed.length === 0 ? '\nreached' : `\nNOT reached: ${missed.join('; ')}`);
  process.exitCode = missed.length === 0 ? 0 : 1;
}

async function measure(runners) {
  const lost = Array.from({ length: runners }, (_, index) => index).filter((index) => index % 50 === 7);
  const key = randomBytes(32).toString('hex');
  const conductor = start('conduct', heap(runners));
  conductor.send({ runners, seconds, key });
  const { port } = await answer(conductor);
  const pods = start('pods');
  pods.send({ runners, seconds, key, port, lost, loseAtMs });
  pods.once('exit', (code) => code !== 0 && conductor.kill());
  const held = await answer(conductor);
  pods.send({ done: true });
  const seen = await answer(pods);
  const released = seen.releasedAt.map(([, at]) => at);
  const noticed = seen.silentAt.map(([index, at]) => (held.lostAt.find(([one]) => one === index)?.[1] ?? Number.POSITIVE_INFINITY) - at);
  return {
    ...held,
    failed: seen.failed,
    errors: seen.errors,
    lost: held.lostAt.length,
    spreadMs: Math.max(...released) - Math.min(...released),
    pushes: busiest(seen.pushes, runners),
    noticedMs: Math.max(0, ...noticed),
    summaryKb: Math.round(seen.summaryBytes / 1000),
  };
}

/**
 * Pushes a second where they are most: counted over three intervals, in which each runner pushes three times whenever it began. The
 * last push of all, at the end of the load, is no part of its beat.
 */
function busiest(times, runners) {
  const windowMs = 3 * pushEveryElsewhere(runners);
  const begun = Math.min(...times);
  const counts = new Map();
  for (const at of times) counts.set(Math.floor((at - begun) / windowMs), (counts.get(Math.floor((at - begun) / windowMs)) ?? 0) + 1);
  const whole = [...counts].filter(([slot]) => (slot + 1) * windowMs <= (seconds - 1) * 1000);
  return Math.max(0, ...whole.map(([, count]) => (count * 1000) / windowMs));
}

function start(role, words = []) {
  return fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
    env: { ...process.env, BENCH_ROLE: role },
    execArgv: role === 'conduct' ? [...words, ...(profiled ? ['--cpu-prof', '--cpu-prof-dir', profiled] : [])] : [],
  });
}

function answer(child) {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`a bench process exited ${code}`)));
  });
}

function message() {
  return new Promise((resolve) => process.once('message', resolve));
}

if (process.env.BENCH_ROLE === 'conduct') {
  const { conductFleet } = await import('./support/conducted-fleet.js');
  const { key, ...asked } = await message();
  process.send(await conductFleet({ ...asked, key: Buffer.from(key, 'hex'), k6: await k6Path() }, (port) => process.send({ port })));
  process.disconnect();
  process.exit();
} else if (process.env.BENCH_ROLE === 'pods') {
  const { startPods } = await import('./support/simulated-pods.js');
  const { runners, lost, port, key, ...asked } = await message();
  const conductor = { host: '127.0.0.1', port, key: Buffer.from(key, 'hex') };
  const noted = await startPods({ ...asked, conductor, count: runners, lost: new Set(lost) });
  await message();
  process.send({ ...noted, releasedAt: [...noted.releasedAt], silentAt: [...noted.silentAt] });
  process.disconnect();
  process.exit();
} else await measureAll();
