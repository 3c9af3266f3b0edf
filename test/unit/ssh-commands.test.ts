import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeGate } from '../../src/core/gate.js';
import { runnerId } from '../../src/core/ids.js';
import { hostFacts } from '../../src/runners/agent/host-facts.js';
import { endIn, orders, readAnswer } from '../../src/runners/agent/protocol.js';
import { agentCommand } from '../../src/runners/agent/script.js';
import { connectCommand, fedFrom, forwardCommand, overSsh, reverseCommand, type SshHost } from '../../src/runners/ssh/commands.js';
import { destinationOf } from '../../src/runners/ssh/destination.js';
import { connectFailure } from '../../src/runners/ssh/failures.js';
import { listensBeyondLoopback } from '../../src/runners/ssh/tunnels.js';

const host: SshHost = { ...destinationOf('ann@load-1:2222'), socket: '/tmp/loadctl-x/0', configFile: undefined };
const hostile = ['', ' ', `it's`, '"', '$HOME', '`id`', '\\', 'a\nb', '-x', '*', '!', 'ü', '$(id)', ';'];

test.each([
  ['load-1', { target: 'load-1' }],
  ['ann@load-1', { target: 'ann@load-1' }],
  ['ann@load-1:2222', { target: 'ann@load-1', port: '2222' }],
  ['[2001:db8::1]:22', { target: '2001:db8::1', port: '22' }],
  ['ann@[2001:db8::1]', { target: 'ann@2001:db8::1' }],
  ['2001:db8::1', { target: '2001:db8::1' }],
])('%s is read as ssh reads it', (name, expected) => {
  expect(destinationOf(name)).toEqual({ name, ...expected });
});

test('a command over ssh goes through the connection that is open, or not at all', () => {
  const { file, args } = overSsh(host, { file: 'cat', args: ['a b'] });
  expect(file).toBe('ssh');
  expect(args.slice(-5)).toEqual(['-p', '2222', '--', 'ann@load-1', "cat 'a b'"]);
  expect(args).toContain('ProxyCommand=false');
  expect(args).toContain('ControlPath=/tmp/loadctl-x/0');
});

test('a host cannot be an option, and nothing of the user’s config runs or forwards besides', () => {
  const { args } = connectCommand({ ...host, target: '-oProxyCommand=id' }, { file: 'true', args: [] });
  expect(args.indexOf('--')).toBe(args.indexOf('-oProxyCommand=id') - 1);
  for (const option of ['BatchMode=yes', 'ControlPersist=no', 'ForwardAgent=no', 'RemoteCommand=none']) expect(args).toContain(option);
});

test('both ends of a tunnel are loopback', () => {
  expect(forwardCommand(host, { from: 1000, to: 2000 }).args).toContain('127.0.0.1:1000:127.0.0.1:2000');
  expect(reverseCommand(host, 3000).args).toContain('127.0.0.1:0:127.0.0.1:3000');
});

