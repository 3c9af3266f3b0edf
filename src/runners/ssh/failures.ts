import { LoadctlError } from '../../core/errors.js';
import type { ProcessEnd } from '../../core/os.js';
import type { Destination } from './destination.js';

interface Failure {
  readonly pattern: RegExp;
  readonly message: (host: string) => string;
  readonly hint: (test: string, name: string) => string;
  /** Whether it may go away by itself: sshd drops handshakes when there are many at once (MaxStartups). */
  readonly passing?: boolean;
}

/** ssh has one exit status for all its failures (255): only its words tell them apart. They are the same in every language. */
const failures: readonly Failure[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    message: (host) => `The host key of ${host} is not the one that is known: it may be another machine.`,
    hint: (test, name) => `Find out why. If it is right, remove the old key (ssh-keygen -R '${name}'), then accept the new one: ${test}`,
  },
  {
    pattern: /Host key verification failed|host key is known for/,
    message: (host) => `The host key of ${host} is unknown.`,
    hint: (test) => `Log in once by hand, compare the key's fingerprint, and accept it: ${test}`,
  },
  {
    pattern: /Permission denied \(|Too many authentication failures|No supported authentication methods/,
    message: (host) => `${host} does not accept your login without a prompt.`,
    hint: (test) => `Add your key to the ssh agent (ssh-add) and to the host (ssh-copy-id). This has to work: ${test}`,
  },
  {
    pattern: /Could not resolve hostname/,
    message: (host) => `ssh cannot resolve the host ${host}.`,
    hint: () => 'Fix the name of the host in the profile, or add it to your ssh config.',
  },
  {
    pattern: /kex_exchange_identification|Connection reset by|Connection closed by|Connection to \S+ port \d+: Broken pipe/,
    message: (host) => `${host} closed the connection before the login.`,
    hint: (test) => `Look at its sshd (MaxStartups, firewall). This has to work: ${test}`,
    passing: true,
  },
  {
    pattern: /Connection refused|timed out|No route to host|unreachable|Operation timed out/,
    message: (host) => `${host} cannot be reached.`,
    hint: (test) => `Start the machine or fix the network. This has to work: ${test}`,
  },
  {
    pattern: /Bad configuration option|Can't open user config file|terminating, \d+ bad configuration/,
    message: (host) => `ssh cannot read its configuration (connecting to ${host}).`,
    hint: (test) => `Fix the ssh config. This must work: ${test}`,
  },
];

/** A connection that could not be made; `passing`: another try may succeed. */
export interface ConnectFailure {
  readonly error: LoadctlError;
  readonly passing: boolean;
}

/** Why there is no connection, from how ssh ended and what it said. */
export function connectFailure(
  { name, target, port }: Destination,
  configFile: string | undefined,
  end: ProcessEnd,
  said: readonly string[],
): ConnectFailure {
  if (end.error === 'ENOENT') return failed('No `ssh` on your PATH.', 'Install an OpenSSH client.', []);
  const text = said.join('\n');
  const known = end.exitCode === 255 ? failures.find(({ pattern }) => pattern.test(text)) : undefined;
  const test = [
    'ssh',
    ...(configFile === undefined ? [] : ['-F', configFile]),
    ...(port === undefined ? [] : ['-p', port]),
    target,
    'true',
  ].join(' ');
  if (known !== undefined) return { ...failed(known.message(name), known.hint(test, target), said), passing: known.passing === true };
  const how = end.signal ?? end.error ?? `exit code ${end.exitCode}`;
  return failed(`The session on ${name} could not be opened (ssh: ${how}).`, `This has to work: ${test}`, said);
}

/** The error for a host whose sshd lets no tunnel through. */
export function tunnelRefused(host: string, said = ''): LoadctlError {
  return new LoadctlError('unavailable', `The sshd of ${host} refuses port forwarding, which its runners need.`, {
    lines: said.split('\n').filter((line) => line !== ''),
    hint: 'Allow it in its sshd_config: AllowTcpForwarding yes',
  });
}

function failed(message: string, hint: string, said: readonly string[]): ConnectFailure {
  const lines = said.filter((line) => line.trim() !== '' && !/^@+$/.test(line.trim())).slice(-8);
  return { error: new LoadctlError('unavailable', message, { hint, lines }), passing: false };
}
