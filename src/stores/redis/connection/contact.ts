import { errorCode, LoadctlError } from '../../../core/errors.js';
import { type Address, addressText } from './address.js';
import { replyWord, translate } from './errors.js';
import type { Login } from './login.js';
import { type NodeOptions, openNode, type RedisNode } from './node.js';
import { whatIsSpoken } from './probe.js';

/** Connects to a server that the profile names, or throws `unavailable` with its fix. */
export async function contact(store: string, address: Address, login: Login, options: NodeOptions): Promise<RedisNode> {
  try {
    return await openNode(address, login, options);
  } catch (error) {
    throw (await otherTongue(error, store, address, login)) ?? translate(error, store, addressText(address));
  }
}

/** Two that speak TLS and plain text to each other hear silence or a closed line: which it is has to be looked up. */
async function otherTongue(error: unknown, store: string, address: Address, { tls }: Login): Promise<LoadctlError | undefined> {
  if (!mayBeTongue(error)) return undefined;
  const spoken = await whatIsSpoken(address);
  const node = addressText(address);
  const say = (message: string, hint: string) => new LoadctlError('unavailable', `${store}: ${node} ${message}`, { hint, cause: error });
  if (tls !== undefined && spoken === 'plain text')
    return say('speaks plain text, not TLS', 'Name its TLS port, or write redis: in place of rediss: and remove `tls`.');
  if (tls === undefined && spoken === 'TLS') return say('requires TLS', 'Write rediss: in place of redis:, or add `tls: {}` to the store.');
  if (tls !== undefined && spoken === 'TLS')
    return say('ends the connection after the TLS handshake', 'If it asks for certificates of clients, set its tls-auth-clients to no.');
  return undefined;
}

function mayBeTongue(error: unknown): boolean {
  const code = errorCode(error);
  if (code === undefined) return replyWord(error) === undefined;
  return ['ETIMEDOUT', 'ECONNRESET', 'EPIPE', 'EPROTO'].includes(code) || code.startsWith('ERR_SSL');
}
