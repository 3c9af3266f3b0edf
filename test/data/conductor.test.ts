import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { asRunId } from '../../src/core/ids.js';
import { collectRun } from '../../src/door/collect.js';
import { dialTo, doorOver, followed, handInFor, patiently, startConductor, type WaitingConductor } from '../support/conductor.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { startTarget, type Target } from '../support/target.js';

const script = `import http from 'k6/http';
import { sleep } from 'k6';
export default () => { http.get(__ENV.BASE_URL + '/work', { tags: { name: 'GET /work' } }); sleep(0.2); };
`;

/** Where the profile is, and where the conductor is: two folders that share nothing. */
async function places(more = '', load = 'vus: 2, duration: 2s'): Promise<{ here: Workplace; there: Workplace; target: Target }> {
  const target = await startTarget();
  const base = `target: {url: "${target.url}"}\nworkload: {script: ../k6/script.js, ${load}}\nrunners: {count: 2}\n`;
  const here = workplace({
    'profiles/dev.yaml': `extends: ../shared/base.yaml\n${more}`,
    'shared/base.yaml': base,
    'k6/script.js': script,
  });
  return { here, there: workplace(), target };
}

const filesIn = (folder: string) =>
  (readdirSync(folder, { recursive: true, withFileTypes: true }) as { isFile(): boolean; parentPath: string; name: string }[])
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();

const contents = (folder: string) =>
  Object.fromEntries(filesIn(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]));

/** The one run directory below a conductor's folder. */
function itsRun(there: Workplace): string {
  const found = (readdirSync(there.folder, { recursive: true, encoding: 'utf8' }) as string[]).find((name) =>
    /\.loadctl\/runs\/[^/]+$/.test(name),
  );
  if (found === undefined) throw new Error('no run there');
  return join(there.folder, found);
}

async function collected({ door }: WaitingConductor, cwd: string): Promise<string> {
  const run = asRunId((await door.state()).run);
  if (run === undefined) throw new Error('no run yet');
  return (await collectRun(door, { ...patiently, cwd, run, environment: 'dev' })) ?? expect.fail('left');
}

async function leave({ process, said }: WaitingConductor): Promise<void> {
  process.kill('SIGTERM');
  await said;
}

