import { type Address, readAddress } from '../connection/address.js';
import { replyWord } from '../connection/errors.js';

/** Where a node of a cluster sends a command on to: for good, or for this once while the slot is on its way. */
export interface Redirect {
  readonly kind: 'MOVED' | 'ASK';
  readonly slot: number;
  readonly address: Address;
}

/** Reads `MOVED 3999 127.0.0.1:6381`; a node that does not know its own name leaves the host out. */
export function redirectOf(error: Error | null, asked: Address): Redirect | undefined {
  const kind = replyWord(error);
  if (error === null || (kind !== 'MOVED' && kind !== 'ASK')) return undefined;
  const [, slot = '', place = ''] = error.message.split(' ');
  const { host, port } = readAddress(place);
  return { kind, slot: Number(slot), address: { host: host === '' || host === '?' ? asked.host : host, port } };
}
