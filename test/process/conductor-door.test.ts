import { request } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { newTarEntry, tarEnd } from '../../src/core/tar.js';
import { hashHeader, sha256Of, tokenHeader } from '../../src/door/protocol.js';
import { followed, handInFor, startConductor, type WaitingConductor } from '../support/conductor.js';
import { workplace } from '../support/loadctl.js';

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One request, as any client may make it. */
function ask(
  { port }: WaitingConductor,
  method: string,
  path: string,
  { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.once('error', reject).end(body);
  });
}

const handIn = (conductor: WaitingConductor, body: string | Buffer, { token = conductor.token, sha256 = sha256Of(body) } = {}) =>
  ask(conductor, 'POST', '/hand-in', { headers: { [tokenHeader]: token, [hashHeader]: sha256 }, body });

const tarOf = (files: Record<string, string>) =>
  Buffer.concat([...Object.entries(files).flatMap(([name, content]) => newTarEntry(name, content)), tarEnd]);

const sound = {
  cwd: '',
  profile: 'dev.yaml',
  files: { 0: 'dev.yaml' },
  origin: {},
  plan: {},
  command: 'run',
  options: {},
  run: '20261129-080000-abcde',
  who: {},
  set: [],
  scriptEnv: [],
  variables: {},
  keepMs: 1,
};

async function leave({ process, said }: WaitingConductor): Promise<{ code: number | null; stderr: string }> {
  process.kill('SIGTERM');
  return said;
}

test('takes nothing without the token, nothing damaged, nothing that leads out of its folder; and waits on', async () => {
  const conductor = await startConductor(workplace());
  const body = tarOf({ 'hand-in.json': JSON.stringify(sound), 0: 'target: {}' });
  const wrong: [Promise<Answer>, number, RegExp][] = [
    [handIn(conductor, body, { token: 'another' }), 401, /wrong token/],
    [handIn(conductor, body, { token: '' }), 401, /wrong token/],
    [handIn(conductor, body, { token: `${conductor.token}é` }), 401, /wrong token/],
    [handIn(conductor, body.subarray(0, 700), { sha256: sha256Of(body) }), 400, /damaged on its way/],
    [handIn(conductor, body, { sha256: '' }), 400, /damaged on its way/],
    [handIn(conductor, 'no tar'), 422, /hand-in\.json is missing/],
    [handIn(conductor, tarOf({ 'hand-in.json': '{' })), 422, /not JSON/],
    [handIn(conductor, tarOf({ 'hand-in.json': JSON.stringify(sound) })), 422, /dev\.yaml is missing/],
    [handIn(conductor, tarOf({ 'hand-in.json': JSON.stringify({ ...sound, keepMs: 'long' }), 0: '' })), 422, /keepMs is not a number/],
    [
      handIn(conductor, tarOf({ 'hand-in.json': JSON.stringify({ ...sound, files: { 0: '../../etc/passwd' } }), 0: '' })),
      422,
      /leads out of it/,
    ],
    [handIn(conductor, tarOf({ 'hand-in.json': JSON.stringify({ ...sound, profile: '/etc/passwd' }), 0: '' })), 422, /leads out of it/],
  ];
  for (const [answer, status, text] of wrong) expect(await answer).toEqual({ status, text: expect.stringMatching(text) });
  expect((await conductor.door.state()).state).toBe('waiting');
  expect((await leave(conductor)).code).toBe(105);
});

test('knows no other paths, and says what is wrong with a question', async () => {
  const conductor = await startConductor(workplace());
  const asked = [
    ['GET', '/etc/passwd', 404],
    ['GET', '/hand-in', 404],
    ['GET', '/events?from=-1', 400],
    ['GET', '/events', 400],
    ['GET', '/files', 409],
    ['GET', '/files/run.json', 409],
    ['POST', '/collected', 409],
    ['POST', '/stop', 400],
  ] as const;
  for (const [method, path, status] of asked) expect([path, (await ask(conductor, method, path)).status]).toEqual([path, status]);
  const junk = connect(conductor.port, '127.0.0.1');
  junk.resume().end('\0\x01 not HTTP\r\n\r\n');
  await new Promise((resolve) => junk.once('close', resolve));
  expect((await conductor.door.state()).state).toBe('waiting');
  await leave(conductor);
});

test('a profile that cannot be read there: whoever asks is told why, and the conductor ends by it', async () => {
  const place = workplace({
    'profiles/dev.yaml':
      'target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../s.js, vus: 1, duration: 1s, env: {A: "${NOT_SET_ANYWHERE}"}}\n',
    's.js': 'export default () => {};',
  });
  const conductor = await startConductor(workplace());
  const tar = await handInFor(place);
  expect((await handIn(conductor, tar)).status).toBe(202);
  expect((await handIn(conductor, tar)).status).toBe(200); // who did not hear the answer asks again
  expect((await handIn(conductor, 'another')).status).toBe(409);
  expect((await followed(conductor.door)).events).toEqual([]);
  expect(await conductor.door.state()).toMatchObject({
    state: 'over',
    error: { code: 'invalid-profile', lines: expect.arrayContaining([expect.stringContaining('NOT_SET_ANYWHERE')]) },
  });
  const list = await conductor.door.files();
  expect(list.files).toEqual([]);
  expect((await ask(conductor, 'POST', '/collected', { body: 'another hash' })).status).toBe(409);
  expect((await leave(conductor)).code).toBe(104);
});

test('is started by loadctl alone: without a token it says so, and help does not list it', async () => {
  const place = workplace();
  const { code, stderr } = await place.loadctl(['conduct']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('LOADCTL_HAND_IN is not the SHA-256 of a token.')]);
  expect((await place.loadctl(['--help'])).stdout).not.toContain('conduct');
});
