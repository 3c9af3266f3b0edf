// What the receiver of live data takes: a load program plays 10, 100, 500 and 1,000 runners with 80 series each, a push a
// second. Target: 500 runners under one core and 500 MB, no push lost. Usage: node bench/receiver.js [--seconds 60] [--runners 10,100]
import { fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endpoints, perSecond, shippedPush } from './support/shipped-push.js';

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, runners: { type: 'string', default: '10,100,500,1000' } },
});
const seconds = Number(flags.seconds);
const target = { runners: 500, cores: 1, megabytes: 500 };
const role = process.env.BENCH_ROLE;

/** Starts the two others for each size of fleet, and prints what they say. */
async function measureAll() {
  console.log(`80 series a runner, a push a second, ${seconds} s each\n`);
  const row = rowPrinter([
    'runners',
    'pushes',
    'lost',
    'counted',
    'CPU s',
    'cores',
    'memory MB',
    'slowest answer ms',
    'over 1 s',
    'others use cores',
  ]);
  let reached = true;
  for (const runners of flags.runners.split(',').map(Number)) {
    const { sent, lost, errors, slowestMs, late, counted, expected, cpu, elapsed, megabytes, turnedAway, others } = await measure(runners);
    const cores = cpu / elapsed;
    const all = counted === expected ? 'all' : `${counted}/${expected}`;
    row([runners, sent, lost, all, cpu.toFixed(1), cores.toFixed(2), megabytes.toFixed(0), slowestMs, late, others.toFixed(2)]);
    if (turnedAway > 0) console.log(`  ${turnedAway} connections found the listening socket's queue full and had to knock again`);
    if (lost > 0) console.log(`  lost by: ${JSON.stringify(errors)}`);
    if (lost > 0 || counted !== expected) reached = false;
    if (runners <= target.runners && (cores >= target.cores || megabytes >= target.megabytes)) reached = false;
  }
  console.log(
    `\n${reached ? 'reached' : 'NOT reached'}: no push lost; up to ${target.runners} runners under ${target.cores} core and ${target.megabytes} MB`,
  );
  process.exitCode = reached ? 0 : 1;
}

/** Prints rows under these headings as they come. */
function rowPrinter(headings) {
  console.log(headings.join('   '));
  return (cells) => console.log(cells.map((cell, at) => String(cell).padStart(headings[at].length)).join('   '));
}

async function measure(runners) {
  const before = { overflows: queueOverflows(), busy: busySeconds(), at: Date.now() };
  const receiver = start('receive');
  receiver.send({ runners });
  const { addresses } = await answer(receiver);
  const pusher = start('push');
  pusher.send({ addresses });
  const pushed = await answer(pusher);
  receiver.send({ done: true });
  const received = await answer(receiver);
  const others = (busySeconds() - before.busy - received.cpu - pushed.loadCpu) / ((Date.now() - before.at) / 1000);
  const expected = runners * seconds * perSecond * endpoints.length;
  return { ...pushed, ...received, turnedAway: queueOverflows() - before.overflows, others, expected };
}

/** What all CPUs of this machine have worked so far: who shares it makes answers slow, too. */
function busySeconds() {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
}

/** How often, on this machine, a connection was not taken as too many waited: it is tried again after 1, 3, 7… s (Linux). */
function queueOverflows() {
  if (!existsSync('/proc/net/netstat')) return 0;
  const [names, values] = readFileSync('/proc/net/netstat', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('TcpExt:'));
  return Number(values.split(' ')[names.split(' ').indexOf('ListenOverflows')]);
}

function start(asRole) {
  return fork(fileURLToPath(import.meta.url), process.argv.slice(2), { env: { ...process.env, BENCH_ROLE: asRole } });
}

function answer(child) {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`a bench process exited ${code}`)));
  });
}

