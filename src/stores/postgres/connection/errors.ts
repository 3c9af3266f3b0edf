import { errorCode, errorMessage, LoadctlError } from '../../../core/errors.js';
import { tlsFailure } from './tls-errors.js';

/** Where something happened: a database as people know it. */
export interface Place {
  /** The store's name, with its shard: `db`, `db shard 2`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly role: string;
}

/** An error that the server sent, with the fields that say more than its message. */
export interface ServerError extends Error {
  readonly code: string;
  readonly severity: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly where?: string;
  readonly constraint?: string;
}

type Say = (place: Place, message: string) => readonly [message: string, hint: string];

const address = ({ host, port }: Place) => `${host.includes(':') ? `[${host}]` : host}:${port}`;
const shown = (place: Place) => `${place.name} (${address(place)}/${place.database})`;

const refused: Say = (place) => [
  `${place.name}: nothing listens on ${address(place)}`,
  'Start the database, or correct the host and port in the profile.',
];
const unknownHost: Say = (place) => [
  `${place.name}: the host ${place.host} is not known`,
  'Correct the host in the profile, or look at your DNS and VPN.',
];
const timeout: Say = (place) => [
  `${place.name}: ${address(place)} did not answer in time`,
  'Look whether a firewall or security group keeps this machine out.',
];
const broken: Say = (place) => [
  `${shown(place)}: the connection broke`,
  'Look whether the database restarted, then run the command again.',
];
const noPassword: Say = (place) => [
  `${shown(place)}: it asks for a password of the role ${place.role}, and none is given`,
  'Set it in the URL, or in `password` of the store as "${DB_PASSWORD}"; PGPASSWORD and ~/.pgpass are also read.',
];
const noSocket: Say = (place, message) => [
  `${place.name}: there is no socket of a database in ${place.host}: ${message}`,
  'Start the database, or correct the folder and port in the profile.',
];
/** By the system's, Node's and Postgres' codes: what happened, and the one thing that fixes it. */
const known: Readonly<Record<string, Say>> = {
  ECONNREFUSED: refused,
  ENOENT: noSocket,
  EACCES: noSocket,
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  ETIMEDOUT: timeout,
  EHOSTUNREACH: timeout,
  ENETUNREACH: timeout,
  ECONNRESET: broken,
  EPIPE: broken,
  '08000': broken,
  '08003': broken,
  '08006': broken,
  '57P01': broken,
  '57P02': broken,
  '25P03': broken,
  '25P04': broken,
  '28P01': (place) => [
    `${shown(place)}: wrong password for the role ${place.role}`,
    'Correct the password in the environment or the .env file.',
  ],
  '28000': (place, message) => [
    `${shown(place)}: the role ${place.role} may not log in: ${message}`,
    'Fix the role in the URL, or create it (CREATE ROLE … LOGIN, pg_hba.conf).',
  ],
  '3D000': (place) => [
    `${place.name}: database ${place.database} does not exist on ${address(place)}`,
    'Create it, or correct its name in the URL.',
  ],
  '42P01': (place, message) => [
    `${shown(place)}: a table is missing: ${message}`,
    'Create it (run your migrations), or correct its name in the profile.',
  ],
  '42703': (place, message) => [
    `${shown(place)}: a column is missing: ${message}`,
    'Create it (run your migrations), or correct its name in the profile.',
  ],
  '42501': (place, message) => [
    `${shown(place)}: the role ${place.role} lacks a permission: ${message}`,
    `Have the owner GRANT what it names TO ${place.role}.`,
  ],
  '53300': (place) => [`${shown(place)}: it has no free connection`, 'Raise max_connections, or end idle sessions.'],
  '57P03': (place) => [
    `${shown(place)}: it is starting up or shutting down`,
    'Wait until it accepts connections, then run the command again.',
  ],
  '25006': (place) => [`${shown(place)}: it is read-only`, 'Name the primary in the URL, not a replica.'],
  '55P03': (place) => [
    `${shown(place)}: another session holds a lock for too long`,
    'End that transaction (pg_stat_activity shows it), then run the command again.',
  ],
  '53100': (place) => [
    `${shown(place)}: its disk is full`,
    'Make room on the database server; rows that were removed free theirs after a VACUUM.',
  ],
};

/** Whether the server sent this error. */
export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && typeof errorCode(error) === 'string';
}

/** The server's code for what went wrong, also when the error was translated already. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof LoadctlError) return sqlState(error.cause);
  return isServerError(error) ? error.code : undefined;
}

/** Whether nothing else would go through either: the connection was lost, the server is going down, full or a replica now, or had enough of the session. */
export function isFatal(state: string): boolean {
  return /^(08|57P|53|25P|25006)/.test(state);
}

/** The code of a statement that was ended for its time (`statement_timeout`) or by a cancel. */
export const tookTooLong = '57014';

/** Whether the server said that a type cannot hold a value (class 22: text that is not a number, a number too large). */
export function holdsNoSuchValue(error: unknown): boolean {
  return sqlState(error)?.startsWith('22') ?? false;
}

/** What the server said, with its detail, and of a COPY with the column. */
export function serverMessage(error: unknown): string {
  if (error instanceof LoadctlError && error.cause !== undefined) return serverMessage(error.cause);
  if (!isServerError(error)) return errorMessage(error);
  const column = /^COPY .*, line \d+, column ([^:]+): /.exec(error.where ?? '')?.[1];
  const more = error.detail ?? (column === undefined ? undefined : `column ${column}`);
  return more === undefined ? error.message : `${error.message} (${more})`;
}

/** Translates what pg throws; any other error comes back unchanged. `gone`: the connection had ended. */
export function translate(error: unknown, place: Place, gone: boolean): unknown {
  if (error instanceof LoadctlError) return error;
  const code = errorCode(error) ?? '';
  const say =
    known[code] ??
    badHandshake(code) ??
    (asksInVain(error) ? noPassword : undefined) ??
    (gone ? broken : isServerError(error) ? other(error) : undefined);
  if (!say) return error;
  const [message, hint] = say(place, errorMessage(error));
  return new LoadctlError('unavailable', message, { hint, cause: error });
}

/** What pg says, without a code, where it has no password to answer with. */
function asksInVain(error: unknown): boolean {
  return /client password must be a (?:non-empty )?string/.test(errorMessage(error));
}

function badHandshake(code: string): Say | undefined {
  const say = tlsFailure(code);
  return (
    say &&
    ((place, message) => {
      const [what, hint] = say(address(place), message);
      return [`${place.name}: ${what}`, hint];
    })
  );
}

function other(error: ServerError): Say {
  return (place, message) => [
    `${shown(place)}: ${message} (SQLSTATE ${error.code})`,
    error.hint ?? 'Look at the database’s log, then run the command again.',
  ];
}
