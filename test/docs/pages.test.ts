import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { typedCommands } from '../../src/commands/table.js';
import { type Reservations, startReservations } from '../servers/reservations.js';
import { canMakeHosts, startHosts } from '../servers/ssh-hosts.js';
import { type Block, blocksIn, patternOf, type Typed, typedIn } from './console-blocks.js';

/* README.md and docs/*.md type what their console blocks show: each block is run, in the order of its page, and its output compared. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const blocksOf = (page: string) => blocksIn(readFileSync(join(root, page), 'utf8'));
const consoles = (page: string) => blocksOf(page).filter(({ kind }) => kind === 'console');

/** What may be typed beside loadctl: plain tools. */
const tools = ['loadctl', 'k6', 'node', 'cat', 'cp', 'echo', 'ls', 'mkdir'];
/** How many blocks may go untested: less is better. */
const mostUntested = 13;
/** The load of a page's profiles is made small and short here. */
const smaller: readonly (readonly [RegExp, string])[] = [
  [/\bduration: 1m\b/, 'duration: 15s'],
  [/\bvus: 100\b/, 'vus: 20'],
  [/\bthroughput: 90\/s/, 'throughput: 10/s'],
];

let servers: Reservations;
let databases = 0;
beforeAll(async () => {
  servers = await startReservations({ users: 0, loadTest: true });
});
afterAll(() => servers.stop());

/** Where a page types: a folder, the variables of its shell, and the folder of the programs that come first there. */
interface Place {
  folder: string;
  env: Record<string, string>;
  readonly bin: string;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-docs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function likeAClone(): string {
  const folder = newFolder();
  for (const name of ['profiles', 'k6']) cpSync(join(root, name), join(folder, name), { recursive: true });
  for (const name of readdirSync(join(folder, 'profiles')))
    write(folder, `profiles/${name}`, readFileSync(join(folder, 'profiles', name), 'utf8'));
  return folder;
}

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(
    join(folder, path),
    smaller.reduce((shown, [from, to]) => shown.replace(from, to), text),
  );
}

function openPlace(): Place {
  const bin = newFolder();
  writeProgram(bin, 'loadctl', `'${process.execPath}' '${join(root, 'bin', 'loadctl.js')}'`);
  const { PATH = '', LOADCTL_K6 = '' } = process.env;
  symlinkSync(LOADCTL_K6, join(bin, 'k6'));
  const env = { PATH: `${bin}:${PATH}`, HOME: newFolder(), TMPDIR: newFolder(), LOADCTL_K6, LC_ALL: 'C.UTF-8' };
  const { databaseUrl: DB_URL, redisUrl: REDIS_URL, service } = servers;
  return { folder: likeAClone(), env: { ...env, DB_URL, REDIS_URL, BASE_URL: service.url }, bin };
}

function writeProgram(bin: string, name: string, call: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\nexec ${call} "$@"\n`);
  chmodSync(join(bin, name), 0o755);
}

/** A service that answers everything, not too fast. */
async function startAnswering(host = '127.0.0.1'): Promise<string> {
  const service = createServer((_request, response) => void setTimeout(() => response.end('{}'), 20)).listen(0, host);
  onTestFinished(() => void service.close().closeAllConnections());
  await once(service, 'listening');
  const address = service.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  return `http://${host}:${address.port}`;
}

/** A host that ssh reaches by its name, and a service at an address that it reaches, which the profile allows; the plan of this command is confirmed. */
async function reachHost(name: string, command: string, { bin, env, folder }: Place): Promise<void> {
  const { address, config } = await startHosts([{ name }]);
  writeProgram(bin, 'ssh', `/usr/bin/ssh -F '${config}'`);
  env.BASE_URL = await startAnswering(address);
  const [, environment = ''] = /--env (\S+)/.exec(command) ?? [];
  const profile = join(folder, 'profiles', `${environment}.yaml`);
  writeFileSync(profile, readFileSync(profile, 'utf8').replace('allow: [', `allow: [${address}, `));
  const plan = execFileSync('bash', ['--norc', '-c', `${command.replace('loadctl run', 'loadctl plan')} --json`], { cwd: folder, env });
  env.LOADCTL_CONFIRM = `${environment}@${JSON.parse(plan.toString()).hash}`;
}

