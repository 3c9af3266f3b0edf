import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, Transform } from 'node:stream';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { LoggedEvent } from '../../src/core/events.js';
import { makeRunId } from '../../src/core/ids.js';
import { collectRun } from '../../src/door/collect.js';
import { type EventLog, openEventLog } from '../../src/door/event-log.js';
import { followDoor } from '../../src/door/follow.js';
import { doorProtocol } from '../../src/door/protocol.js';
import { listFiles } from '../../src/door/run-files.js';
import { openDoor } from '../../src/door/server.js';
import { openWorld } from '../../src/world.js';
import { dialTo, doorOver, patiently } from '../support/conductor.js';

const { clock } = openWorld();

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'loadctl-door-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A door on loopback behind which there are these events and this directory. */
async function openedDoor({ events = openEventLog(), directory }: { events?: EventLog; directory?: string }, answerMs = 20_000) {
  const nothing = async () => {};
  const files = directory === undefined ? undefined : { directory, memory: '', list: await listFiles(directory) };
  let collected = 0;
  const door = await openDoor(0, {
    clock,
    state: () => ({ protocol: doorProtocol, loadctl: '0', k6: null, state: 'over' }),
    events,
    tokenSha256: '',
    followMs: () => answerMs,
    handingIn: () => {},
    take: nothing,
    followed: () => {},
    stop: nothing,
    answer: () => {},
    files: async () => files,
    collected: () => {
      collected += 1;
    },
  });
  onTestFinished(() => door.close());
  return { port: door.port, collected: () => collected };
}

/** Waits as a follower does, a hundredth as long. */
const quickly = { ...patiently, clock: { sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms / 100, signal) } };

const noted = (at: number): LoggedEvent => ({ at, t: at, type: 'noted', code: 'k6-binary', message: `event ${at} ${'é'.repeat(at % 50)}` });

/** Connections of which each breaks after so many bytes of answers, in turn; the last ones hold. */
function breaking(port: number, afterBytes: readonly number[]) {
  const left = [...afterBytes];
  return dialTo(port, (socket: Socket) => {
    let rest = left.shift() ?? Number.POSITIVE_INFINITY;
    socket.on('data', (piece: Buffer) => {
      rest -= piece.length;
      if (rest < 0) socket.destroy();
    });
  });
}

const breaks = fc.array(fc.integer({ min: 0, max: 6000 }), { maxLength: 12 });

