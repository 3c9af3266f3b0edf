import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { freePort, keep, type Owner, temporaryFolder } from '../../examples/servers/keep.js';
import { unprivilegedOwner } from '../../examples/servers/postgres.js';
import { listens } from './listens.js';
import { supervised } from './supervisor.js';

/** Debian's own programs; those on the PATH are for its service and its user alone. */
const programs = '/usr/lib/rabbitmq/bin';

/** Whether there is a RabbitMQ here. In CI its absence is an error: what is skipped there is never looked at. */
export function hasRabbitMq(): boolean {
  const found = existsSync(join(programs, 'rabbitmq-server'));
  if (!found && process.env.CI) throw new Error('There is no rabbitmq-server: npm run test:observe installs it.');
  return found;
}

/** A RabbitMQ with its management, which makes its numbers once a second. */
export interface RabbitMq {
  /** The base of its management API. */
  readonly url: string;
  /** One who may look, and nothing else. */
  readonly user: string;
  readonly password: string;
  /** Makes an empty queue. */
  declare(queue: string): Promise<void>;
  /** Sends so many messages to a queue. */
  publish(queue: string, messages: number): void;
  /** Throws away what waits in a queue. */
  purge(queue: string): Promise<void>;
  /** How many messages are ready, as `rabbitmqctl list_queues` says. */
  depthOf(queue: string): number;
}

/** It takes 5 s where nothing else is at work, and compiles its modules with both CPUs. */
const startMs = 90_000;

/** Starts one; it is gone when the test is over. */
export async function startRabbitMq(): Promise<RabbitMq> {
  const owner = unprivilegedOwner();
  const folder = temporaryFolder('rabbitmq', owner);
  const [names, nodes, clients, api] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const env = environment(folder, { names, nodes, clients });
  const login = { user: 'ann', password: `rabbit ${randomBytes(6).toString('hex')} /@:é%` };
  writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_management].\n');
  writeFileSync(join(folder, 'rabbitmq.conf'), settings(api));
  await startNames(names, owner);
  const url = `http://127.0.0.1:${api}`;
  const ask: Ask = (method, path, body) => askApi(`${url}/api/${path}`, method, body);
  const server = ['env', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), join(programs, 'rabbitmq-server')];
  const kept = await keep(supervised(folder, owner, 'SIGKILL', server), folder, () => true);
  onTestFinished(() => kept.stop());
  await expect.poll(() => ask('GET', 'overview').catch(() => false), { timeout: startMs, interval: 100 }).toBe(true);
  const control = (...args: string[]) =>
    execFileSync(join(programs, 'rabbitmqctl'), ['--quiet', ...args], {
      cwd: '/',
      encoding: 'utf8',
      env: { ...process.env, ...env },
      ...owner,
    });
  control('add_user', login.user, login.password);
  control('set_user_tags', login.user, 'monitoring');
  control('set_permissions', login.user, '', '', '.*');
  return { url, ...login, ...queuesOf(ask, control) };
}

type Ask = (method: string, path: string, body?: object) => Promise<boolean>;

function queuesOf(ask: Ask, control: (...args: string[]) => string): Pick<RabbitMq, 'declare' | 'publish' | 'purge' | 'depthOf'> {
  const must = async (done: Promise<boolean>) => {
    if (!(await done)) throw new Error('RabbitMQ refused it');
  };
  return {
    declare: (queue) => must(ask('PUT', `queues/%2F/${queue}`, { durable: false })),
    publish: (queue, messages) => {
      const to = `rabbit_misc:r(<<"/">>, exchange, <<"">>), <<"${queue}">>, [], <<"work">>`;
      control('eval', `[rabbit_basic:publish(${to}) || _ <- lists:seq(1, ${messages})], ok.`);
    },
    purge: (queue) => must(ask('DELETE', `queues/%2F/${queue}/contents`)),
    depthOf: (queue) => {
      const listed = control('--formatter', 'json', 'list_queues', 'name', 'messages_ready');
      const rows: { readonly name: string; readonly messages_ready: number }[] = JSON.parse(listed);
      const found = rows.find(({ name }) => name === queue);
      if (found === undefined) throw new Error(`no queue ${queue} in ${listed}`);
      return found.messages_ready;
    },
  };
}

/** All of it on loopback, below the folder, and apart from a RabbitMQ that runs here already. */
function environment(
  folder: string,
  { names, nodes, clients }: { readonly names: number; readonly nodes: number; readonly clients: number },
) {
  return {
    HOME: folder,
    // erl itself takes the place of the script, which would wait for it with a rabbitmqctl.
    detached: '1',
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(names),
    RABBITMQ_NODENAME: `loadctl${nodes}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(clients),
    RABBITMQ_DIST_PORT: String(nodes),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_CONF_ENV_FILE: join(folder, 'no-such-file'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'logs'),
    RABBITMQ_GENERATED_CONFIG_DIR: join(folder, 'generated'),
  };
}

function settings(api: number): string {
  return [
    'management.tcp.ip = 127.0.0.1',
    `management.tcp.port = ${api}`,
    'collect_statistics_interval = 1000',
    'disk_free_limit.absolute = 1MB',
    '',
  ].join('\n');
}

/** Erlang's daemon that knows where nodes listen; else the first node would start one that stays. */
async function startNames(port: number, owner: Owner | undefined): Promise<void> {
  const folder = temporaryFolder('epmd', owner);
  const command = supervised(folder, owner, 'SIGTERM', ['epmd', '-address', '127.0.0.1', '-port', String(port)]);
  const kept = await keep(command, folder, () => listens(port));
  onTestFinished(() => kept.stop());
}

/** Asks the API as the user that every new RabbitMQ has, and that is let in from its own machine only. */
async function askApi(url: string, method: string, body?: object): Promise<boolean> {
  const headers = { authorization: `Basic ${btoa('guest:guest')}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  await answer.arrayBuffer();
  return answer.ok;
}
