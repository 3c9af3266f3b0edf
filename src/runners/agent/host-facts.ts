import { LoadctlError } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { HostFacts } from '../runner/types.js';
import { readCpuLimit, readLinuxMemory } from '../runner/vitals.js';
import { limitsIn, type SeenTexts } from './look.js';

const oldestMajor = 2;
const saidVersion = /^k6\S* v?((\d+)\.\d+\.\d+\S*)/;

/** What was learnt of a host, and what to do about its k6. */
export interface Learnt {
  readonly seen: SeenTexts;
  readonly clockOffsetMs: Milliseconds;
  readonly remedies: { readonly missing: string; readonly old: string };
}

/** What a look at a host saw, as facts. Throws `unavailable` where it has no k6, or one that is too old. */
export function hostFacts(host: string, { seen, clockOffsetMs, remedies }: Learnt): HostFacts {
  const text = (name: string) => seen.get(name)?.trim() ?? '';
  const number = (name: string) => (/^\d+$/.test(text(name)) ? Number(text(name)) : undefined);
  const [portsFrom, portsTo] = text('ports').split(/\s+/).map(Number);
  const cpus = number('cpus');
  const limits = limitsIn(seen);
  const memory = readLinuxMemory({ memory: text('memory'), ...limits });
  return {
    k6Version: acceptedVersion(host, text('k6-version'), remedies),
    platform: text('platform'),
    ...known('cpus', cpus === undefined ? undefined : (readCpuLimit(limits.cpuMax, cpus) ?? cpus)),
    ...known('freeMemoryBytes', memory?.freeMemory),
    ...known('openFiles', number('open-files')),
    ...(portsFrom && portsTo ? { portsFrom, portsTo } : {}),
    clockOffsetMs,
  };
}

function acceptedVersion(host: string, said: string, remedies: Learnt['remedies']): string {
  const [, version, major] = saidVersion.exec(said) ?? [];
  if (version === undefined) {
    throw new LoadctlError('unavailable', `No k6 found on ${host}.`, { hint: remedies.missing });
  }
  if (Number(major) < oldestMajor) {
    throw new LoadctlError('unavailable', `The k6 on ${host} is v${version}: loadctl needs k6 v${oldestMajor}.0 or newer.`, {
      hint: remedies.old,
    });
  }
  return version;
}

function known<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: T });
}
