import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const sshd = '/usr/sbin/sshd';
/** sshd wants this empty folder; its package leaves making it to its service. */
const privilegeSeparation = '/run/sshd';

/** How a host differs from a plain one that has k6. */
export interface HostKind {
  readonly name: string;
  readonly k6?: 'on its PATH' | 'missing' | 'says that it is 2.0.0';
  /** What the client knows of its host key. */
  readonly key?: 'known' | 'wrong' | 'unknown';
  /** Whether it lets the client in, and lets it forward ports. */
  readonly login?: 'refused';
  readonly forwarding?: 'refused' | 'open to all';
  /** Drops the first handshake, as sshd does where there are too many at once. */
  readonly handshake?: 'dropped once';
  /** The name of a host that is on the way to it. */
  readonly behind?: string;
  /** Its ephemeral ports, first and last. */
  readonly ports?: readonly [number, number];
  /** Delay of all that goes over its ssh connection, each way. */
  readonly delayMs?: number;
}

/** A machine of its own as far as the network goes: a namespace with an address and a real sshd. */
export interface SshTestHost {
  readonly name: string;
  readonly address: string;
  /** What is in its temporary folder. */
  left(): string[];
  /** The ids of the k6 processes on it. */
  k6(): number[];
  /** The arguments of all processes on it. */
  processes(): string;
  /** Takes its cable out. */
  cutOff(): void;
}

/** Some hosts on one network, which this machine is on, too. */
export interface SshTestNetwork {
  /** This machine's own address there. */
  readonly address: string;
  /** The ssh config that leads to the hosts by their names. */
  readonly config: string;
  readonly hosts: readonly SshTestHost[];
}

/** Whether hosts can be made here: it takes Linux, and root that may make namespaces. Where only sshd is missing, that is an error. */
export function canMakeHosts(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || spawnSync('unshare', ['--net', 'true']).status !== 0) return false;
  if (!existsSync(sshd)) throw new Error(`There is no ${sshd}: npm run bootstrap installs it.`);
  return true;
}

/** What making hosts takes besides their kinds. */
export interface HostMeans {
  /** Gets what undoes each thing that was made; the last one first. */
  readonly defer: (undo: () => void | Promise<void>) => void;
  /** The path of the k6 that the hosts get. */
  readonly k6: string;
  /** A program `HOST PORT MS` between stdin, stdout and the host, for hosts with a delay or a dropped handshake. */
  readonly relay?: string;
}

/** Makes a network with these hosts; nothing of it is left when all that was deferred is undone. */
export async function startHosts(kinds: readonly HostKind[], { defer, k6, relay = '' }: HostMeans): Promise<SshTestNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'lc-hosts-'));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  if (!existsSync(privilegeSeparation)) mkdirSync(privilegeSeparation, { mode: 0o755 });
  const { subnet, tag } = addBridge();
  const address = `${subnet}.1`;
  defer(() => ip('link', 'delete', tag));
  ip('address', 'add', `${address}/24`, 'dev', tag);
  ip('link', 'set', tag, 'up');
  makeKey(join(folder, 'client'));
  const hosts: SshTestHost[] = [];
  for (const [index, kind] of kinds.entries())
    hosts.push(await startHost(kind, `${subnet}.${11 + index}`, { folder, tag, number: index, k6, defer }));
  const config = join(folder, 'ssh_config');
  writeFileSync(config, clientConfig({ folder, relay }, kinds, hosts));
  return { address, config, hosts };
}

interface Place {
  readonly folder: string;
  readonly tag: string;
  readonly number: number;
  readonly k6: string;
  readonly defer: HostMeans['defer'];
}

