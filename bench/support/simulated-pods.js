import { createHash } from 'node:crypto';
import { Agent, createServer, request } from 'node:http';
import { dial } from '../../dist/runners/kubernetes/carrier/dial.js';
import { toClock } from '../../dist/runners/kubernetes/carrier/streams.js';
import { eachLine } from '../../dist/runners/kubernetes/link/lines.js';
import { jsonIn, openingIn, protocol } from '../../dist/runners/kubernetes/link/wire.js';
import { shippedPush } from './shipped-push.js';
import { simulatedSummary } from './simulated-summary.js';

/** Pods that dial at the same time: a cluster starts them one after another. */
const dialsAtOnce = 20;
const clock = { stamp: () => Date.now() };

/**
 * As many pods as are asked for, in one process: each with a carrier that dials as a real one does, an agent that answers every
 * order, and the REST API and the pushes of a k6 that is not there. `lost` fall silent `loseAtMs` after they were released.
 */
export async function startPods({ conductor, count, seconds, lost, loseAtMs }) {
  const bodies = Array.from({ length: seconds + 10 }, (_, at) => shippedPush(at + 1));
  const summaries = Array.from({ length: 20 }, (_, at) => simulatedSummary(at));
  const noted = { releasedAt: new Map(), silentAt: new Map(), pushes: [], failed: 0, errors: {}, summaryBytes: summaries[0].length };
  const rest = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (call, response) => call.socket.pod.answer(call, response));
  const waiting = Array.from({ length: count }, (_, index) => index);
  const start = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const pod = podOf({ index, conductor, rest, bodies, summaries, noted, seconds, loseAtMs: lost.has(index) ? loseAtMs : undefined });
      await pod.dialIn();
    }
  };
  await Promise.all(Array.from({ length: dialsAtOnce }, start));
  return noted;
}

function podOf(of) {
  const pod = { ...of, silent: false, status: 4, paused: true, runner: undefined, task: undefined };
  pod.pushing = new Agent({ keepAlive: true, maxSockets: 1 });
  const dialPush = async () => quiet(await dial(of.conductor, { as: 'push' }));
  const nextLine = async () => {
    const dialled = pod.ahead;
    pod.ahead = undefined;
    return (await dialled) ?? dialPush();
  };
  pod.dialAhead = () => {
    pod.ahead = dialPush().catch(() => undefined);
  };
  pod.pushing.createConnection = (_, done) => void nextLine().then((socket) => done(null, socket), done);
  return Object.assign(pod, {
    answer: (call, response) => answerRest(pod, call, response),
    dialIn: () => dialIn(pod),
  });
}

/** Dials as a carrier does, and opens what it is told to. */
async function dialIn(pod) {
  const { index, conductor } = pod;
  const hello = { as: 'carrier', protocol, loadctl: 'simulated', index, pod: `simulated-${index}`, pushPort: 9 };
  const control = quiet(await dialUntil(conductor, hello));
  pod.dialAhead();
  control.once('end', () => control.end()).once('close', () => pod.pushing.destroy());
  eachLine(control, (line) => {
    if (!pod.silent) open(pod, openingIn(jsonIn(line))).catch(() => {});
  });
}

async function open(pod, { stream: id, to }) {
  const stream = quiet(await dial(pod.conductor, { as: 'stream', id }));
  if ('clock' in to) toClock(stream, clock);
  else if ('port' in to) pod.rest.emit('connection', Object.assign(stream, { pod }));
  else if (to.isAgent) afterScript(stream, to.command, () => speak(pod, stream));
  else if (to.command[2].startsWith('cat >')) takeFile(stream);
  else sayFiles(pod, stream, to.command.slice(5));
}

/** The agent of the pod. */
function speak(pod, stream) {
  let [runner, script, lines] = ['', [], 0];
  stream.once('end', () => stream.end());
  stream.write(`ready agent /tmp/simulated-${pod.index}\n`);
  eachLine(stream, (line) => {
    if (pod.silent || !stream.writable) return;
    if (lines > 0) {
      script.push(line);
      lines -= 1;
      if (lines === 0) stream.write(`${run(pod, runner, script.join('\n'))}\n`);
      return;
    }
    const [word, of = '', more = ''] = line.split(' ');
    if (word === 'run') [runner, script, lines] = [of, [], Number(more)];
    else if (word === 'bye') stream.end();
    else stream.write(`${(answers[word === 'look' ? `${word} ${of}` : word] ?? answers[''])(of, pod)}\n`);
  });
}

const answers = {
  '': () => 'beat',
  now: () => `now clock ${Date.now() / 1000}`,
  'look use': (_, { runner }) => `${use(runner)}\nlooked use`,
  'look host': () => `${hostFacts}\nlooked host`,
  whose: (runner) => `port ${runner} own`,
  end: (runner) => `ended ${runner} 0\nkept ${runner} 0`,
  kill: (runner) => `ended ${runner} KILL\nkept ${runner} 0`,
};

