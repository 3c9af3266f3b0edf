// The sessions of a reservation service's visitors, for loadctl or alone:
//   k6 run -e BASE_URL=http://127.0.0.1:8080 k6/reservations.ts
// Every number comes from the environment (docs/script-contract.md). How many virtual users for how long is none of the
// script's business, so it has no scenarios.
import { check, sleep } from 'k6';
import crypto from 'k6/crypto';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter } from 'k6/metrics';

type Shares = Readonly<Record<string, number>>;

/** Who a session is. */
interface Visitor {
  readonly headers: Record<string, string>;
  /** In whose name rows are written, where that is not the caller. */
  readonly userId: string | undefined;
  /** What was won in this session. */
  reservationId?: string | undefined;
}

export const options = { discardResponseBodies: true };

const env = __ENV;
const baseUrl = (env.BASE_URL || 'http://127.0.0.1:8080').replace(/\/+$/, '');
const strategy = oneOf('LOADCTL_STRATEGY', ['pool', 'bypass']);
const poolSize = positive('LOADCTL_POOL_SIZE', 1000);
const poolId = env.LOADCTL_POOL_ID || 'user-{n}';
const poolSalt = `${env.LOADCTL_POOL_RANDOM || ''}/uuid/`;
const virtualUserPrefix = env.LOADCTL_VIRTUAL_USER_PREFIX || 'load-test-user-alone-';
const bypassKey = strategy === 'bypass' ? required('LOADCTL_BYPASS_KEY') : '';
const bypassExpires = positive('LOADCTL_BYPASS_EXPIRES', Math.ceil(Date.now() / 1000) + 3600);
const bypassHeader = env.LOADCTL_BYPASS_HEADER || 'X-Load-Test-Signature';
const eventCount = positive('EVENT_COUNT', 10);
const eventId = env.EVENT_ID || 'event-{n}';
// Under loadctl no pacing means the open model: k6 itself begins every iteration when it is due.
const pacingMs = Number(env.LOADCTL_PACING_MS || (env.LOADCTL_RUN ? 0 : 1000));

const endpoints = table<string>('LOADCTL_ENDPOINTS', {
  reservations: 'GET /reservations',
  events: 'GET /events',
  healthz: 'GET /healthz',
  queue: 'GET /queue/status',
});
const steps = table<readonly string[]>('LOADCTL_STEPS', {
  browse: ['read'],
  reserve: ['read', 'POST /reservations'],
  pay: ['read', 'POST /reservations', 'POST /payments'],
});
const drawRead = drawer('LOADCTL_MIX', { reservations: 0.4, events: 0.3, healthz: 0.2, queue: 0.1 }, endpoints, 'LOADCTL_ENDPOINTS');
const drawSession = drawer('LOADCTL_SESSIONS', { browse: 0.8, reserve: 0.15, pay: 0.05 }, steps, 'LOADCTL_STEPS');

const sessionChoices = new Counter('session_choices');
const readChoices = new Counter('read_choices');

const successOrSoldOut = http.expectedStatuses({ min: 200, max: 299 }, 409);
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 299 }));

const actions = actionsOf(Object.values(steps).flat());

/** One session: its steps in their order, then a rest until the VU's next one is due. */
export default function session(): void {
  const due = begin();
  const [name, stepsOfSession] = drawSession();
  vuTags ??= exec.vu.metrics.tags;
  vuTags.session = name;
  sessionChoices.add(1);
  const visitor = makeVisitor();
  for (const step of stepsOfSession) actions[step]?.(visitor);
  rest(due);
}

function makeVisitor(): Visitor {
  const virtualUser = makeVirtualUser();
  if (strategy === 'pool') {
    const caller = numbered(poolId, 1 + Math.floor(Math.random() * poolSize));
    return { headers: { 'X-User-Id': caller, 'Content-Type': 'application/json' }, userId: virtualUser };
  }
  const signature = crypto.hmac('sha256', bypassKey, `v1\n${virtualUser}\n${bypassExpires}`, 'hex');
  const signed = { 'X-User-Id': virtualUser, [bypassHeader]: `v1.${bypassExpires}.${signature}` };
  return { headers: { ...signed, 'Content-Type': 'application/json' }, userId: undefined };
}

// k6 makes exec.vu anew whenever it is read, which costs more than all else here: it is read once a VU.
let vuTags: typeof exec.vu.metrics.tags | undefined;
let vuPart = '';
let sessionsOfVu = 0;

/** An id that no other session of the fleet has: the VU's number and the session's make sure of it, chance of other runs. */
function makeVirtualUser(): string {
  if (vuPart === '') vuPart = `${virtualUserPrefix}${exec.vu.idInTest.toString(36)}-`;
  sessionsOfVu += 1;
  return `${vuPart}${sessionsOfVu.toString(36)}-${Math.floor(Math.random() * 2 ** 52).toString(36)}`;
}

function read(visitor: Visitor): void {
  const [endpoint, name] = drawRead();
  readChoices.add(1, { endpoint });
  request(name, visitor);
}

function reserve(visitor: Visitor): void {
  const name = 'POST /reservations';
  const event = numbered(eventId, 1 + Math.floor(Math.random() * eventCount));
  const response = http.post(`${baseUrl}/reservations`, JSON.stringify({ eventId: event, userId: visitor.userId }), {
    headers: visitor.headers,
    tags: { name },
    responseType: 'text',
    responseCallback: successOrSoldOut,
  });
  check(response, { [`${name} succeeds or is sold out`]: ({ status }) => isSuccess(status) || status === 409 });
  if (isSuccess(response.status)) visitor.reservationId = String(response.json('id'));
}

