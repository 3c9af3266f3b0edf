// What a page costs: writes the directory of a run of 8 hours and 500 endpoints, 1 GB of it, has `loadctl report` make its page,
// and reads the peak of its memory off /proc (Linux); then the page of 30 minutes and 30 endpoints is opened in chromium.
// The same of 2 and of 8 hours with 10 monitors that look every second, with a heap of 96 MB: what counts is what it needs, not what nobody collected yet.
// Targets: under 400 MB of memory, whatever the directory holds; 6 hours more of the monitors take less than 60 MB; the second page under 600 kB, its charts drawn within 1 s.
// Usage: node bench/report.js [--megabytes 1000]
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values: flags } = parseArgs({ options: { megabytes: { type: 'string', default: '1000' } } });
const targets = { megabytes: 400, hours: 60, kilobytes: 600, seconds: 1 };
const loadctl = fileURLToPath(new URL('../bin/loadctl.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
const runId = (nth) => `20260102-03040${nth}-abcde`;
let missed = 0;

try {
  const large = makeRun(runId(1), { seconds: 28_800, endpoints: 500, bytes: Number(flags.megabytes) * 1e6 });
  const begun = performance.now();
  const peak = await report(large.directory);
  const took = ((performance.now() - begun) / 1000).toFixed(1);
  const page = statSync(join(large.directory, 'report.html')).size;
  console.log(
    `8 h, 500 endpoints, ${(large.bytes / 1e6).toFixed(0)} MB: page of ${kilobytes(page)} kB in ${took} s, ${peak.toFixed(0)} MB of memory at most`,
  );
  hold('memory', peak, targets.megabytes, 'MB');

  const peaks = [];
  for (const hours of [2, 8]) {
    const watched = makeRun(runId(2 + hours / 2), { seconds: hours * 3600, endpoints: 1, monitors: 10, bytes: Number.POSITIVE_INFINITY });
    peaks.push(await report(watched.directory, ['--max-old-space-size=96']));
    console.log(`${hours} h, 10 monitors, ${(watched.bytes / 1e6).toFixed(0)} MB: ${peaks.at(-1).toFixed(0)} MB of memory at most`);
  }
  hold('memory for 6 hours more of 10 monitors', peaks[1] - peaks[0], targets.hours, 'MB');

  const usual = makeRun(runId(9), { seconds: 1800, endpoints: 30, bytes: Number.POSITIVE_INFINITY });
  await report(usual.directory);
  const file = join(usual.directory, 'report.html');
  hold('page of 30 minutes and 30 endpoints', kilobytes(statSync(file).size), targets.kilobytes, 'kB');
  hold('ready, the median of 5', await ready(file), targets.seconds, 's');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;

function kilobytes(bytes) {
  return Math.round(bytes / 1000);
}

function hold(what, value, most, unit) {
  if (value >= most) missed += 1;
  console.log(`${value < most ? 'reached' : 'NOT reached'}: ${what} ${Number(value.toFixed(2))} ${unit}, under ${most} ${unit}`);
}

/** Makes a page; the peak of the process's memory, in MB. */
function report(directory, nodeFlags = []) {
  const child = spawn(process.execPath, [...nodeFlags, loadctl, 'report', directory], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let peak = 0;
  const look = setInterval(() => {
    try {
      peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? peak);
    } catch {
      // it has just ended
    }
  }, 50);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      clearInterval(look);
      if (code === 0) resolve(peak / 1000);
      else reject(new Error(`loadctl report ended with ${code}`));
    });
  });
}

/** Seconds from opening a page to its charts being drawn. */
async function ready(file) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  const times = [];
  for (let nth = 0; nth < 5; nth += 1) {
    const page = await browser.newPage();
    const begun = performance.now();
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('html.drawn', { state: 'attached' });
    times.push((performance.now() - begun) / 1000);
    await page.close();
  }
  await browser.close();
  return times.sort((a, b) => a - b)[2];
}