function use(runner) {
  const ticks = Math.round(process.uptime() * 20);
  const fields = ['R', ...Array(10).fill(0), ticks, ticks, ...Array(8).fill(0), 20_000];
  const machine = `seen machine cpu ${ticks} 0 ${ticks} ${ticks * 8} 0 0 0 0\nseen machine cpu0 0\nseen machine cpu1 0`;
  return `${machine}\n${memory}\nseen process-${runner} 42 (k6) ${fields.join(' ')}`;
}

/** What k6 would be started with says where it pushes, and how often. */
function run(pod, runner, script) {
  const value = (name) => new RegExp(`export ${name}='?([^'\\n]*)`).exec(script)?.[1] ?? '';
  pod.runner = runner;
  pod.task = {
    path: new URL(value('K6_PROMETHEUS_RW_SERVER_URL')).pathname,
    token: value('K6_PROMETHEUS_RW_BEARER_TOKEN'),
    everyMs: Number.parseInt(value('K6_PROMETHEUS_RW_PUSH_INTERVAL'), 10),
  };
  return `started ${runner} 42`;
}

function answerRest(pod, call, response) {
  if (pod.silent) return;
  call.resume();
  if (call.method === 'PATCH' && pod.paused) begin(pod);
  const attributes = { status: pod.status, paused: pod.paused, vus: 60, 'vus-max': 60 };
  response.end(JSON.stringify({ data: call.url.endsWith('/status') ? { attributes } : [] }));
}

/** The load: nothing but its pushes, each runner's at its own time. */
function begin(pod) {
  const { index, noted, seconds, loseAtMs, task } = pod;
  Object.assign(pod, { paused: false, status: 7 });
  noted.releasedAt.set(index, Date.now());
  let number = 0;
  const tick = () => {
    number += 1;
    push(pod, number);
    timer = setTimeout(tick, task.everyMs);
  };
  let timer = setTimeout(tick, Math.random() * task.everyMs);
  setTimeout(() => {
    clearTimeout(timer);
    if (pod.silent) return;
    push(pod, number + 1);
    pod.status = 9;
  }, seconds * 1000);
  if (loseAtMs === undefined) return;
  setTimeout(() => {
    pod.silent = true;
    noted.silentAt.set(index, Date.now());
  }, loseAtMs);
}

function push(pod, number) {
  if (pod.silent) return;
  const { noted, bodies, pushing } = pod;
  const { path, token, everyMs } = pod.task;
  const body = bodies[Math.min(bodies.length - 1, Math.round((number * everyMs) / 1000))];
  noted.pushes.push(Date.now());
  const fail = (why) => {
    noted.failed += 1;
    noted.errors[why] = (noted.errors[why] ?? 0) + 1;
  };
  const headers = { authorization: `Bearer ${token}`, 'content-encoding': 'snappy', 'content-length': body.length };
  const call = request({ host: '127.0.0.1', path, method: 'POST', agent: pushing, headers }, (response) => {
    if (response.statusCode !== 204) fail(response.statusCode);
    response.resume();
  });
  call.once('error', (error) => {
    if (!pod.silent && pod.status < 9) fail(error.message);
  });
  call.end(body);
}

const memory = 'seen memory MemTotal: 4000000 kB\nseen memory MemFree: 3000000 kB\nseen memory MemAvailable: 3000000 kB';
const hostFacts = `${memory}
seen ports 32768\t60999
seen platform Linux x86_64
seen cpus 2
seen open-files 1048576
seen k6-path /usr/bin/k6
seen k6-version k6 v2.2.0 (simulated)`;

/** As a carrier does: a conductor may be slow while others start. */
async function dialUntil(conductor, greeting) {
  for (;;) {
    const socket = await dial(conductor, greeting).catch(() => undefined);
    if (socket !== undefined) return socket;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** What breaks is seen at the other end. */
function quiet(stream) {
  return stream.on('error', () => {});
}

/** An agent's own script comes first, as long as its command says. */
function afterScript(stream, command, begin) {
  let left = Number(/count=(\d+)/.exec(command.join(' '))?.[1]);
  const take = (piece) => {
    left -= piece.length;
    if (left > 0) return;
    stream.off('data', take);
    if (left < 0) stream.unshift(piece.subarray(piece.length + left));
    begin();
  };
  stream.on('data', take);
}

/** A file that is sent is hashed, as a pod does, and thrown away. */
function takeFile(stream) {
  const hash = createHash('sha256');
  stream.on('data', (piece) => hash.update(piece));
  stream.once('end', () => stream.end(`${hash.digest('hex')}  -\n`));
}

function sayFiles({ index, noted, seconds, summaries }, stream, [mark, ...names]) {
  const texts = {
    'summary.json': summaries[index % summaries.length].replace('"BEGAN"', String(noted.releasedAt.get(index) ?? 0)),
    'facts.json': JSON.stringify({ durationMs: seconds * 1000, contains: {} }),
  };
  const said = names.map((name) => `${Buffer.byteLength(texts[name] ?? '')}\n${texts[name] ?? ''}`);
  stream.end(`\n${mark}\n${said.join('')}`);
}