/** A database of the page's own. */
async function inOwnDatabase(sql: string, { env }: Place): Promise<void> {
  if (env.DB_URL === servers.databaseUrl) {
    const name = `docs${++databases}`;
    await servers.pool.query(`CREATE DATABASE ${name}`);
    env.DB_URL = Object.assign(new URL(servers.databaseUrl), { pathname: `/${name}` }).href;
    env.BASE_URL = await startAnswering();
  }
  const client = new pg.Client({ connectionString: env.DB_URL });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

async function play(block: Block, place: Place, page: string): Promise<void> {
  const { said, kind, text, line } = block;
  const file = said.get('file');
  if (file !== undefined) write(place.folder, file, text);
  if (said.has('database')) await inOwnDatabase(text, place);
  if (said.get('folder') === 'empty')
    Object.assign(place, { folder: newFolder(), env: { ...place.env, BASE_URL: await startAnswering() } });
  if (kind !== 'console' || said.has('untested')) return;
  const first = said.get('first');
  if (first !== undefined) await type({ command: first, output: '' }, 0, { place, where: `${page}:${line}`, measured: false });
  const typed = typedIn(block);
  const host = said.get('host');
  if (host !== undefined && !canMakeHosts()) return;
  if (host !== undefined) await reachHost(host, typed[0]?.command ?? '', place);
  for (const [at, one] of typed.entries()) {
    const status = at === typed.length - 1 ? Number(said.get('exit') ?? 0) : 0;
    await type(one, status, { place, where: `${page}:${line}`, measured: said.has('measured') });
  }
}

/** Types a command: it ends with this status, and prints what is shown. */
async function type({ command, output }: Typed, status: number, on: { place: Place; where: string; measured: boolean }): Promise<void> {
  const { folder, env } = on.place;
  const shell = spawn('bash', ['--norc', '-c', `exec 2>&1\n${command}`], { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] });
  let printed = '';
  shell.stdout.setEncoding('utf8').on('data', (piece: string) => {
    printed += piece;
  });
  const [ended] = await once(shell, 'close');
  const seen = `${on.where}: $ ${command}\n${printed}`;
  if (process.env.LOADCTL_SHOW) console.log(seen);
  expect(ended, seen).toBe(status);
  if (output !== '') expect(printed, seen).toMatch(patternOf(output, on.measured));
}

test.each(pages.filter((page) => consoles(page).some(({ said }) => !said.has('untested'))))(
  '%s shows what loadctl prints',
  async (page) => {
    const place = openPlace();
    for (const block of blocksOf(page)) await play(block, place, page);
  },
);

test('console blocks type loadctl and plain tools', () => {
  const tried = pages.flatMap((page) =>
    consoles(page)
      .filter(({ said }) => !said.has('untested'))
      .flatMap((block) => typedIn(block)),
  );
  const words = tried.flatMap(({ command }) =>
    command
      .replace(/\s#.*/, '')
      .split(/\s*(?:\|\||&&|[|;])\s*/)
      .map((part) => part.replace(/^(?:[A-Z_]+=\S* )+/, '').split(' ')[0]),
  );
  expect([...new Set(words)].filter((word) => !tools.includes(word ?? ''))).toEqual([]);
  expect(tried.length).toBeGreaterThan(20);
});

test('what is not run says why, and is little', () => {
  const untested = pages.flatMap((page) =>
    consoles(page).flatMap(({ said, line }) => (said.has('untested') ? [{ at: `${page}:${line}`, why: said.get('untested') }] : [])),
  );
  expect(untested.filter(({ why }) => (why ?? '').length < 10)).toEqual([]);
  expect(untested.length).toBeLessThanOrEqual(mostUntested);
});

test('a command of loadctl stands in a console block, or in a sentence', () => {
  // In a table a comma or the next column follows.
  const call = String.raw`(?:\$ )?(?:[A-Z_]+=\S+ )*loadctl (?:${typedCommands.map(({ name }) => name).join('|')})\b(?!,| {2,}[^ #])`;
  const found = pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const elsewhere = blocksOf(page).filter((block) => block.kind !== 'console' && new RegExp(`^ *${call}`, 'm').test(block.text));
    const indented = text.replaceAll(/^```.*?^```$/gms, '').match(new RegExp(`^ {4,}${call}.*`, 'gm')) ?? [];
    return [...elsewhere.map(({ line }) => `${page}:${line}`), ...indented.map((line) => `${page}: ${line}`)];
  });
  expect(found).toEqual([]);
});
