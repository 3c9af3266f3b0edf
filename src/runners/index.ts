import { LoadctlError } from '../core/errors.js';
import type { BackendFacts } from '../plan/backend.js';
import { usualCloudHost } from '../profile/sections/cloud.js';
import type { Profile } from '../profile/sections/schema.js';
import type { Backend } from './runner/types.js';

type Runners = Profile['runners'];

/** Every backend that there is; the profile has words for some more. A module is loaded when its backend is asked for. */
const backends = {
  local: () => import('./local/index.js'),
  ssh: () => import('./ssh/index.js'),
  kubernetes: () => import('./kubernetes/index.js'),
} as const satisfies { readonly [Name in Runners['backend']]?: () => Promise<{ readonly backend: Backend }> };

async function findBackend(name: string): Promise<Backend | undefined> {
  return name in backends ? (await backends[name as keyof typeof backends]()).backend : undefined;
}

/** The backend of this name. Throws `unavailable` for one that this version does not have. */
export async function backendNamed(name: string): Promise<Backend> {
  const backend = await findBackend(name);
  if (backend !== undefined) return backend;
  throw new LoadctlError('unavailable', `The ${name} backend is not implemented yet.`, {
    hint: `Use runners.backend: ${Object.keys(backends).join(' or ')} (for one run: --set runners.backend=local).`,
  });
}

function cloudHost({ cloud }: Runners): string {
  const { host = usualCloudHost } = cloud ?? {};
  return URL.canParse(host) ? host : usualCloudHost;
}

/** What a plan has to know of the backend that a profile names; Grafana Cloud makes no fleet (src/phases/cloud), its API is reached. */
export async function backendFacts(runners: Runners): Promise<BackendFacts> {
  const backend = await findBackend(runners.backend);
  if (runners.backend === 'cloud') return { isBuilt: true, isHere: false, hosts: [new URL(cloudHost(runners)).host] };
  return { isBuilt: backend !== undefined, isHere: backend?.isHere === true, hosts: backend?.hostsOf(runners) ?? [] };
}
