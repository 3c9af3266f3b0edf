// Whether the memory of a run is flat: a simulated half hour of 30 runners with 500 endpoints each, whose target begins to
// die in the second minute. Real pushes go to the receiver over loopback; only the clock is simulated, and a push stands for
// five seconds. Target: the heap after collection in minute 30 is within 10% of that in minute 5.
// Usage: node --expose-gc bench/memory.js [--minutes 30] [--runners 30] [--endpoints 500]
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openRedactor } from '../dist/core/redactor.js';
import { openLiveData } from '../dist/phases/watch/live-data.js';
import { startLiveView } from '../dist/phases/watch/live-view.js';
import { createRunDirectory } from '../dist/runs/write.js';
import { pushBody } from './support/push-body.js';

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    runners: { type: 'string', default: '30' },
    endpoints: { type: 'string', default: '500' },
  },
});
const [minutes, runners, endpoints] = [flags.minutes, flags.runners, flags.endpoints].map(Number);
const pushEveryS = 5;
if (globalThis.gc === undefined) throw new Error('start it with node --expose-gc');

let nowMs = 0;
const clock = { stamp: () => 1_700_000_000_000 + nowMs, elapsed: () => nowMs, sleep: async () => {} };
const ids = Array.from({ length: runners }, (_, at) => String(at + 1));
const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
const directory = await createRunDirectory(folder, 'bench', openRedactor());
const undo = [];
const moment = () => ({ at: clock.stamp(), t: nowMs });
const emit = (event) => {
  if (event.type === 'warned') console.log(`  warned: ${event.code}`);
  directory.append('events.ndjson', { ...event, ...moment() });
};
const live = await openLiveData(ids, new Set(), { clock, emit }, (work) => undo.push(work));
const view = startLiveView({
  ...{ clock, emit, moment, directory, live, expected: () => ids, endAt: () => minutes * 60_000, setupMs: 0, tagged: true },
  ...{ beside: () => async () => {}, probes: () => undefined, rates: async () => new Map(), watch: () => undefined, crossed: () => {} },
});

const agent = new Agent({ keepAlive: true, maxSockets: 4 });
const heaps = [];
console.log(`${runners} runners, ${endpoints} endpoints, ${minutes} simulated minutes\n\nminute   heap MB   resident MB`);
for (let second = 1; second <= minutes * 60; second += 1) {
  nowMs = second * 1000;
  if (second % pushEveryS === 0) {
    const body = bodyAt(second);
    await Promise.all(ids.map((id) => post(live.addressFor(id), body)));
  }
  view.finish();
  if (second % 300 === 0) heaps.push(heapAt(second / 60));
}
await view.stop();
agent.destroy();
for (const work of undo) await work();
directory.close();
rmSync(folder, { recursive: true, force: true });
const ratio = (heaps.at(-1) ?? Number.NaN) / (heaps[0] ?? Number.NaN);
console.log(`\nlast over first: ${ratio.toFixed(3)} (target: 0.9 to 1.1): ${ratio <= 1.1 && ratio >= 0.9 ? 'reached' : 'NOT reached'}`);
process.exitCode = ratio <= 1.1 && ratio >= 0.9 ? 0 : 1;

function heapAt(minute) {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  const [heap, resident] = [heapUsed, rss].map((bytes) => (bytes / 1e6).toFixed(1));
  console.log(`${String(minute).padStart(6)} ${heap.padStart(9)} ${resident.padStart(13)}`);
  return heapUsed;
}

/** Every endpoint as k6 pushes it; from the second minute on ever more of its answers are errors, and then none comes. */
function bodyAt(second) {
  const dying = Math.max(0, Math.min(1, (second - 60) / 120));
  const series = [];
  for (let at = 0; at < endpoints; at += 1) {
    const name = `GET /things/${at}`;
    const outcomes = [
      { tags: { status: '200', expected_response: 'true' }, share: 1 - dying },
      { tags: { status: '503', expected_response: 'false', error_code: '1503' }, share: dying / 2 },
      { tags: { status: '0', expected_response: 'false', error_code: '1212', error: 'dial: i/o timeout' }, share: dying / 2 },
    ];
    for (const { tags, share } of outcomes) {
      const count = Math.round(second * 10 * share);
      if (count === 0) continue;
      const all = { ...tags, k6_feature_native_histograms: 'true', method: 'GET', name, part: 'steady', scenario: 'default' };
      series.push({ name: 'k6_http_req_duration_seconds', tags: all, value: { histogram: count } });
      series.push({ name: 'k6_http_reqs_total', tags: all, value: { number: count } });
      series.push({ name: 'k6_http_req_failed_rate', tags: all, value: { number: tags.status === '200' ? 0 : 1 } });
    }
  }
  series.push({ name: 'k6_vus', tags: {}, value: { number: 100 } });
  series.push({ name: 'k6_iterations_total', tags: { part: 'steady', scenario: 'default' }, value: { number: second * 10 } });
  return pushBody(series, clock.stamp());
}

function post({ url, token }, body) {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-encoding': 'snappy',
    'content-type': 'application/x-protobuf',
    'content-length': body.length,
  };
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () => (response.statusCode === 204 ? resolve() : reject(new Error(`answered ${response.statusCode}`))));
    });
    call.once('error', reject);
    call.end(body);
  });
}
