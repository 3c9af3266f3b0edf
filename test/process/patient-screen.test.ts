import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type PatientScreen, patientScreen } from '../../src/world/screen.js';
import { suspension } from '../../src/world/suspend.js';
import { openWorld } from '../../src/world.js';

const { clock } = openWorld();
const moves = { clearLine: () => true, clearScreenDown: () => true, cursorTo: () => true, moveCursor: () => true };
const line = `${'a line of some length '.repeat(40)}\n`;

/** A screen, and the reader at its other end, who does not read yet. */
async function screenFor(of: 'talk' | 'results'): Promise<{ readonly screen: PatientScreen; readonly reader: Socket }> {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-screen-'));
  const server = createServer({ pauseOnConnect: true }).listen(join(folder, 'socket'));
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const writer = connect(join(folder, 'socket'));
  const [reader] = (await accepted) as [Socket];
  onTestFinished(() => {
    writer.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const drawn = Object.assign(writer, { isTTY: false, columns: 80, rows: 24, fd: 2 as const, ...moves });
  const size = { getColorDepth: () => 1, hasColors: () => false, getWindowSize: (): [number, number] => [80, 24] };
  return {
    screen: patientScreen(Object.assign(drawn, size), of, {
      clock,
      suspended: suspension({ on: () => {}, off: () => {}, send: () => {} }),
    }),
    reader,
  };
}

function hear(reader: Socket): () => string {
  let said = '';
  reader.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  reader.resume();
  return () => said;
}

const linesIn = (text: string) => text.split('\n').filter((one) => `${one}\n` === line).length;

test('what is said to a reader that takes nothing is left out after a while, and told once it reads on', async () => {
  const { screen, reader } = await screenFor('talk');
  for (let count = 0; count < 2000; count += 1) screen.write(line);
  expect(screen.isBehind).toBe(true);

  const said = hear(reader);
  await expect.poll(said, { timeout: 5000 }).toMatch(/missing here/);

  const left = Number(/… (\d+) lines or so are missing here/.exec(said())?.[1]);
  expect(left).toBeGreaterThan(500);
  expect(linesIn(said()) + left).toBe(2000);
  screen.write('on\n');
  await expect.poll(said).toMatch(/on\n$/);
});

test('results are left out for nobody', async () => {
  const { screen, reader } = await screenFor('results');
  for (let count = 0; count < 2000; count += 1) screen.write(line);
  const said = hear(reader);
  await screen.read(() => 10_000);
  await expect.poll(() => linesIn(said())).toBe(2000);
});

test('a reader is waited for as long as it takes something, and no longer than it is worth', async () => {
  const { screen } = await screenFor('talk');
  await screen.read(() => 0);
  for (let count = 0; count < 1000; count += 1) screen.write(line);
  const begun = performance.now();
  await screen.read(() => 300);
  expect(performance.now() - begun).toBeGreaterThan(290);
  expect(performance.now() - begun).toBeLessThan(2000);
});