/** Only a seat that was won is paid for. */
function pay(visitor: Visitor): void {
  const { reservationId, userId } = visitor;
  if (reservationId !== undefined) request('POST /payments', visitor, JSON.stringify({ reservationId, userId }));
}

/** Sends the request that is written `METHOD /path`, under that name. */
function request(name: string, { headers }: Visitor, body: string | null = null): void {
  const space = name.indexOf(' ');
  const response = http.request(name.slice(0, space), baseUrl + name.slice(space + 1), body, { headers, tags: { name } });
  check(response, { [`${name} succeeds`]: ({ status }) => isSuccess(status) });
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

// A VU's iterations are due on a grid, so that the little that waking up takes does not add up. Each VU's grid is shifted
// by a part of the pacing of its own; the golden ratio spreads any number of VUs evenly. So the load is even from the
// start on, and every VU begins one session in every interval.
let nextDue: number | undefined;
let timed = false;

function begin(): number {
  if (pacingMs === 0) return 0;
  if (nextDue === undefined) {
    timed = /^(constant|ramping)-vus$/.test(exec.test.options.scenarios?.[exec.scenario.name]?.executor ?? '');
    sleep((((exec.vu.idInTest * 0.618033988749895) % 1) * pacingMs) / 1000);
    return Date.now();
  }
  // Late by more than a hair: a new grid. What a slow target did not let begin is not made up for in a burst.
  const now = Date.now();
  return now - nextDue > pacingMs / 10 ? now : nextDue;
}

function rest(due: number): void {
  nextDue = due + pacingMs;
  const leftMs = Math.min(nextDue, endOfScenario()) - Date.now();
  if (pacingMs > 0 && leftMs > 0) sleep(leftMs / 1000);
}

/** When nothing begins any more: a rest beyond it would draw the test out, and with it thin every rate per second. */
function endOfScenario(): number {
  if (!timed) return Number.POSITIVE_INFINITY;
  const { startTime, progress } = exec.scenario;
  const lengthMs = progress > 0 ? (Date.now() - startTime) / progress : Number.POSITIVE_INFINITY;
  const marginMs = 10;
  return startTime + lengthMs + marginMs;
}

function actionsOf(names: readonly string[]): Record<string, (visitor: Visitor) => void> {
  const known: Record<string, (visitor: Visitor) => void> = { read, 'POST /reservations': reserve, 'POST /payments': pay };
  for (const name of names) {
    if (known[name] !== undefined) continue;
    if (!/^(GET|HEAD) \//.test(name))
      throw new Error(`LOADCTL_STEPS: this script has no step "${name}"; it has ${Object.keys(known).join(', ')} and GET /any/path`);
    known[name] = (visitor) => request(name, visitor);
  }
  return known;
}

/** A function that draws one of the shares' names, with what `of` holds under it. */
function drawer<Value>(
  variable: string,
  usual: Shares,
  of: Readonly<Record<string, Value>>,
  ofVariable: string,
): () => readonly [string, Value] {
  let total = 0;
  const choices = Object.entries(table(variable, usual)).map(([name, share]) => {
    const value = of[name];
    if (value === undefined) throw new Error(`${variable}: "${name}" is not in ${ofVariable}`);
    total += share;
    return { choice: [name, value] as const, upTo: total };
  });
  const last = choices[choices.length - 1];
  if (last === undefined || !(total > 0)) throw new Error(`${variable}: the shares add up to ${total}`);
  return () => {
    const at = Math.random() * total;
    return (choices.find(({ upTo }) => at < upTo) ?? last).choice;
  };
}

/** The JSON object in a variable; `usual` where it is missing or empty. */
function table<Value>(variable: string, usual: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  const text = env[variable];
  if (!text) return usual;
  let given: Record<string, Value>;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error(`${variable} is not JSON: ${text}`);
  }
  return Object.keys(given).length > 0 ? given : usual;
}

function positive(variable: string, usual: number): number {
  const value = Number(env[variable] || usual);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${variable} is "${env[variable]}"; it must be a whole number from 1 on`);
  return value;
}

function oneOf(variable: string, values: readonly string[]): string {
  const value = env[variable] || values[0];
  if (value === undefined || !values.includes(value)) throw new Error(`${variable} is "${value}"; it must be one of ${values.join(', ')}`);
  return value;
}

function required(variable: string): string {
  const value = env[variable];
  if (!value) throw new Error(`${variable} is missing`);
  return value;
}

/** Puts a number into a template as profiles have them: `{n}`, `{n+1000}`, `{uuid}`, with `{{` and `}}` for braces. */
function numbered(template: string, n: number): string {
  return template.replace(/\{n([+-]\d+)?\}|\{uuid\}|\{\{|\}\}/g, (found: string, plus?: string) => {
    if (found === '{uuid}') return uuidOf(n);
    return found.charAt(1) === 'n' ? String(n + Number(plus ?? 0)) : found.charAt(0);
  });
}

/** The UUID of the pool's row n: 20 digits of a hash of n, then n itself under a mask, which is a hash of those digits. */
function uuidOf(n: number): string {
  const hash = crypto.sha256(poolSalt + n, 'hex');
  const variant = '89ab'.charAt(Number.parseInt(hash.charAt(16), 16) & 3);
  const head = `${hash.slice(0, 12)}8${hash.slice(13, 16)}${variant}${hash.slice(17, 20)}`;
  const number = n.toString(16).padStart(12, '0');
  const mask = crypto.sha256(poolSalt + head, 'hex');
  const masked = (from: number) => {
    const half = (digits: string) => Number.parseInt(digits.slice(from, from + 6), 16);
    return (half(number) ^ half(mask)).toString(16).padStart(6, '0');
  };
  return `${head}${masked(0)}${masked(6)}`.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
