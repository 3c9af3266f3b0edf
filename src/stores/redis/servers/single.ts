import { LoadctlError } from '../../../core/errors.js';
import type { RedisStore } from '../../../profile/sections/schema.js';
import type { StoreContext } from '../../kind/types.js';
import { type Address, addressText } from '../connection/address.js';
import { contact } from '../connection/contact.js';
import { translate } from '../connection/errors.js';
import { type Login, readLogin, storeUrl } from '../connection/login.js';
import { type FirstLook, interruptible, type NodeOptions, type RedisNode, type ServerFacts } from '../connection/node.js';
import { sealable } from '../connection/sealable.js';
import type { Servers } from '../connection/servers.js';

/** A single Redis: what breaks its connection is an error at once; the next command connects anew. */
export async function openSingle(config: RedisStore, index: number, context: SingleContext): Promise<Servers> {
  const { store } = context;
  const address = addressOf(storeUrl(store, config));
  const name = addressText(address);
  const login = await readLogin(store, config);
  const signal = sealable(context);
  let current = await connect(address, index, login, { ...context, late: signal.late });
  let connections = 1;
  const node = async () => {
    signal.throwIfAborted();
    if (current.isOpen()) return current;
    current = await connect(address, index, login, { ...context, late: signal.late });
    connections += 1;
    return current;
  };
  return {
    store,
    index,
    isCluster: false,
    width: () => 1,
    answerBytes: () => 0,
    async run(commands) {
      const replies = await (await node()).send(
        commands.map(({ words }) => words),
        commands.map(({ answerBytes }) => answerBytes),
      );
      return replies.map(([error, value]) => ({ error, value, node: name, mayBeSecond: false }));
    },
    async everywhere(work) {
      try {
        return new Map([[name, await work(interruptible(await node(), signal))]]);
      } catch (error) {
        throw translate(error, store, name);
      }
    },
    replicate: () => Promise.resolve(),
    async holders() {
      await node();
      return `${name} ${connections}`;
    },
    seal: signal.seal,
    close() {
      signal.over();
      current.close();
    },
  };
}

function addressOf({ hostname, port }: URL): Address {
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
}

interface SingleContext extends StoreContext {
  readonly firstLook: FirstLook;
}

interface Connecting extends Pick<SingleContext, 'store' | 'label' | 'clock' | 'firstLook'>, Pick<NodeOptions, 'late'> {}

async function connect(address: Address, index: number, login: Login, { store, firstLook, ...options }: Connecting): Promise<RedisNode> {
  const node = await contact(store, address, login, { ...options, replyMs: 30_000 });
  try {
    await firstLook(node, 0);
    refuseOthers(store, node.name, await node.greet());
    await select(store, node, index);
    return node;
  } catch (error) {
    node.close();
    throw error;
  }
}

/** A part of a cluster and a copy of another server hold or show only a part of the keys: a count there proves nothing. */
function refuseOthers(store: string, name: string, { isCluster, isReplica }: ServerFacts): void {
  if (isCluster) {
    throw new LoadctlError('unavailable', `${store}: ${name} is part of a Redis Cluster`, {
      hint: `Write \`cluster: ["${name}"]\` in place of \`url\`.`,
    });
  }
  if (isReplica) throw new LoadctlError('unavailable', `${store}: ${name} is a replica`, { hint: 'Name the primary in the URL.' });
}

async function select(store: string, node: RedisNode, index: number): Promise<void> {
  try {
    if (index !== 0) await node.ask('SELECT', index);
  } catch (error) {
    throw new LoadctlError('unavailable', `${store}: ${node.name} has no database ${index}`, {
      hint: 'Name a lower index, or raise `databases` in redis.conf.',
      cause: error,
    });
  }
}