/** The directory of a run that is over, up to so many bytes of what is written while it goes on. */
function makeRun(run, { seconds, endpoints, bytes, monitors = 0 }) {
  const directory = join(folder, '.loadctl', 'runs', run);
  mkdirSync(directory, { recursive: true });
  const names = Array.from({ length: endpoints }, (_, index) => `GET /things/${index}/parts`);
  const judgedMonitors = Array.from({ length: monitors }, (_, index) => databaseNamed(`db-${index}`));
  const criteria = judgedMonitors.map(({ name }) => limitOf(`${name}.connections`));
  const plan = {
    environment: 'bench',
    target: { url: 'http://127.0.0.1:1' },
    criteria,
    judgedMonitors,
    runners: [{ id: '1' }],
    endpoints: [],
  };
  const by = { user: 'ann', host: hostname(), pid: 1, started: 1, boot: 'another' };
  const versions = { loadctl: '0', k6: '2.2.0', node: process.versions.node };
  const record = {
    version: 2,
    run,
    environment: 'bench',
    startedAt: 0,
    profile: {},
    plan,
    target: plan.target,
    scriptThresholds: {},
    archiveSha256: '00',
    versions,
    by,
  };
  writeFileSync(join(directory, 'run.json'), JSON.stringify(record));
  writeFileSync(join(directory, 'summary.json'), JSON.stringify(summaryOf(run, names, seconds)));
  const lines = { bytes: 0 };
  const write = (file, line) => {
    const text = `${JSON.stringify(line)}\n`;
    writeSync(file, text);
    lines.bytes += text.length;
  };
  const files = ['events', 'timeseries', 'histograms', 'generators', 'monitors'].map((name) =>
    openSync(join(directory, `${name}.ndjson`), 'w'),
  );
  const [events, timeseries, histograms, generators, looks] = files;
  write(events, { at: 0, t: 0, type: 'fleet-released', runners: 1 });
  for (let second = 1; second <= seconds && lines.bytes < bytes; second += 1) {
    const t = second * 1000;
    write(timeseries, { at: t, t, ...secondAt(second, seconds, names) });
    write(events, { at: t, t, type: 'health-probed', good: true, status: 200, elapsedMs: 3 });
    write(events, { at: t, t, type: 'fleet-sampled', ...secondAt(second, seconds, []), endpoints: [] });
    const vitals = { processCpu: 1.5, processMemory: 4e8, cpus: 4, machineCpu: 0.3 + (second % 50) / 100, memory: 8e9, freeMemory: 4e9 };
    write(generators, { at: t, t, runner: '1', host: 'gen-1', overMs: 1000, ...vitals });
    for (const { name } of judgedMonitors) write(looks, { at: t, t, monitor: name, ...lookAt(second, name) });
    if (second % 10 === 0) write(histograms, { at: t, t, ...stretchAt(second, names) });
  }
  write(events, { at: 0, t: seconds * 1000, type: 'load-ended', elapsedMs: seconds * 1000 });
  write(events, { at: 0, t: seconds * 1000, type: 'runner-ended', runner: '1', cause: 'reached-end', numbers: 'own', lost: 0 });
  for (const file of files) closeSync(file);
  return { directory, bytes: lines.bytes };
}

function databaseNamed(name) {
  return { name, kind: 'postgres', every: 1000, required: true, gives: ['connections', 'commits', 'cacheHit', 'deadlocks'] };
}

function limitOf(metric) {
  return { name: metric, source: 'server', metric, stat: 'max', operator: '<', limit: 0.8, unit: '%', window: 'steady' };
}

/** As much as a look at a database tells. */
function lookAt(second, name) {
  const counters = ['commits', 'rollbacks', 'hits', 'reads', 'deadlocks', 'conflicts', 'tempBytes', 'tuples', 'walBytes', 'checkpoints'];
  const values = Object.fromEntries(counters.map((counter, index) => [counter, second * (index + 1)]));
  return {
    source: `${name}.example.com:5432/shop`,
    values: { connections: 10 + (second % 37), usable: 97, active: second % 5, idle: 3, ...values },
  };
}

function secondAt(second, seconds, names) {
  const exactly = (value) => ({ value, low: value * 0.957, high: value * 1.043 });
  const noise = (by) => Math.round(1000 * Math.abs(Math.sin(second * by))) / 10;
  const latency = { p50: exactly(12 + noise(1.1)), p95: exactly(150 + noise(1.7)), p99: exactly(300 + noise(2.3)) };
  return {
    elapsedMs: second * 1000,
    totalMs: seconds * 1000,
    vus: 1000,
    requests: second * 1000,
    requestsPerSecond: 900 + noise(0.7),
    failedRequests: second * 5,
    iterations: second * 800,
    runnersReporting: 1,
    latency,
    endpoints: Object.fromEntries(names.map((name) => [name, { requests: 2, failedRequests: 0, latency }])),
    scenarios: {},
    failedBy: { 0: second % 3, 503: 4 },
  };
}

function stretchAt(second, names) {
  const histogram = (seed, count) => {
    const buckets = Object.fromEntries(Array.from({ length: 24 }, (_, index) => [index - 50 + (seed % 5), Math.ceil(count / (index + 1))]));
    const all = Object.values(buckets).reduce((sum, one) => sum + one, 0);
    return { count: all, sum: all * 30, buckets };
  };
  const endpoints = Object.fromEntries(names.map((name, index) => [name, { all: histogram(second + index, 20) }]));
  return { fromMs: (second - 10) * 1000, toMs: second * 1000, all: histogram(second, 10_000), endpoints };
}

function summaryOf(run, names, seconds) {
  const counter = (count) => ({ type: 'counter', contains: 'default', values: { count, rate: count / seconds }, bounds: {} });
  const trend = {
    type: 'trend',
    contains: 'time',
    values: { count: 1000, avg: 31.25, min: 1.01, med: 20.4, max: 812.7, 'p(50)': 20.4, 'p(90)': 120.2, 'p(95)': 181.3, 'p(99)': 310.8 },
    bounds: { 'p(50)': [20.1, 20.7], 'p(90)': [119, 121], 'p(95)': [180, 182], 'p(99)': [305, 315] },
  };
  const failed = { type: 'rate', contains: 'default', values: { rate: 0.005, passes: 5, fails: 995 }, bounds: {} };
  const own = names.flatMap((name) => {
    const tag = `{name:${name}}`;
    return [
      [`http_reqs${tag}`, counter(1000)],
      [`http_req_duration${tag}`, trend],
      [`http_req_failed${tag}`, failed],
    ];
  });
  const metrics = { http_reqs: counter(1000 * seconds), http_req_duration: trend, http_req_failed: failed, ...Object.fromEntries(own) };
  return { version: 1, run, k6Version: '2.2.0', durationMs: seconds * 1000, runners: 1, metrics };
}
