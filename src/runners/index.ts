import { LoadctlError } from '../core/errors.js';
import { localBackend } from './local/index.js';
import type { Backend, BackendContext } from './runner/types.js';
import { sshBackend } from './ssh/index.js';

const backends = {
  local: localBackend,
  ssh: sshBackend,
} as const satisfies Record<string, (context: BackendContext) => Backend>;

/** The backend of this name. Throws `unavailable` for one that this version does not have. */
export function backendNamed(name: string, context: BackendContext): Backend {
  if (name in backends) return backends[name as keyof typeof backends](context);
  throw new LoadctlError('unavailable', `The runners' backend "${name}" is not built yet.`, {
    hint: `Use runners.backend: local or ssh (for one run: --set runners.backend=local).`,
  });
}