test('every event is told once and in order, wherever connections break, whenever answers end, whenever events come', async () => {
  const program = fc.record({
    early: fc.nat(20),
    late: fc.nat(60),
    breaks,
    answerMs: fc.constantFrom(1, 5, 20_000),
    pauseEvery: fc.integer({ min: 1, max: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(program, async ({ early, late, breaks, answerMs, pauseEvery }) => {
      const directory = folder();
      const events = openEventLog();
      const told: LoggedEvent[] = [];
      const file = join(directory, 'events.ndjson');
      const tell = (event: LoggedEvent) => {
        told.push(event);
        appendFileSync(file, `${JSON.stringify(event)}\n`);
        events.hear(event);
      };
      const { port } = await openedDoor({ events }, answerMs);
      const heard: LoggedEvent[] = [];
      const following = followDoor(doorOver(breaking(port, breaks)), (event) => heard.push(event), quickly);
      for (let at = 0; at < early; at += 1) tell(noted(at));
      tell({ at: early, t: early, type: 'run-opened', run: makeRunId(clock.stamp()), directory, planHash: 'abc' });
      for (let at = 1; at <= late; at += 1) {
        tell(noted(early + at));
        if (at % pauseEvery === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      events.end();
      expect(await following).toBe('over');
      expect(heard).toEqual(told);
    }),
    { numRuns: 15 },
  );
});

/** A directory with files of several sizes, and nothing. */
function runFolder(): string {
  const directory = folder();
  mkdirSync(join(directory, 'runners', 'é 1'), { recursive: true });
  for (const [name, size] of Object.entries({ 'run.json': 900, 'events.ndjson': 200_000, 'runners/é 1/log': 70_000, empty: 0 }))
    writeFileSync(join(directory, name), Buffer.alloc(size, 'a line of a log, with é\n'));
  return directory;
}

const names = ['run.json', 'events.ndjson', 'runners/é 1/log', 'empty'];
const contents = (directory: string) => names.map((name) => readFileSync(join(directory, name)).toString('base64'));

function collecting(cwd: string, damaged: string[] = []) {
  return { ...quickly, cwd, run: makeRunId(clock.stamp()), environment: 'dev', damaged: (path: string) => void damaged.push(path) };
}

test('a directory is copied whole, wherever connections break', async () => {
  const directory = runFolder();
  const { port, collected } = await openedDoor({ directory });
  const broken = fc.array(fc.integer({ min: 0, max: 150_000 }), { maxLength: 8 });
  let copies = 0;
  await fc.assert(
    fc.asyncProperty(broken, async (bytes) => {
      const copy = await collectRun(doorOver(breaking(port, bytes)), collecting(folder()));
      expect(contents(copy ?? '')).toEqual(contents(directory));
      copies += 1;
      expect(collected()).toBe(copies);
    }),
    { numRuns: 6 },
  );
});

/** Connections of which those with these numbers have the 1000th byte of what they bring, or the last, changed. */
function damaging(port: number, which: (connection: number) => boolean) {
  let connections = 0;
  return async () => {
    const connection = await dialTo(port)();
    connections += 1;
    if (!which(connections)) return connection;
    let seen = 0;
    const way = new Transform({
      transform: (piece: Buffer, _, done) => {
        const at = 1000 - seen;
        seen += piece.length;
        const changed = Buffer.from(piece);
        if (at >= 0 && at < piece.length) changed[at] = (changed[at] ?? 0) ^ 1;
        done(null, changed);
      },
    });
    connection.pipe(way);
    connection.once('error', (error) => way.destroy(error)).once('close', () => way.end());
    return Duplex.from({ readable: way, writable: connection });
  };
}

test('a file that arrives damaged is told of, and asked for again', async () => {
  const directory = runFolder();
  const { port, collected } = await openedDoor({ directory });
  const damaged: string[] = [];
  // The first one brings the list, the second one the first file that has 1000 bytes behind its head.
  const copy = await collectRun(
    doorOver(damaging(port, (connection) => connection === 3 || connection === 4)),
    collecting(folder(), damaged),
  );
  expect(contents(copy ?? '')).toEqual(contents(directory));
  expect(damaged.length).toBeGreaterThan(0);
  expect(collected()).toBe(1);
});

test('one that is damaged on every way there is ends the copying: nothing is left, and the conductor keeps all of it', async () => {
  const { port, collected } = await openedDoor({ directory: runFolder() });
  const here = folder();
  const copying = collectRun(doorOver(damaging(port, (connection) => connection > 1)), collecting(here));
  await expect(copying).rejects.toMatchObject({ reason: 'unavailable', message: expect.stringMatching(/arrived damaged 3 times/) });
  expect(collected()).toBe(0);
  expect(await listFiles(join(here, '.loadctl'))).toMatchObject({ files: [] });
});

test('a disk that takes no more is an error with what it is about', async () => {
  const { port, collected } = await openedDoor({ directory: runFolder() });
  const here = folder();
  writeFileSync(join(here, '.loadctl'), 'a file where a folder should be');
  await expect(collectRun(doorOver(dialTo(port)), collecting(here))).rejects.toMatchObject({ reason: 'unavailable' });
  expect(collected()).toBe(0);
});

test('who leaves while the conductor is out of reach has left at once, and left nothing', async () => {
  const { port } = await openedDoor({ directory: runFolder() });
  const here = folder();
  const leaving = new AbortController();
  const dial = dialTo(port);
  let connections = 0;
  // The list comes; every later connection hangs.
  const hanging = () => (++connections === 1 ? dial() : new Promise<Duplex>(() => leaving.abort()));
  expect(await collectRun(doorOver(hanging), { ...collecting(here), signal: leaving.signal })).toBe(undefined);
  expect(await listFiles(join(here, '.loadctl'))).toMatchObject({ files: [] });
  const gone = new AbortController();
  const silent = doorOver(() => new Promise<Duplex>(() => gone.abort()));
  expect(await followDoor(silent, () => {}, { ...patiently, signal: gone.signal })).toBe('left');
});