test('carries out what is handed in as loadctl run does, tells each event once, and gives its directory away', async () => {
  const { here, there, target } = await places('sla: {errors: < 1%}\n');
  const conductor = await startConductor(there);
  expect(await conductor.door.state()).toMatchObject({ protocol: 3, state: 'waiting', k6: expect.stringMatching(/^\d+\.\d+/) });
  await conductor.door.handIn(await handInFor(here), conductor.token);
  const { events, fails } = await followed(conductor.door);
  expect(fails).toBe(0);
  expect(events.at(-1)).toMatchObject({ type: 'command-finished', reasons: [] });
  const kept = readFileSync(join(itsRun(there), 'events.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(events).toEqual(kept.map((line) => JSON.parse(line)));
  expect(target.hits.get('GET /work')).toBeGreaterThan(4);

  const directory = await collected(conductor, here.folder);
  expect(contents(directory)).toEqual(contents(itsRun(there)));
  expect(filesIn(directory)).toEqual(
    expect.arrayContaining(['events.ndjson', 'report.html', 'run.json', 'summary.json', 'test.tar', 'verdict.json']),
  );
  const { code, stdout } = await here.loadctl(['verify', '--json']);
  expect([code, JSON.parse(stdout).verdict]).toEqual([0, 'pass']);
  expect((await conductor.door.state()).state).toBe('over'); // who else copies gets to end
  await leave(conductor);
});

test('every event comes once, in order, over connections that break wherever they do', async () => {
  const { here, there } = await places();
  const conductor = await startConductor(there);
  await conductor.door.handIn(await handInFor(here), conductor.token);
  let connections = 0;
  // Each connection lives for some bytes, in the middle of a line more often than not.
  const breaking = dialTo(conductor.port, (socket) => {
    connections += 1;
    let left = 200 + ((connections * 977) % 900);
    socket.on('data', (piece: Buffer) => {
      left -= piece.length;
      if (left < 0) socket.destroy();
    });
  });
  const { events, fails } = await followed(doorOver(breaking));
  const kept = readFileSync(join(itsRun(there), 'events.ndjson'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(fails).toBeGreaterThan(3);
  expect(events).toEqual(kept.map((line) => JSON.parse(line)));

  const directory = await collected({ ...conductor, door: doorOver(breaking) }, here.folder);
  expect(contents(directory)).toEqual(contents(itsRun(there)));
  await leave(conductor);
});

test('two collect at once, each all of it; and a second copy in the same folder does no harm', async () => {
  const { here, there } = await places();
  const other = workplace();
  const conductor = await startConductor(there);
  await conductor.door.handIn(await handInFor(here), conductor.token);
  await followed(conductor.door);
  const copies = await Promise.all([here, here, other].map(({ folder }) => collected(conductor, folder)));
  for (const copy of copies) expect(contents(copy)).toEqual(contents(itsRun(there)));
  expect(readdirSync(join(here.folder, '.loadctl')).filter((name) => name.startsWith('incoming'))).toEqual([]);
  await leave(conductor);
});

test('who reads slowly, or not at all, holds up nothing', async () => {
  const { here, there } = await places();
  const conductor = await startConductor(there);
  await conductor.door.handIn(await handInFor(here), conductor.token);
  const stuck = connect(conductor.port, '127.0.0.1').pause();
  stuck.write('GET /events?from=0 HTTP/1.1\r\nhost: conductor\r\n\r\n');
  const { events } = await followed(conductor.door);
  expect(events.at(-1)).toMatchObject({ type: 'command-finished', reasons: [] });
  expect(Object.keys(contents(await collected(conductor, here.folder)))).toContain('verdict.json');
  stuck.destroy();
  await leave(conductor);
});

describe('a run is ended', () => {
  const long = 'vus: 2, duration: 60s';
  const wishes = [
    ['as by Ctrl-C', { signal: 'SIGINT' }, { cause: 'signal' }],
    ['as by loadctl stop', { by: { user: 'ann', host: 'laptop' } }, { cause: 'asked', by: { user: 'ann', host: 'laptop' } }],
  ] as const;
  test.each(wishes)('%s', async (_, wish, stop) => {
    const { here, there, target } = await places('', long);
    const conductor = await startConductor(there);
    await conductor.door.handIn(await handInFor(here), conductor.token);
    const { events } = await followed(conductor.door, ({ type }) => {
      if (type === 'fleet-released') void conductor.door.stop(wish);
    });
    expect(events.find(({ type }) => type === 'fleet-stopped')).toMatchObject(stop);
    expect(events.at(-1)).toMatchObject({ type: 'command-finished', reasons: ['interrupted'] });
    const hits = target.hits.get('GET /work');
    await collected(conductor, here.folder);
    expect(target.hits.get('GET /work')).toBe(hits);
    await leave(conductor);
    expect((await conductor.said).code).toBe(105);
  });

  test('at once by a second interrupt', async () => {
    const { here, there } = await places('', long);
    const conductor = await startConductor(there);
    await conductor.door.handIn(await handInFor(here), conductor.token);
    const { events } = await followed(conductor.door, (event) => {
      if (event.type === 'fleet-released' || (event.type === 'noted' && event.code === 'stopping'))
        void conductor.door.stop({ signal: 'SIGINT' });
    });
    expect(events.at(-1)).toMatchObject({ type: 'command-finished', reasons: ['interrupted'] });
    await leave(conductor);
  });

  test('where nobody follows it, if that is asked for: as long as somebody asks again it goes on', async () => {
    const { here, there } = await places('', long);
    const conductor = await startConductor(there);
    await conductor.door.handIn(await handInFor(here, { patience: { stopUnfollowedMs: 3000 } }), conductor.token);
    // Three answers of half a second each are followed; the fourth is not asked for.
    let next = 0;
    for (let answers = 0; answers < 3 || next === 0; answers += 1)
      for await (const piece of (await conductor.door.events(next)) ?? expect.fail('over')) next += piece.toString().split('\n').length - 1;
    const file = () => join(itsRun(there), 'events.ndjson');
    await expect
      .poll(() => existsSync(file()) && readFileSync(file(), 'utf8').includes('command-finished'), { timeout: 30_000 })
      .toBe(true);
    const { events } = await followed(conductor.door);
    const stopped = events.find(({ type }) => type === 'fleet-stopped');
    expect(stopped).toMatchObject({ cause: 'unfollowed', forMs: 3000 });
    await leave(conductor);
    expect((await conductor.said).stderr).toContain('No client has followed the run for 3s (onClientLost).');
  });

  test('by its conductor being killed: the load is off within 5 s, and a follower hears of it', async () => {
    const { here, there, target } = await places('', long);
    const conductor = await startConductor(there);
    await conductor.door.handIn(await handInFor(here), conductor.token);
    const gone = followed(
      conductor.door,
      ({ type }) => {
        if (type === 'fleet-sampled') conductor.process.kill('SIGKILL');
      },
      5,
    );
    await expect(gone).rejects.toThrow(/ECONNREFUSED/);
    const hits = () => target.hits.get('GET /work') ?? 0;
    let before = -1;
    const isQuiet = () => {
      const [last, now] = [before, hits()];
      before = now;
      return last === now;
    };
    await expect.poll(isQuiet, { interval: 1500, timeout: 8000 }).toBe(true);
  });
});

test('variables come from who hands in, then from the mounted secret; they are nowhere in the folder', async () => {
  const words = 'workload: {env: {TOKEN: "${SHOP_TOKEN}", KEY: "${SHOP_KEY}"}}\nsla: {errors: < 1%}\n';
  const { here, there } = await places(words);
  const check = `\nconst back = (text) => text.split('').reverse().join('');\nexport function setup() { if (back(__ENV.TOKEN) !== 'potpal-morf-kot' || back(__ENV.KEY) !== 'terces-morf-yek') throw new Error('other values'); }\n`;
  here.file('k6/script.js', script + check);
  there.file('mounted/SHOP_TOKEN', 'tok-from-secret\n');
  there.file('mounted/SHOP_KEY', 'key-from-secret\n');
  there.file('mounted/..data/SHOP_KEY', 'of the kubelet');
  const conductor = await startConductor(there, { args: ['--variables', join(there.folder, 'mounted')] });
  await conductor.door.handIn(await handInFor(here, { env: { SHOP_TOKEN: 'tok-from-laptop' } }), conductor.token);
  const { events } = await followed(conductor.door);
  expect(events.at(-1)).toMatchObject({ type: 'command-finished', reasons: [] });
  const text = filesIn(there.folder)
    .filter((name) => !name.startsWith('mounted/'))
    .map((name) => readFileSync(join(there.folder, name), 'utf8'))
    .join('\n');
  expect(/tok-from-laptop|tok-from-secret|key-from-secret/.exec(text)).toBe(null);
  await leave(conductor);
});
