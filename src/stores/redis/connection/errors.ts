import { errorCode, errorMessage, LoadctlError } from '../../../core/errors.js';
import { formatDuration, type Milliseconds } from '../../../core/quantities.js';

type Say = (store: string, node: string, message: string) => readonly [message: string, hint: string];

const unknownHost: Say = (store, node) => [
  `${store}: the host of ${node} is not known`,
  'Correct the host in the profile, or look at your DNS and VPN.',
];
const silent: Say = (store, node) => [
  `${store}: ${node} did not answer in time`,
  'Look whether a firewall or security group keeps this machine out.',
];
const broken: Say = (store, node) => [
  `${store}: the connection to ${node} broke`,
  'Look whether Redis restarted, then run the command again.',
];
const login: Say = (store, node, message) => [
  `${store}: ${node} refused the login: ${message}`,
  'Correct the user name and password of the store in the profile or the .env file.',
];
const untrusted: Say = (store, node, message) => [
  `${store}: the certificate of ${node} is not trusted: ${message}`,
  'Name the authority that signed it as `tls.ca`.',
];

/** By the system's and Node's codes, and by the word that Redis' protocol puts before an error. */
const known: Readonly<Record<string, Say>> = {
  ECONNREFUSED: (store, node) => [`${store}: nothing listens on ${node}`, 'Start Redis, or correct the host and port in the profile.'],
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  ETIMEDOUT: silent,
  EHOSTUNREACH: silent,
  ENETUNREACH: silent,
  ECONNRESET: broken,
  EPIPE: broken,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_HAS_EXPIRED: (store, node) => [`${store}: the certificate of ${node} has expired`, 'Have it renewed on the server.'],
  CERT_NOT_YET_VALID: (store, node) => [`${store}: the certificate of ${node} is not valid yet`, "Look at this machine's clock."],
  ERR_TLS_CERT_ALTNAME_INVALID: (store, node, message) => [
    `${store}: the certificate of ${node} is for another name: ${message}`,
    'Call the server in the profile by a name that its certificate is for.',
  ],
  NOAUTH: (store, node) => [
    `${store}: ${node} requires a password, and the profile has none`,
    'Put it into the profile, as `password: ${REDIS_PASSWORD}` of the store.',
  ],
  WRONGPASS: login,
  NOPERM: (store, node, message) => [
    `${store}: ${node} does not allow this: ${message}`,
    'Allow the user of the profile these commands (ACL SETUSER), or set another user.',
  ],
  READONLY: (store, node) => [`${store}: ${node} is a replica`, 'Name the primary in the URL.'],
  MOVED: (store, node) => [`${store}: ${node} is part of a Redis Cluster`, `Write \`cluster: ["${node}"]\` in place of \`url\`.`],
  CLUSTERDOWN: (store, node) => [
    `${store}: the cluster of ${node} does not serve all its slots`,
    `Look at it with redis-cli --cluster check ${node}, then run the command again.`,
  ],
  TRYAGAIN: (store, node, message) => [
    `${store}: ${message.replace(/^TRYAGAIN /, '')}`,
    `Wait until the resharding is over, or end one that was left halfway (redis-cli --cluster fix ${node}); then run the command again.`,
  ],
  LOADING: (store, node) => [`${store}: ${node} is still loading its data`, 'Wait until it is ready, then run the command again.'],
  OOM: (store, node) => [`${store}: ${node} has no memory left`, 'Make room, or raise its maxmemory.'],
  MISCONF: (store, node, message) => [
    `${store}: ${node} takes no writes: ${message}`,
    'Look at the Redis log: it cannot save to its disk.',
  ],
};

const other: Say = (store, node, message) => [`${store}: ${node} says: ${message}`, 'Check the Redis log, then run the command again.'];

/** The word before an error's text, as the protocol has it: `WRONGTYPE`, `NOAUTH`; undefined for what Redis did not answer. */
export function replyWord(error: unknown): string | undefined {
  return error instanceof Error && error.name === 'ReplyError' ? /^[A-Z]+/.exec(error.message)?.[0] : undefined;
}

/** Translates what ioredis throws; an error without any code is that of a connection that ended. */
export function translate(error: unknown, store: string, node: string): LoadctlError {
  if (error instanceof LoadctlError) return error;
  const say = known[replyWord(error) ?? errorCode(error) ?? ''] ?? (replyWord(error) === undefined ? broken : other);
  const [message, hint] = say(store, node, errorMessage(error));
  return new LoadctlError('unavailable', message, { hint, cause: error });
}

function inWords({ message, hint }: LoadctlError): [message: string, hint?: string] {
  return hint === undefined ? [message] : [message, hint];
}

function isRedirect(error: unknown): boolean {
  return ['MOVED', 'ASK'].includes(replyWord(error) ?? '');
}

const disagreeing: Say = (store, node, redirect) => {
  const [, slot, other] = redirect.split(' ');
  return [
    `${store}: the nodes of the cluster disagree about who serves slot ${slot}: ${node} says ${other}`,
    `Look at it with redis-cli --cluster check ${node}; --cluster fix ends a resharding that was left halfway.`,
  ];
};

/** What is said of a cluster that was waited for in vain. */
export function notSettled(error: unknown, store: string, node: string, waitedMs: Milliseconds): LoadctlError {
  const [message, hint = ''] = isRedirect(error) ? disagreeing(store, node, errorMessage(error)) : inWords(translate(error, store, node));
  return new LoadctlError('unavailable', `${message}; the cluster did not settle within ${formatDuration(waitedMs)}`, {
    hint,
    cause: error,
  });
}

const passingWords = new Set(['CLUSTERDOWN', 'TRYAGAIN', 'LOADING', 'MASTERDOWN', 'READONLY']);
const passingCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** Whether an error of a cluster's node may pass by itself: a failover, slots on their way, a broken connection. */
export function mayPass(error: unknown): boolean {
  if (error instanceof LoadctlError) return false;
  const word = replyWord(error);
  if (word !== undefined) return passingWords.has(word);
  const code = errorCode(error);
  return code === undefined || passingCodes.has(code);
}

/** An error as a server says it, for what is known without asking. */
export function replyError(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

/** Whether Redis itself answered: then it is certain that the command was not done. */
export function isRefusal(error: Error): boolean {
  return replyWord(error) !== undefined;
}
