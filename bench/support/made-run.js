import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** A tick of the CPU times in /proc, in seconds. */
const tick = 1 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The directory of a run that this process makes, as far as `attach` reads it, its log with these first events; the path of the log. */
export function makeRun(directory, version, events) {
  mkdirSync(directory, { recursive: true });
  const plan = { environment: 'bench', target: { url: 'http://127.0.0.1:1' }, criteria: [], runners: [], endpoints: [] };
  const by = { user: 'ann', host: hostname(), pid: process.pid };
  const record = { version, run: '20260102-030405-abcde', environment: 'bench', startedAt: 0, plan, scriptThresholds: {}, by };
  writeFileSync(join(directory, 'run.json'), JSON.stringify(record));
  const file = join(directory, 'events.ndjson');
  writeFileSync(file, events.map((event) => `${JSON.stringify({ at: 0, t: 0, ...event })}\n`).join(''));
  return file;
}

/** The CPU time of a process so far, by Linux. */
export function cpuSeconds(pid) {
  const [, fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return (user + system) * tick;
}
