import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const protocolKey = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const opcodes = { close: 8, ping: 9, pong: 10 } as const;

/** Answers a server's `upgrade` as a WebSocket (RFC 6455) that sends back every short message it is sent. */
export function echoWebSocket(request: IncomingMessage, socket: Duplex): void {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${protocolKey}`).digest('base64');
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  let heard = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (piece: Buffer) => {
    heard = Buffer.concat([heard, piece]);
    for (let frame = readFrame(heard); frame !== undefined; frame = readFrame(heard)) {
      heard = heard.subarray(frame.length);
      answer(socket, frame);
    }
  });
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Of the whole frame, in bytes. */
  readonly length: number;
}

function answer(socket: Duplex, { opcode, payload }: Frame): void {
  if (opcode === opcodes.pong) return;
  socket.write(frameOf(opcode === opcodes.ping ? opcodes.pong : opcode, payload));
  if (opcode === opcodes.close) socket.end();
}

/** The first frame, where all of it is there: clients mask what they send, and these send less than 126 bytes. */
function readFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < 6) return undefined;
  const size = bytes.readUInt8(1) & 0x7f;
  const length = 6 + size;
  if (size > 125) throw new Error('this echo takes short messages only');
  if (bytes.length < length) return undefined;
  const mask = bytes.subarray(2, 6);
  const payload = Buffer.from(bytes.subarray(6, length).map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
  return { opcode: bytes.readUInt8(0) & 0x0f, payload, length };
}

function frameOf(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]);
}
