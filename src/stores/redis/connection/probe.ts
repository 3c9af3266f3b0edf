import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Address } from './address.js';

/** What a server turned out to speak; `unknown` where it answered neither. */
type Spoken = 'plain text' | 'TLS' | 'unknown';

const patienceMs = 1000;

/** Finds out what a server speaks that could not be talked to, by a bare PING and by a handshake. Says no secret. */
export async function whatIsSpoken(address: Address): Promise<Spoken> {
  if (await answersInPlain(address)) return 'plain text';
  return (await shakesHands(address)) ? 'TLS' : 'unknown';
}

/** Redis begins every answer with its kind: `+PONG`, `-NOAUTH …`. */
function answersInPlain(address: Address): Promise<boolean> {
  const socket = connect(address, () => socket.write('PING\r\n'));
  return outcome(socket, (yes) => socket.once('data', (data) => yes(/^[+-][A-Z]/.test(data.toString('latin1')))));
}

function shakesHands(address: Address): Promise<boolean> {
  // Whose certificate it is does not matter here: nothing is sent, and what is used is verified.
  const socket = connectTls({ ...address, rejectUnauthorized: false });
  return outcome(socket, (yes) => socket.once('secureConnect', () => yes(true)));
}

function outcome(socket: Socket, listen: (settle: (value: boolean) => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (value: boolean) => {
      socket.destroy();
      resolve(value);
    };
    socket.setTimeout(patienceMs, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    listen(settle);
  });
}