async function startHost(kind: HostKind, address: string, { folder, tag, number, k6, defer }: Place): Promise<SshTestHost> {
  const { name } = kind;
  const namespace = `${tag}h${number}`;
  const outside = `${tag}v${number}`; // 15 characters at most
  const home = join(folder, name);
  const temp = join(home, 'tmp');
  mkdirSync(temp, { recursive: true });
  mkdirSync(join(home, 'bin'));
  placeK6(kind, k6, join(home, 'bin', 'k6'));
  makeKey(join(home, 'host_key'));
  ip('netns', 'add', namespace);
  defer(() => ip('netns', 'delete', namespace));
  ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  defer(() => ip('link', 'delete', outside)); // the kernel takes its time to do that with the namespace
  ip('link', 'set', outside, 'master', tag, 'up');
  for (const args of [
    ['link', 'set', 'lo', 'up'],
    ['address', 'add', `${address}/24`, 'dev', 'eth0'],
    ['link', 'set', 'eth0', 'up'],
  ]) {
    ip('-n', namespace, ...args);
  }
  if (kind.ports !== undefined) execFileSync('ip', ['netns', 'exec', namespace, 'sh', '-c', setPorts, 'sh', kind.ports.join(' ')]);
  writeFileSync(join(home, 'sshd_config'), serverConfig(kind, folder, home, address));
  const server = spawn('ip', ['netns', 'exec', namespace, sshd, '-D', '-e', '-f', join(home, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  defer(() => endAll(namespace, server));
  await answers(address, server);
  const commandLines = () => pidsIn(namespace).map((pid) => [pid, commandLine(pid)] as const);
  return {
    name,
    address,
    left: () => readdirSync(temp),
    k6: () => commandLines().flatMap(([pid, words]) => (/^\S*k6 run /.test(words) ? [pid] : [])),
    processes: () =>
      commandLines()
        .map(([, words]) => words)
        .join('\n'),
    cutOff: () => ip('link', 'set', outside, 'down'),
  };
}

const setPorts = 'echo "$1" >/proc/sys/net/ipv4/ip_local_port_range';

function placeK6({ k6 }: HostKind, real: string, file: string): void {
  if (k6 === 'says that it is 2.0.0') {
    const script = `#!/bin/sh\n[ "$1" = version ] && echo 'k6 v2.0.0 (go1.25, linux/amd64)' || exec ${real} "$@"\n`;
    writeFileSync(file, script, { mode: 0o755 });
  } else if (k6 !== 'missing') symlinkSync(real, file);
}

/** A bridge for a /24 of the range that is set apart for tests of networks. Whoever has added the bridge has the subnet. */
function addBridge(): { subnet: string; tag: string } {
  const used = execFileSync('ip', ['-o', 'address'], { encoding: 'utf8' });
  for (let number = process.pid % 250, tries = 0; tries < 250; number = (number + 1) % 250, tries += 1) {
    const [subnet, tag] = [`198.18.${number}`, `loadctl${number}`];
    if (!used.includes(`${subnet}.`) && spawnSync('ip', ['link', 'add', tag, 'type', 'bridge']).status === 0) return { subnet, tag };
  }
  throw new Error('no bridge could be added: ip link add … type bridge');
}

function serverConfig(kind: HostKind, folder: string, home: string, address: string): string {
  return [
    `ListenAddress ${address}:22`,
    `HostKey ${join(home, 'host_key')}`,
    `AuthorizedKeysFile ${kind.login === 'refused' ? 'none' : join(folder, 'client.pub')}`,
    `AllowTcpForwarding ${kind.forwarding === 'refused' ? 'no' : 'yes'}`,
    `GatewayPorts ${kind.forwarding === 'open to all' ? 'yes' : 'no'}`,
    `PidFile ${join(home, 'sshd.pid')}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'PrintMotd no',
    `SetEnv PATH=${join(home, 'bin')}:/usr/bin:/bin TMPDIR=${join(home, 'tmp')}`,
  ].join('\n');
}

function clientConfig(
  { folder, relay }: { readonly folder: string; readonly relay: string },
  kinds: readonly HostKind[],
  hosts: readonly SshTestHost[],
): string {
  const known = hosts.flatMap(({ name, address }, index) => {
    const key = kinds[index]?.key ?? 'known';
    const file = key === 'wrong' ? join(folder, 'client.pub') : join(folder, name, 'host_key.pub');
    return key === 'unknown' ? [] : [`${address} ${readFileSync(file, 'utf8').split(' ').slice(0, 2).join(' ')}`];
  });
  writeFileSync(join(folder, 'known_hosts'), `${known.join('\n')}\n`);
  const way = ({ name, address }: SshTestHost, { delayMs, handshake, behind }: Partial<HostKind>) => {
    const relayed = `${process.execPath} ${relay} ${address} 22 ${delayMs ?? 0}`;
    if (behind !== undefined) return [`  ProxyJump ${behind}`];
    if (handshake !== undefined) return [`  ProxyCommand sh -c 'mkdir ${join(folder, name, 'dropped')} 2>/dev/null || exec ${relayed}'`];
    return delayMs === undefined ? [] : [`  ProxyCommand ${relayed}`];
  };
  return [
    ...hosts.flatMap((host, index) => [`Host ${host.name}`, `  HostName ${host.address}`, ...way(host, kinds[index] ?? {})]),
    'Host *',
    '  User root',
    `  IdentityFile ${join(folder, 'client')}`,
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    `  UserKnownHostsFile ${join(folder, 'known_hosts')}`,
    '  GlobalKnownHostsFile /dev/null',
    '',
  ].join('\n');
}

function makeKey(file: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'loadctl-test', '-f', file]);
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function pidsIn(namespace: string): number[] {
  return execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).split('\n').filter(Boolean).map(Number);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // it is gone
  }
}

/** All processes of the namespace are the test's own: sshd, its sessions, and what they left. */
async function endAll(namespace: string, server: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => server.once('close', resolve));
  const ended = server.exitCode !== null;
  for (const pid of pidsIn(namespace)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it is gone
    }
  }
  if (!ended) await gone;
}

/** Waits until sshd listens. */
async function answers(address: string, server: ChildProcess): Promise<void> {
  let said = '';
  server.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    if (server.exitCode !== null) break;
    if (await listens(address)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`sshd did not start:\n${said}`);
}

function listens(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(22, address);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
    socket.setTimeout(1000, () => socket.destroy(new Error('too slow')));
  });
}
