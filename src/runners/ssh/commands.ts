import { type Command, displayCommand } from '../../core/command.js';
import type { Destination } from './destination.js';

/** A host with the one connection to it that all commands share. */
export interface SshHost extends Destination {
  /** The UNIX socket of the shared connection. */
  readonly socket: string;
  /** An ssh config instead of the user's own. */
  readonly configFile: string | undefined;
}

/** What runs on a host. Its environment is the host's: secrets go in by stdin. */
export type RemoteCommand = Omit<Command, 'env' | 'cwd'>;

/** A port of one side's loopback that leads to a port of the other side's. */
export interface Tunnel {
  readonly from: number;
  readonly to: number;
}

const loopback = '127.0.0.1';
/** A host that is silent for so long, three times, is lost. */
const aliveSeconds = 1;
const connectSeconds = 10;

/** Nothing asks anybody, nothing is handed on to the host, and what the user's config would run or forward besides is off. */
const always = [
  'BatchMode=yes',
  'ForwardAgent=no',
  'ForwardX11=no',
  'RemoteCommand=none',
  'PermitLocalCommand=no',
  'RequestTTY=no',
  'EscapeChar=none',
];

/** Opens the connection that all others share, with `remote` in the place of its own session's shell; it lasts as long as that. */
export function connectCommand(host: SshHost, remote: RemoteCommand): Command {
  const options = [
    ...always,
    'LogLevel=INFO', // says when the host refuses a tunnel
    'ControlMaster=yes',
    'ControlPersist=no',
    'ClearAllForwardings=yes',
    `ConnectTimeout=${connectSeconds}`,
    `ServerAliveInterval=${aliveSeconds}`,
    'ServerAliveCountMax=3',
  ];
  return { ...remote, ...ssh(host, options, [`exec ${displayCommand(remote)}`]) };
}

/** Runs `remote` on the host through the connection that is open; never through another one. */
export function overSsh(host: SshHost, remote: RemoteCommand): Command {
  return { ...remote, ...ssh(host, [...always, 'LogLevel=ERROR', ...onlyShared], [displayCommand(remote)]) };
}

/** Makes a port of this machine lead to one of the host. */
export function forwardCommand(host: SshHost, { from, to }: Tunnel): Command {
  return ssh(host, onlyShared, [], ['-O', 'forward', '-L', `${loopback}:${from}:${loopback}:${to}`]);
}

/** Makes a port of the host, which it says on stdout, lead to one of this machine. */
export function reverseCommand(host: SshHost, to: number): Command {
  return ssh(host, onlyShared, [], ['-O', 'forward', '-R', `${loopback}:0:${loopback}:${to}`]);
}

/** A command whose stdin is a file of this machine. */
export function fedFrom(file: string, command: Command): Command {
  return { ...command, file: 'sh', args: ['-c', 'file=$1; shift; exec "$@" <"$file"', 'loadctl', file, command.file, ...command.args] };
}

/** Without the shared connection ssh would silently open one of its own: this one cannot be opened. */
const onlyShared = ['BatchMode=yes', 'ControlMaster=no', 'ProxyJump=none', 'ProxyCommand=false'];

function ssh(host: SshHost, options: readonly string[], remote: readonly string[], flags: readonly string[] = []): Command {
  const config = host.configFile === undefined ? [] : ['-F', host.configFile];
  const port = host.port === undefined ? [] : ['-p', host.port];
  const settings = [`ControlPath=${host.socket.replaceAll('%', '%%')}`, ...options].flatMap((option) => ['-o', option]);
  return { file: 'ssh', args: [...config, ...settings, ...port, ...flags, '--', host.target, ...remote] };
}
