import type { IncomingMessage } from 'node:http';
import { isVirtualUser } from '../bypass/typescript/bypass.js';
import { type Answer, Refused, readBody } from './answers.js';
import type { Cache } from './cache.js';
import type { FindCaller } from './callers.js';
import type { Store } from './store.js';

/** What the routes work with. */
export interface Parts {
  readonly store: Store;
  readonly cache: Cache;
  readonly findCaller: FindCaller;
  readonly loadTest: boolean;
}

/** Answers one request; throws {@link Refused}. */
export type Handler = (request: IncomingMessage) => Promise<Answer>;

const eventId = /^[\w-]{1,64}$/;
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const virtualUserId = /^load-test-user-[\w.-]{1,128}$/;

/** The service's paths, each with its methods. */
export function routes({ store, cache, findCaller, loadTest }: Parts): ReadonlyMap<string, Readonly<Record<string, Handler>>> {
  const ok = (body: unknown): Answer => ({ status: 200, body });

  async function healthz(): Promise<Answer> {
    const [database, redis] = await Promise.all(
      [store.ping(), cache.ping()].map((ping) =>
        ping.then(
          () => true,
          () => false,
        ),
      ),
    );
    return { status: database && redis ? 200 : 503, body: { database, redis } };
  }

  async function reserve(request: IncomingMessage): Promise<Answer> {
    const caller = await findCaller(request);
    const body = await readBody(request);
    const event = text(body, 'eventId', eventId);
    const reserved = await store.reserve(event, owner(body, caller, loadTest));
    switch (reserved.outcome) {
      case 'reserved':
        return { status: 201, body: { id: reserved.reservation, eventId: event } };
      case 'sold-out':
        return { status: 409, body: { error: 'sold out: you are in the queue' } };
      case 'unknown-event':
        throw new Refused(404, 'unknown event');
    }
  }

  async function pay(request: IncomingMessage): Promise<Answer> {
    const caller = await findCaller(request);
    const body = await readBody(request);
    const paid = await store.pay(text(body, 'reservationId', uuid), owner(body, caller, loadTest));
    switch (paid.outcome) {
      case 'accepted':
        return { status: 201, body: { id: paid.payment, amountCents: paid.amountCents } };
      case 'paid':
        return { status: 409, body: { error: 'paid already' } };
      case 'unknown':
        throw new Refused(404, 'unknown reservation');
    }
  }

  return new Map<string, Readonly<Record<string, Handler>>>([
    ['/healthz', { GET: healthz }],
    ['/reservations', { GET: async (request) => ok(await store.reservationsOf(await findCaller(request))), POST: reserve }],
    ['/events', { GET: async (request) => ok(await findCaller(request).then(() => store.events())) }],
    ['/queue/status', { GET: async (request) => ok(await store.queueOf(await findCaller(request))) }],
    ['/payments', { POST: pay }],
  ]);
}

/** Whose row is written: the caller's own, or in a load test a virtual user's. */
function owner(body: Readonly<Record<string, unknown>>, caller: string, loadTest: boolean): string {
  const { userId } = body;
  if (userId === undefined || userId === caller) return caller;
  const allowed = loadTest && typeof userId === 'string' && isVirtualUser(userId);
  if (!allowed) throw new Refused(403, 'userId must be your own');
  return text(body, 'userId', virtualUserId);
}

function text(body: Readonly<Record<string, unknown>>, name: string, form: RegExp): string {
  const value = body[name];
  if (typeof value === 'string' && form.test(value)) return value;
  throw new Refused(400, `${name} is missing or malformed`);
}
