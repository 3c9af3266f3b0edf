import { once } from 'node:events';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import { onTestFinished } from 'vitest';

/** A gRPC server: `hello.Greeter` of test/fixtures/foreign/data/hello.proto, and the health service. It speaks HTTP/2 without TLS, and nothing else. */
export interface Greeter {
  /** host:port. */
  readonly address: string;
  /** How many calls came for each method. */
  readonly calls: Map<string, number>;
}

/** Starts one on loopback; it is gone when the test is over. */
export async function startGreeter(): Promise<Greeter> {
  const calls = new Map<string, number>();
  const server = createServer();
  server.on('stream', (stream, { ':path': path = '' }) => {
    calls.set(path, (calls.get(path) ?? 0) + 1);
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => answer(stream, methods[path]?.(Buffer.concat(pieces).subarray(5))));
    stream.on('error', () => stream.close());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const at = server.address();
  return { address: `127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}`, calls };
}

/** What each method makes of the message it is sent. */
const methods: Readonly<Record<string, (message: Buffer) => Buffer>> = {
  '/hello.Greeter/Greet': (wish) => textField(`well met, ${wish.subarray(2).toString()}`),
  '/grpc.health.v1.Health/Check': () => Buffer.from([0x08, 1]),
};

/** A message whose field 1 is a short text. */
function textField(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]);
}

const unimplemented = '12';

/** One message, uncompressed, and the status in the trailers. */
function answer(stream: ServerHttp2Stream, message: Buffer | undefined): void {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': message === undefined ? unimplemented : '0' }));
  if (message === undefined) return void stream.end();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([head, message]));
}
