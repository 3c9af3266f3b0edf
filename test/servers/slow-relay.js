// An ssh ProxyCommand that hands every byte on, each way, so many milliseconds later: slow-relay.js HOST PORT MS
import { connect } from 'node:net';

const [host = '', port = '', delayMs = '0'] = process.argv.slice(2);
const socket = connect(Number(port), host);
socket.setNoDelay(true);

/** @param {import('node:stream').Readable} from @param {import('node:stream').Writable} to */
function delayed(from, to) {
  from.on('data', (bytes) => setTimeout(() => to.write(bytes), Number(delayMs)));
  from.on('end', () => setTimeout(() => to.end(), Number(delayMs)));
}

delayed(process.stdin, socket);
delayed(socket, process.stdout);
socket.on('error', () => process.exit(1));
socket.on('close', () => setTimeout(() => process.exit(0), Number(delayMs)));
process.stdout.on('error', () => process.exit(0));
