import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type {
  AuthorizationV1Api,
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  NetworkingV1Api,
  RequestContext,
  VersionApi,
} from '@kubernetes/client-node';
import { errorMessage, LoadctlError } from '../core/errors.js';
import type { Clock, World } from '../core/os.js';
import type { Milliseconds } from '../core/quantities.js';
import { callAfter } from '../core/timer.js';
import { failureOf } from './failures.js';

/** No call takes longer: an API server that hangs, a proxied call to a node that is gone. */
const callMs: Milliseconds = 10_000;

/** Which cluster, by a context of the kubeconfig, and where in it; the current ones where they are not given. */
export interface ClusterPlace {
  readonly context?: string;
  readonly namespace?: string;
}

/** The parts of the API that loadctl speaks to. Each call ends within ten seconds. */
export interface Apis {
  readonly core: CoreV1Api;
  readonly batch: BatchV1Api;
  readonly authorization: AuthorizationV1Api;
  readonly networking: NetworkingV1Api;
  readonly version: VersionApi;
}

/** A namespace of a cluster, and the way there. */
export interface Cluster {
  readonly namespace: string;
  /** The URL of the API server. */
  readonly server: string;
  /** For what is no plain call: a port-forward, a log that is followed. */
  readonly config: KubeConfig;
  /** Makes a call; `doing` names it: `create the runners' Job`. Throws `unavailable` with what would satisfy it. */
  ask<T>(doing: string, call: (apis: Apis) => Promise<T>): Promise<T>;
}

const account = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Whether this process is in a pod that may speak to its API server; a job of a CI in a pod may name another one by KUBECONFIG. */
export async function isInCluster({ env }: Pick<World, 'env'>): Promise<boolean> {
  const [server, kubeconfig] = [env.KUBERNETES_SERVICE_HOST ?? '', env.KUBECONFIG ?? ''];
  return server !== '' && kubeconfig === '' && (await exists(join(account, 'token')));
}

/** Finds the way to a cluster: the pod's own one, else the kubeconfig's. Sends nothing. Throws `unavailable` where there is none. */
export async function openCluster(place: ClusterPlace, world: Pick<World, 'env' | 'home' | 'clock'>): Promise<Cluster> {
  const library = await import('@kubernetes/client-node');
  const config = new library.KubeConfig();
  if (await isInCluster(world)) config.loadFromCluster();
  else await loadKubeconfig(config, place.context, world);
  const [cluster, context] = [config.getCurrentCluster(), config.getContextObject(config.getCurrentContext())];
  if (cluster === null) throw unusable(`The context ${config.getCurrentContext()} names a cluster that the kubeconfig does not have.`);
  const { server } = cluster;
  const namespace = place.namespace ?? context?.namespace ?? 'default';
  const ask: Cluster['ask'] = async (doing, call) => {
    const deadlines = deadlinesBy(world.clock);
    try {
      return await call(apisOf(library, config, server, deadlines.set));
    } catch (error) {
      throw failureOf(error, { doing, namespace, server });
    } finally {
      deadlines.letGo();
    }
  };
  return { namespace, server, config, ask };
}

type Library = typeof import('@kubernetes/client-node');

function apisOf(library: Library, config: KubeConfig, server: string, pre: (request: RequestContext) => RequestContext): Apis {
  const configuration = library.createConfiguration({
    baseServer: new library.ServerConfiguration(server, {}),
    authMethods: { default: config },
    promiseMiddleware: [{ pre: async (request) => pre(request), post: async (answer) => answer }],
  });
  return {
    core: new library.CoreV1Api(configuration),
    batch: new library.BatchV1Api(configuration),
    authorization: new library.AuthorizationV1Api(configuration),
    networking: new library.NetworkingV1Api(configuration),
    version: new library.VersionApi(configuration),
  };
}

/** A request's time runs from when it is sent: a plugin that makes its credentials may take longer. */
function deadlinesBy(clock: Pick<Clock, 'sleep'>): { set(request: RequestContext): RequestContext; letGo(): void } {
  const waiting: (() => void)[] = [];
  return {
    set: (request) => {
      const limit = new AbortController();
      waiting.push(callAfter(clock, callMs, () => limit.abort()));
      request.setSignal(limit.signal);
      return request;
    },
    letGo: () => {
      for (const over of waiting) over();
    },
  };
}

async function loadKubeconfig(config: KubeConfig, context: string | undefined, { env, home }: Pick<World, 'env' | 'home'>): Promise<void> {
  const named = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  const files = named.length > 0 ? named : [join(home, '.kube', 'config')];
  if (!(await Promise.all(files.map(exists))).some(Boolean)) throw noKubeconfig(files);
  try {
    config.loadFromDefault();
  } catch (error) {
    throw unusable(`The kubeconfig ${files.join(', ')} cannot be read: ${errorMessage(error)}`);
  }
  const known = config.getContexts().map(({ name }) => name);
  const wanted = context ?? config.getCurrentContext();
  if (!known.includes(wanted)) throw unknownContext(wanted, known, files);
  config.setCurrentContext(wanted);
}

function noKubeconfig(files: readonly string[]): LoadctlError {
  return new LoadctlError('unavailable', `No kubeconfig: ${files.join(', ')} is not there.`, {
    hint: 'Have your cluster write one (kubectl config view shows it), or name it in KUBECONFIG.',
  });
}

function unknownContext(wanted: string, known: readonly string[], files: readonly string[]): LoadctlError {
  const message = wanted ? `The kubeconfig has no context \`${wanted}\`.` : 'The kubeconfig has no current context.';
  return new LoadctlError('unavailable', `${message} (${files.join(', ')})`, {
    hint:
      known.length === 0 ? 'It has none at all: log in to your cluster.' : `Set runners.kubernetes.context to one of: ${known.join(', ')}`,
  });
}

function unusable(message: string): LoadctlError {
  return new LoadctlError('unavailable', message, { hint: 'This has to work: kubectl get pods' });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
