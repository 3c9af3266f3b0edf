import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { LoggedEvent } from '../../src/core/events.js';
import { attach } from '../../src/runs/attach.js';
import { type EventLog, followEvents } from '../../src/runs/follow.js';
import { readRunRecord } from '../../src/runs/record.js';
import { courseOf } from '../../src/runs/stop.js';
import { openWorld } from '../../src/world.js';

function runDirectory(): { directory: string; file: string } {
  const directory = mkdtempSync(join(tmpdir(), 'loadctl-follow-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return { directory, file: join(directory, 'events.ndjson') };
}

/** An event with a text in it, whose number is its moment. */
const event = (at: number, text = 'x'): LoggedEvent => ({ at, t: at, type: 'noted', code: 'k6-binary', message: text });
const line = (logged: LoggedEvent) => `${JSON.stringify(logged)}\n`;

async function news(log: EventLog): Promise<LoggedEvent[]> {
  const found: LoggedEvent[] = [];
  await log.read((one) => found.push(one));
  return found;
}

describe('events that are followed', () => {
  test('are none while there is not a file, and come when there is', async () => {
    const { directory, file } = runDirectory();
    const log = followEvents(directory);
    expect(await news(log)).toEqual([]);
    appendFileSync(file, line(event(1)) + line(event(2)));
    expect(await news(log)).toEqual([event(1), event(2)]);
    expect(await news(log)).toEqual([]);
    expect(await news(followEvents(join(file, 'no folder')))).toEqual([]);
  });

  test('wait for the end of their line', async () => {
    const { directory, file } = runDirectory();
    const log = followEvents(directory);
    const [start, end] = [line(event(2)).slice(0, 20), line(event(2)).slice(20)];
    appendFileSync(file, line(event(1)) + start);
    expect(await news(log)).toEqual([event(1)]);
    appendFileSync(file, end.slice(0, -1));
    expect(await news(log)).toEqual([]);
    appendFileSync(file, '\n');
    expect(await news(log)).toEqual([event(2)]);
  });

  test('keep their characters where a piece that is read ends inside one', async () => {
    const { directory, file } = runDirectory();
    const all = [event(1, '€'.repeat(70_000)), event(2, 'ä'), event(3, `x${'💶'.repeat(70_000)}`), event(4, 'é'.repeat(70_000))];
    writeFileSync(file, all.map(line).join(''));
    expect(await news(followEvents(directory))).toEqual(all);
  });

  test('are read once: what was read may be lost without anyone noticing', async () => {
    const { directory, file } = runDirectory();
    const log = followEvents(directory);
    appendFileSync(file, line(event(1)) + line(event(2)));
    expect(await news(log)).toEqual([event(1), event(2)]);
    const opened = openSync(file, 'r+');
    writeSync(opened, '#'.repeat(20), 0);
    closeSync(opened);
    appendFileSync(file, line(event(3)));
    expect(await news(log)).toEqual([event(3)]);
  });

  test('go on coming while they are read', async () => {
    const { directory, file } = runDirectory();
    const log = followEvents(directory);
    appendFileSync(file, line(event(1)));
    const found: number[] = [];
    const grow = ({ at }: LoggedEvent) => {
      found.push(at);
      if (at < 500) appendFileSync(file, line(event(at + 1, 'y'.repeat(at))));
    };
    while (found.length < 500) await log.read(grow);
    expect(found).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
  });

  test('that are damaged are named by their line', async () => {
    const { directory, file } = runDirectory();
    const log = followEvents(directory);
    appendFileSync(file, line(event(1)));
    await news(log);
    appendFileSync(file, `\n{"at":2,\n${line(event(3))}`);
    await expect(news(log)).rejects.toMatchObject({ reason: 'unavailable', message: expect.stringContaining('events.ndjson:3') });
  });

  test('are the same, however the file grew', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 8 }), cuts, async (texts, sizes) => {
        const { directory, file } = runDirectory();
        const log = followEvents(directory);
        const all = texts.map((one, at) => event(at, one));
        const bytes = Buffer.from(all.map(line).join(''));
        const found: LoggedEvent[] = [];
        let written = 0;
        for (const size of [...sizes, bytes.length]) {
          appendFileSync(file, bytes.subarray(written, written + size));
          written += size;
          found.push(...(await news(log)));
        }
        expect(found).toEqual(all);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a run that is watched', () => {
  const world = openWorld();
  const record = (pid: number) => ({
    version: 2,
    run: '20260102-030405-abcde',
    plan: { criteria: [], target: { url: 'http://127.0.0.1:1' } },
    by: { user: 'ann', host: world.who.host, pid },
  });
  const second = (at: number): LoggedEvent => ({
    at,
    t: at,
    type: 'fleet-sampled',
    elapsedMs: at,
    totalMs: 60_000,
    vus: 1,
    requests: at,
    requestsPerSecond: 1,
    failedRequests: 0,
    iterations: at,
    runnersReporting: 1,
  });
  const finished: LoggedEvent = { at: 9, t: 9, type: 'command-finished', reasons: [] };

  /** A run of this very process, which has written these events. */
  function running(...events: LoggedEvent[]) {
    const { directory, file } = runDirectory();
    writeFileSync(join(directory, 'run.json'), JSON.stringify(record(process.pid)));
    const log = (...more: LoggedEvent[]) => appendFileSync(file, more.map(line).join(''));
    log(...events);
    return { directory, log };
  }

  test('is shown with the last second of its past, in its place, and every second from there', async () => {
    const { directory, log } = running(event(1), second(2), event(3), second(4), event(5));
    const told: number[] = [];
    const how = await attach(
      directory,
      world,
      ({ at }) => {
        told.push(at);
        if (at === 5) log(second(6), event(7));
        if (at === 7) log(second(8), finished);
      },
      new AbortController().signal,
    );
    expect(how).toBe('ended');
    expect(told).toEqual([1, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('is left when the signal says so, and its loadctl that is gone is an error', async () => {
    const { directory } = running(event(1));
    const leave = new AbortController();
    expect(await attach(directory, world, () => leave.abort(), leave.signal)).toBe('left');
    writeFileSync(join(directory, 'run.json'), JSON.stringify(record(2 ** 22)));
    await expect(attach(directory, world, () => {}, new AbortController().signal)).rejects.toMatchObject({ reason: 'unavailable' });
  });

  test('goes on until its phase ends, or its loadctl is gone', async () => {
    const { directory, log } = running(event(1));
    const here = await readRunRecord(directory);
    expect(await courseOf(directory, here, world)).toBe('running');
    expect(await courseOf(directory, { ...here, by: { ...here.by, pid: 2 ** 22 } }, world)).toBe('over');
    log({ at: 2, t: 2, type: 'phase-finished', phase: 'run', elapsedMs: 1, reasons: [] }, event(3));
    expect(await courseOf(directory, here, world)).toBe('over');
  });
});
