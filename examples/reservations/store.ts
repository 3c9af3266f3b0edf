import pg from 'pg';
import { StartError } from './options.js';

/** An event with what is left of it. */
export interface Event {
  readonly id: string;
  readonly title: string;
  readonly seats: number;
  readonly seatsLeft: number;
}

/** What became of a wish for a seat. */
export type Reserved = { readonly outcome: 'reserved'; readonly reservation: string } | { readonly outcome: 'sold-out' | 'unknown-event' };

/** The service's questions to Postgres. */
export interface Store {
  findUser(id: string): Promise<{ id: string; email: string; name: string } | undefined>;
  reservationsOf(user: string): Promise<unknown[]>;
  events(): Promise<Event[]>;
  queueOf(user: string): Promise<{ waiting: number; entries: unknown[] }>;
  reserve(event: string, user: string): Promise<Reserved>;
  /** `paid` where it was paid before. */
  pay(
    reservation: string,
    user: string,
  ): Promise<{ outcome: 'accepted'; payment: string; amountCents: number } | { outcome: 'unknown' | 'paid' }>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

const sql = {
  findUser: 'SELECT id, email, name FROM users WHERE id = $1',
  reservationsOf: `SELECT r.id, r.event_id AS "eventId", r.created_at AS "createdAt", p.id IS NOT NULL AS paid
    FROM reservations r LEFT JOIN payments p ON p.reservation_id = r.id WHERE r.user_id = $1 ORDER BY r.created_at DESC LIMIT 100`,
  events: `SELECT e.id, e.title, e.seats, e.price_cents AS "priceCents",
    e.seats - (SELECT count(*) FROM reservations r WHERE r.event_id = e.id)::integer AS "seatsLeft" FROM events e ORDER BY e.id`,
  waiting: 'SELECT count(*)::integer AS waiting FROM queue_entries',
  queueOf: `SELECT q.event_id AS "eventId",
    (SELECT count(*) FROM queue_entries o WHERE o.event_id = q.event_id AND o.created_at <= q.created_at)::integer AS position
    FROM queue_entries q WHERE q.user_id = $1 ORDER BY q.created_at`,
  reserve: 'SELECT outcome, reservation FROM reserve($1, $2)',
  pay: `INSERT INTO payments (reservation_id, amount_cents)
    SELECT r.id, e.price_cents FROM reservations r JOIN events e ON e.id = r.event_id WHERE r.id = $1 AND r.user_id = $2
    ON CONFLICT (reservation_id) DO NOTHING RETURNING id, amount_cents AS "amountCents"`,
  owns: 'SELECT 1 FROM reservations WHERE id = $1 AND user_id = $2',
  ping: 'SELECT 1',
} as const;

/** Connects to the database, and finds out whether the tables are there. */
export async function openStore(url: string, log: (line: string) => void): Promise<Store> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 5000,
    query_timeout: 10_000,
    application_name: 'reservations',
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => {
    if (!pool.ending) log(`database: ${error.message}`);
  });
  // Named statements are parsed and planned once a connection.
  const ask = async <Row extends pg.QueryResultRow>(name: keyof typeof sql, values: readonly unknown[] = []) =>
    (await pool.query<Row>({ name, text: sql[name], values: [...values] })).rows;
  try {
    await ask('events');
    await pool.query("SELECT 'reserve(text, text)'::regprocedure");
  } catch (error) {
    await pool.end();
    throw new StartError(`DATABASE_URL: ${whyNot(error)}`, { cause: error });
  }
  return {
    findUser: async (id) => (await ask<{ id: string; email: string; name: string }>('findUser', [id]))[0],
    reservationsOf: (user) => ask('reservationsOf', [user]),
    events: () => ask<Event & pg.QueryResultRow>('events'),
    queueOf: async (user) => {
      const [all, entries] = await Promise.all([ask<{ waiting: number }>('waiting'), ask('queueOf', [user])]);
      return { waiting: all[0]?.waiting ?? 0, entries };
    },
    reserve: async (event, user) => (await ask<Reserved>('reserve', [event, user]))[0] ?? { outcome: 'unknown-event' },
    pay: async (reservation, user) => {
      const [row] = await ask<{ id: string; amountCents: number }>('pay', [reservation, user]);
      if (row) return { outcome: 'accepted', payment: row.id, amountCents: row.amountCents };
      return { outcome: (await ask('owns', [reservation, user])).length > 0 ? 'paid' : 'unknown' };
    },
    ping: async () => void (await ask('ping')),
    close: () => pool.end(),
  };
}

/** The code that an error of a driver or the system carries; an AggregateError has its first cause's. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function whyNot(error: unknown): string {
  switch (codeOf(error)) {
    case 'ECONNREFUSED':
      return 'nothing listens there: is Postgres running?';
    case 'ENOTFOUND':
      return 'its host has no address';
    case '28P01':
    case '28000':
      return 'the server refuses this user or password';
    case '3D000':
      return 'the server has no such database: createdb reservations';
    case '42P01':
    case '42703':
    case '42883':
      return 'the tables are not there: psql "$DATABASE_URL" -f examples/reservations/schema.sql';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
