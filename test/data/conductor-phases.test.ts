import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { previewScreen } from '../../src/commands/call/question.js';
import type { HandInTerms } from '../../src/commands/cluster/hand-in-of.js';
import type { LoggedEvent } from '../../src/core/events.js';
import { makeRunId } from '../../src/core/ids.js';
import { collectRun } from '../../src/door/collect.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type TestDatabase, testDatabase } from '../servers/sql.js';
import { followed, handInFor, patiently, startConductor, type WaitingConductor } from '../support/conductor.js';
import { type Workplace, workplace } from '../support/loadctl.js';
import { hasTerminals, startInTerminal } from '../support/pty.js';
import { type Looks, terminalCall } from '../support/terminal-call.js';

/* What a conductor does with data: on this machine, without a cluster around it. */

const bin = fileURLToPath(new URL('../../bin/loadctl.js', import.meta.url));

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

interface Shop {
  readonly here: Workplace;
  readonly sql: TestDatabase['sql'];
}

async function shop(target = 'http://127.0.0.1:1', more = ''): Promise<Shop> {
  const { url, sql } = await testDatabase(server, 'CREATE TABLE users (id text PRIMARY KEY, name text)');
  const here = workplace({
    'profiles/dev.yaml': `target: {url: "${target}"}\nworkload: {script: ../script.js}\nstores: {db: {kind: postgres, url: "${url}"}}
seed: {users: {table: db.users, rows: 20, columns: {id: "user-{n}", name: Test}}}\ncleanup: {settle: 10ms}\n${more}`,
    'script.js': 'export default () => {};',
  });
  return { here, sql };
}

/** What a terminal shows of a question that was asked elsewhere. */
async function shownOn({ shown, prompt = '' }: Asked, looks: Looks = { coloured: false }): Promise<string[]> {
  const { call, text } = terminalCall(looks);
  (await previewScreen(call))(shown);
  return [text(), prompt];
}

type Asked = Extract<LoggedEvent, { type: 'question-asked' }>;

/** Has a conductor of its own carry out a command on the data of a place; `asked` hears its questions. Brings what it leaves to `to`. */
async function conducted(
  here: Workplace,
  terms: Partial<HandInTerms>,
  {
    asked = async () => {},
    args = [],
    env = {},
    to = here,
  }: {
    asked?: (event: Asked, conductor: WaitingConductor) => Promise<void>;
    args?: string[];
    env?: Record<string, string>;
    to?: Workplace;
  } = {},
): Promise<LoggedEvent[]> {
  const conductor = await startConductor(workplace(), { args });
  await conductor.door.handIn(await handInFor(here, { env, patience: terms }), conductor.token);
  const { events } = await followed(conductor.door, (event) => void (event.type === 'question-asked' && asked(event, conductor)));
  await collectRun(conductor.door, { ...patiently, cwd: to.folder, run: makeRunId(Date.now()), environment: 'dev' });
  conductor.process.kill('SIGTERM');
  await conductor.said;
  return events;
}

const endOf = (events: readonly LoggedEvent[]) => events.find((event) => event.type === 'command-finished')?.reasons;
const users = "SELECT count(*)::int AS users, (count(*) FILTER (WHERE name = 'Bob'))::int AS changed FROM users";
const keptBy = ({ folder }: Workplace) => JSON.parse(readFileSync(join(folder, '.loadctl', 'before-dev.json'), 'utf8'));

describe('what is remembered of the data', () => {
  test('goes with the hand-in and comes back: a cleanup elsewhere knows what a seed elsewhere counted', async () => {
    const { here, sql } = await shop();
    await sql("INSERT INTO users VALUES ('ann', 'Ann')");
    expect(endOf(await conducted(here, { command: 'seed' }))).toEqual([]);
    expect(await sql(users)).toEqual([{ users: 21, changed: 0 }]);
    const counted = keptBy(here);
    expect(counted).toMatchObject({ environment: 'dev', seeded: [{ there: expect.anything() }] });

    const events = await conducted(here, { command: 'cleanup', options: { seeded: true } });
    expect(endOf(events)).toEqual([]);
    expect(events.find((event) => event.type === 'receipt-made')?.receipt).toMatchObject({
      proven: true,
      countedBefore: counted.at,
      others: [{ before: 1, after: 1 }],
    });
    expect(await sql(users)).toEqual([{ users: 1, changed: 0 }]);
    expect(keptBy(here)).toMatchObject({ at: counted.at, seeded: [] });
  });

  test('is not overwritten by what is older, and stays where the command was a load', async () => {
    const { here } = await shop();
    const other = workplace();
    const newer = JSON.stringify({ version: 2, environment: 'dev', at: '2999-01-01T00:00:00.000Z', seeded: [], evicted: [] });
    other.file('.loadctl/before-dev.json', newer);
    other.file('.loadctl/removed-dev.ndjson', '\n');
    await conducted(here, { command: 'seed' }, { to: other });
    expect(other.read('.loadctl/before-dev.json')).toBe(newer);
    expect(existsSync(join(other.folder, '.loadctl', 'removed-dev.ndjson'))).toBe(true);
    expect(existsSync(join(here.folder, '.loadctl'))).toBe(false);
    expect(endOf(await conducted(here, { command: 'run' }, { to: other }))).toEqual(['unavailable']); // nobody listens at port 1
    expect(other.read('.loadctl/before-dev.json')).toBe(newer);
  });
});

