import { Duplex, PassThrough } from 'node:stream';
import { LoadctlError } from '../core/errors.js';
import type { World } from '../core/os.js';
import { callAfter } from '../core/timer.js';
import type { Cluster } from './client.js';
import { grantHint } from './failures.js';
import { knownMissing } from './rights.js';

const connectMs = 10_000;

/** A connection to a port of a pod's loopback, by way of the API server. Rejects where there is none within 10 s. */
export async function forwardTo(cluster: Cluster, pod: string, port: number, { clock }: Pick<World, 'clock'>): Promise<Duplex> {
  const { PortForward } = await import('@kubernetes/client-node');
  const [toPod, fromPod, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const connection = Duplex.from({ writable: toPod, readable: fromPod });
  connection.on('error', () => undefined); // whoever asks for it hears that it is destroyed; it may be before it is handed over
  errors.once('data', (said: Buffer) => connection.destroy(new Error(said.toString().trim())));
  const socket = await new Promise<Awaited<ReturnType<InstanceType<typeof PortForward>['portForward']>>>((resolve, reject) => {
    const callOff = callAfter(clock, connectMs, () => reject(new Error(`no connection to the pod within ${connectMs / 1000} s`)));
    new PortForward(cluster.config)
      .portForward(cluster.namespace, pod, [port], fromPod, errors, toPod)
      .then(resolve, async (refused: unknown) => reject(await whyNot(refused, cluster)))
      .finally(callOff);
  });
  if (typeof socket === 'function') throw new Error('a connection that restarts itself was not asked for');
  socket.on('error', (error: Error) => connection.destroy(error)).on('close', () => fromPod.end());
  connection.once('close', () => socket.close());
  if (connection.destroyed) throw connection.errored ?? new Error('the connection to the pod broke at once');
  return connection;
}

/** To the API server opening a WebSocket is a `get`; newer ones want the right to `create` besides. */
const forwarding = ['get', 'create'].map((verb) => ({ verb, resource: 'pods/portforward' }));

/** What the library rejects with is the event of its socket, whose error knows the HTTP status and nothing more. */
async function whyNot(refused: unknown, cluster: Cluster): Promise<Error> {
  const message = refused instanceof Error ? refused.message : String(Reflect.get(Object(refused), 'message') ?? refused);
  if (!message.endsWith('response: 403')) return new Error(message);
  const missing = await knownMissing(cluster, forwarding);
  return new LoadctlError('unavailable', `Kubernetes refused to forward a port in namespace \`${cluster.namespace}\`.`, {
    hint: grantHint(missing.length === 0 ? forwarding : missing, cluster),
  });
}