/** The receiving process: receiver, merge, live view and timeseries, as in a run. */
async function receive() {
  const { besideIn } = await import('../dist/core/beside.js');
  const { openRedactor } = await import('../dist/core/redactor.js');
  const { openLiveData } = await import('../dist/phases/watch/live-data.js');
  const { startLiveView } = await import('../dist/phases/watch/live-view.js');
  const { createRunDirectory } = await import('../dist/runs/write.js');
  const { openWorld } = await import('../dist/world.js');
  const { clock } = openWorld();
  const { runners } = await message();
  const ids = Array.from({ length: runners }, (_, at) => String(at + 1));
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-bench-'));
  const directory = await createRunDirectory(folder, 'bench', openRedactor());
  const undo = [];
  const emit = (event) => {
    if (event.type === 'warned') console.error(event.code);
  };
  const live = await openLiveData(ids, new Set(), { clock, emit }, (work) => undo.push(work));
  const view = startLiveView({
    clock,
    emit,
    moment: () => ({ at: clock.stamp(), t: Math.round(clock.elapsed()) }),
    directory,
    beside: besideIn(
      (work) => undo.push(work),
      (error) => console.error(error),
    ),
    live,
    expected: () => ids,
    endAt: () => seconds * 1000,
    setupMs: 0,
    tagged: true,
    probes: () => undefined,
    rates: async () => new Map(),
    watch: () => undefined,
    crossed: () => {},
  });
  const begun = { at: Date.now(), cpu: process.cpuUsage() };
  process.send({ addresses: ids.map((id) => live.addressFor(id)) });
  await message();
  const { user, system } = process.cpuUsage(begun.cpu);
  await view.stop();
  const counted = live.numbers.total('http_reqs')?.count ?? 0;
  process.send({
    counted,
    cpu: (user + system) / 1e6,
    elapsed: (Date.now() - begun.at) / 1000,
    megabytes: process.resourceUsage().maxRSS / 1024,
  });
  for (const work of undo) await work();
  directory.close();
  rmSync(folder, { recursive: true, force: true });
  process.disconnect();
}

function message() {
  return new Promise((resolve) => process.once('message', resolve));
}

/** The pushing process: every runner pushes once a second, spread over the second. */
async function push() {
  const { addresses } = await message();
  const bodies = Array.from({ length: seconds }, (_, at) => shippedPush(at + 1));
  const agent = new Agent({ keepAlive: true, maxSockets: addresses.length });
  const result = { sent: 0, lost: 0, slowestMs: 0, late: 0, errors: {} };
  const pushes = [];
  const begun = Date.now();
  for (let second = 0; second < seconds; second += 1) {
    for (let slot = 0; slot < slots; slot += 1) {
      await until(begun + second * 1000 + (slot * 1000) / slots);
      for (let runner = slot; runner < addresses.length; runner += slots)
        pushes.push(post(addresses[runner], bodies[second], agent, result));
    }
  }
  await Promise.all(pushes);
  agent.destroy();
  const { user, system } = process.cpuUsage();
  process.send({ ...result, loadCpu: (user + system) / 1e6 });
  process.disconnect();
}

const slots = 50;

async function until(at) {
  const wait = at - Date.now();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
}

function post({ url, token }, body, agent, result) {
  const begun = Date.now();
  result.sent += 1;
  const headers = {
    authorization: `Bearer ${token}`,
    'content-encoding': 'snappy',
    'content-type': 'application/x-protobuf',
    'content-length': body.length,
  };
  return new Promise((resolve) => {
    const done = (good) => {
      if (!good) result.lost += 1;
      const tookMs = Date.now() - begun;
      result.slowestMs = Math.max(result.slowestMs, tookMs);
      if (tookMs > 1000) result.late += 1;
      resolve();
    };
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () => done(response.statusCode === 204));
    });
    call.once('error', (error) => {
      result.errors[error.code] = (result.errors[error.code] ?? 0) + 1;
      done(false);
    });
    call.end(body);
  });
}

if (role === 'receive') await receive();
else if (role === 'push') await push();
else await measureAll();
