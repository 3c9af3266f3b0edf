import { Redis } from 'ioredis';
import pg from 'pg';
import { installSchema } from '../../examples/reservations/install.js';
import type { ServiceOptions } from '../../examples/reservations/options.js';
import { type Service, startService } from '../../examples/reservations/service.js';
import { startPostgres } from '../../examples/servers/postgres.js';
import { startRedis } from '../../examples/servers/redis.js';

/** The example service with a Postgres and a Redis of its own. */
export interface Reservations {
  readonly service: Service;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly pool: pg.Pool;
  readonly redis: Redis;
  /** What the service logged. */
  readonly logged: readonly string[];
  /** Another instance of the service on the same servers. */
  another(options: Partial<ServiceOptions>): Promise<Service>;
  stop(): Promise<void>;
}

/** Starts everything: tables, demo data, and a pool of `users`. */
export async function startReservations(options: Partial<ServiceOptions> & { readonly users?: number } = {}): Promise<Reservations> {
  const [postgres, redisServer] = await Promise.all([startPostgres(), startRedis()]);
  const redisUrl = `${redisServer.url}/1`;
  await installSchema(postgres.url);
  const pool = new pg.Pool({ connectionString: postgres.url });
  // The pool's end does not wait for its connections', which the server then ends.
  pool.on('error', () => undefined);
  const pooled = `INSERT INTO users (id, email, name) SELECT 'user-' || n, 'user' || n || '@test.com', 'Test User ' || n FROM generate_series(1, $1::integer) n`;
  await pool.query(pooled, [options.users ?? 10]);
  const redis = new Redis(redisUrl);
  const logged: string[] = [];
  const log = (line: string) => void logged.push(line);
  const services: Service[] = [];
  const another = async (more: Partial<ServiceOptions>) => {
    const service = await startService({ databaseUrl: postgres.url, redisUrl, log, ...more });
    services.push(service);
    return service;
  };
  const service = await another(options);
  const stop = async () => {
    await Promise.all(services.map((each) => each.stop()));
    redis.disconnect();
    await pool.end();
    await Promise.all([postgres.stop(), redisServer.stop()]);
  };
  return { service, databaseUrl: postgres.url, redisUrl, pool, redis, logged, another, stop };
}