test('words reach a command on the host as they are, whatever is in them', () => {
  const remote = overSsh(host, { file: 'printf', args: ['%s\\0', ...hostile] }).args.at(-1) ?? '';
  expect(execFileSync('sh', ['-c', remote], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(hostile);
});

test('a file is fed to a command by a shell that quotes nothing', () => {
  const { file, args } = fedFrom('/etc/hostname', { file: 'cat', args: ['-', '/dev/null'] });
  expect(execFileSync(file, [...args], { encoding: 'utf8' })).toBe(execFileSync('cat', ['/etc/hostname'], { encoding: 'utf8' }));
});

test('an order hands variables over as they are, but for PATH and HOME, and says how many lines it has', () => {
  const env = Object.fromEntries(hostile.map((value, index) => [`V${index}`, value]));
  const folder = mkdtempSync(join(tmpdir(), "loadctl it's $HOME-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const order = orders.run(runnerId(7), { file: 'env', args: ['-0'], env: { ...env, PATH: '/nowhere', HOME: '/nowhere' } });
  const [first = '', ...lines] = order.slice(0, -1).split('\n');
  expect(first).toBe(`run 7 ${lines.length}`);
  const script = join(folder, 'command');
  writeFileSync(script, lines.join('\n'));
  const said = execFileSync('sh', [script], { env: { PATH: process.env.PATH }, encoding: 'utf8' });
  expect(readdirSync(folder)).toEqual([]);
  const seen = new Map(said.split('\0').map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
  expect(hostile.map((_, index) => seen.get(`V${index}`))).toEqual(hostile);
  expect([seen.get('PATH') === '/nowhere', seen.has('HOME')]).toEqual([false, false]);
});

test('a variable whose name no shell knows is refused', () => {
  expect(() => orders.run(runnerId(1), { file: 'k6', args: [], env: { 'a.b': 'x' } })).toThrow('no shell knows a variable a.b');
});

test('the agent comes by stdin: its command is one plain line for whichever shell the user has there', () => {
  const { stdin = '', ...command } = agentCommand('abc');
  const line = connectCommand(host, command).args.at(-1);
  expect(line).toMatch(/^exec sh -c 'script=\$\(dd ibs=1 obs=9999 count=\d+ 2>\/dev\/null\); eval "\$script"' loadctl-agent abc remove$/);
  execFileSync('sh', ['-n'], { input: stdin });
});

test.each([
  ['seen ports 32768\t60999', { word: 'seen', of: 'ports', text: '32768\t60999' }],
  ['seen k6-path ', { word: 'seen', of: 'k6-path', text: '' }],
  ['seen machine cpu  12 3', { word: 'seen', of: 'machine', text: 'cpu  12 3' }],
  ['ready agent /tmp/with space', { word: 'ready', of: 'agent', text: '/tmp/with space' }],
  ['started 3 4711', { word: 'started', of: '3', text: '4711' }],
  ['looked use', { word: 'looked', of: 'use', text: '' }],
  ['beat', { word: 'beat', of: '', text: '' }],
  ['Welcome to this host!', undefined],
])('%s is an answer of the agent', (line, answer) => {
  expect(readAnswer(line)).toEqual(answer);
});

test.each([
  ['107', { exitCode: 107 }],
  ['255', { exitCode: 255 }],
  ['KILL', { signal: 'SIGKILL' }],
])('a runner that ended with %s', (text, end) => {
  expect(endIn({ word: 'ended', of: '3', text })).toEqual(end);
});

const remedies = { missing: 'Install it.', old: 'Update it.' };
const seen = {
  'k6-version': 'k6 v2.2.0 (go1.25, linux/amd64)\n',
  platform: 'Linux x86_64\n',
  cpus: '8\n',
  memory: 'MemTotal: 4096 kB\nMemAvailable: 1024 kB\n',
  'open-files': 'unlimited\n',
  ports: '32768\t60999\n',
};

test('a host’s facts are numbers where it tells them', () => {
  expect(hostFacts('h', { seen: new Map(Object.entries(seen)), clockOffsetMs: 12, remedies })).toEqual({
    k6Version: '2.2.0',
    platform: 'Linux x86_64',
    cpus: 8,
    freeMemoryBytes: 1_048_576,
    portsFrom: 32_768,
    portsTo: 60_999,
    clockOffsetMs: 12,
  });
});

test('a host’s control group may leave less than the host has', () => {
  const limits = { 'memory.max': '524288\n', 'memory.current': '24288\n', 'cpu.max': '150000 100000\n' };
  expect(hostFacts('h', { seen: new Map(Object.entries({ ...seen, ...limits })), clockOffsetMs: 0, remedies })).toMatchObject({
    cpus: 1.5,
    freeMemoryBytes: 500_000,
  });
});

test.each([
  ['', 'No k6 found on h.'],
  ['k6 v1.7.1 (go1.24)', 'The k6 on h is v1.7.1: loadctl needs k6 v2.0 or newer.'],
])('a host whose k6 says "%s" is refused', (version, message) => {
  expect(() => hostFacts('h', { seen: new Map(Object.entries({ ...seen, 'k6-version': version })), clockOffsetMs: 0, remedies })).toThrow(
    message,
  );
});

test.each([
  ['@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.', /not the one that is known/, false],
  ['No ED25519 host key is known for 10.0.0.1 and you have requested strict checking.\nHost key verification failed.', /is unknown/, false],
  ['ann@load-1: Permission denied (publickey).', /does not accept your login without a prompt/, false],
  ['ssh: Could not resolve hostname load-1: Name or service not known', /ssh cannot resolve the host/, false],
  ['ssh: connect to host load-1 port 22: Connection refused', /cannot be reached/, false],
  ['ssh: connect to host load-1 port 22: Connection timed out', /cannot be reached/, false],
  ['kex_exchange_identification: Connection closed by remote host', /before the login/, true],
  ['banner exchange: Connection to UNKNOWN port 65535: Broken pipe', /before the login/, true],
  ['ssh_dispatch_run_fatal: Connection to 10.0.0.1 port 22: Broken pipe', /before the login/, true],
  ['banner exchange: Connection to 10.0.0.1 port 22: invalid format', /could not be opened \(ssh: exit code 255\)/, false],
  ['something new', /could not be opened \(ssh: exit code 255\)/, false],
])('ssh says "%s"', (said, message, passing) => {
  const failure = connectFailure(host, undefined, { exitCode: 255 }, said.split('\n'));
  expect(failure.error.message).toMatch(message);
  expect([failure.error.reason, failure.passing]).toEqual(['unavailable', passing]);
  expect(failure.error.hint).toBeDefined();
});

test('a gate lets so much through at a time, and the rest in turn, whatever fails', async () => {
  const gate = makeGate(2);
  let inside = 0;
  let most = 0;
  const work = async (fails: boolean) => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
    if (fails) throw new Error('boom');
  };
  const settled = await Promise.allSettled([true, false, true, false, false].map((fails) => gate(() => work(fails))));
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(most).toBe(2);
});

test('a port that is open beyond loopback is seen in the kernel’s table', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000',
    '   1: 00000000:1F91 00000000:0000 0A 00000000:00000000',
    '   2: 0100007F:1F92 0100007F:1F91 01 00000000:00000000',
    '   3: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A',
    '   4: 00000000000000000000000000000000:1F93 00000000000000000000000000000000:0000 0A',
  ].join('\n');
  expect([8080, 8081, 8082, 8083].map((port) => listensBeyondLoopback(table, port))).toEqual([false, true, false, true]);
});