describe('a question of a conductor', () => {
  test.each([
    ['1', ['refused'], 2],
    ['2', [], 0],
    [null, ['refused'], 2],
  ])('seed --reset: %s is typed back', async (text, reasons, changed) => {
    const { here, sql } = await shop();
    await conducted(here, { command: 'seed' });
    await sql("UPDATE users SET name = 'Bob' WHERE id IN ('user-3', 'user-4')");
    const shown: string[] = [];
    const asked = async (event: Asked, { door }: WaitingConductor) => {
      shown.push(...(await shownOn(event)));
      expect((await door.state()).question).toBe(event.question);
      await door.answer({ question: event.question + 1, text: '2' }); // nobody asked that
      await door.answer({ question: event.question, text });
    };
    const events = await conducted(here, { command: 'seed', options: { reset: true } }, { asked });
    expect(shown).toEqual([
      expect.stringContaining('users (db.users): 2 rows changed since the seed'),
      'Type their number to remove them (2): ',
    ]);
    expect(events.find((event) => event.type === 'question-settled')).toMatchObject({ question: 1, isAnswered: text !== null });
    expect(endOf(events)).toEqual(reasons);
    expect(await sql(users)).toEqual([{ users: 20, changed }]);
  });

  test('seed --reset in CI is only shown, as in CI without a conductor', async () => {
    const { here, sql } = await shop();
    await conducted(here, { command: 'seed' });
    await sql("UPDATE users SET name = 'Bob' WHERE id = 'user-3'");
    const events = await conducted(here, { command: 'seed', options: { reset: true } }, { env: { CI: 'true' } });
    const asked = events.filter((event) => event.type === 'question-asked');
    expect(await Promise.all(asked.map((event) => shownOn(event)))).toEqual([[expect.stringContaining('1 row changed'), '']]);
    expect(events.find((event) => event.type === 'failed')?.error.message).toContain('never in CI');
    expect(endOf(events)).toEqual(['refused']);
  });

  test.each([
    ['dev', [], 20],
    ['prod', ['refused'], 0],
  ])('beyond this machine the name is typed back: %s', async (text, reasons, rows) => {
    const { here, sql } = await shop('http://shop.invalid', 'guards: {allow: [shop.invalid]}\n');
    const shown: string[] = [];
    const asked = async (event: Asked, { door }: WaitingConductor) => {
      shown.push(...(await shownOn(event)));
      await door.answer({ question: event.question, text });
    };
    const events = await conducted(here, { command: 'seed' }, { asked });
    expect(shown).toEqual([expect.stringContaining('PLAN  dev'), "Type the environment's name to continue (dev): "]);
    expect(endOf(events)).toEqual(reasons);
    expect(await sql(users)).toMatchObject([{ users: rows }]);
  });

  test.skipIf(!hasTerminals()).each([
    ['seed', { coloured: true, width: 80 }, {}],
    ['test', { coloured: true, width: 132 }, {}],
    ['cleanup', { coloured: false, width: 100 }, { NO_COLOR: '1' }],
  ] as const)('shows what a local one shows on that terminal, to the byte: %s %j', async (command, looks, env) => {
    const { here } = await shop('http://shop.invalid', 'guards: {allow: [shop.invalid, "${ALSO}"]}\nsla: {p95: < 500ms}\n');
    here.file('.env', 'ALSO=other.invalid\n');
    const { PATH = '', HOME = '', LOADCTL_K6 = '' } = process.env;
    const size = { columns: looks.width, rows: 40 };
    const local = startInTerminal([process.execPath, bin, command, '--env', 'dev'], here.folder, { PATH, HOME, LOADCTL_K6, ...env }, size);
    await local.until('Type the environment');
    await local.until(/\(dev\): /);
    const shownHere = local.shown();
    local.type('\x03');
    expect(await local.exitCode).toBe(112);

    const shownThere: string[] = [];
    const asked = async (event: Asked, { door }: WaitingConductor) => {
      shownThere.push(...(await shownOn(event, looks)));
      await door.answer({ question: event.question, text: null });
    };
    const events = await conducted(here, { command }, { asked });
    expect(endOf(events)).toEqual(['refused']);
    expect(shownThere[0]).toContain('ALSO: .env');
    expect(shownHere.replaceAll('\r\n', '\n')).toContain(shownThere[0]);
    expect(stripVTControlCharacters(shownHere)).toContain(shownThere[1]);
  });

  test('that nobody answers in time is answered with no', async () => {
    const { here, sql } = await shop('http://shop.invalid', 'guards: {allow: [shop.invalid]}\n');
    const events = await conducted(here, { command: 'cleanup' }, { args: ['--answer', '0.2'] });
    expect(events.find((event) => event.type === 'question-settled')).toMatchObject({ isAnswered: false, lateMs: 200 });
    expect(events.find((event) => event.type === 'failed')?.error).toMatchObject({
      code: 'refused',
      hint: expect.stringContaining('LOADCTL_CONFIRM=dev@'),
    });
    expect(await sql(users)).toMatchObject([{ users: 0 }]);
  });
});
