import { LoadctlError } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import { limitsIn, type SeenTexts } from '../agent/look.js';
import type { HostFacts } from '../runner/types.js';
import { readCpuLimit, readLinuxMemory } from '../runner/vitals.js';

const oldestMajor = 2;
const saidVersion = /^k6\S* v?((\d+)\.\d+\.\d+\S*)/;

/** What a look at a host saw, as facts. Throws `unavailable` where it has no k6, or one that is too old. */
export function hostFacts(host: string, seen: SeenTexts, clockOffsetMs: Milliseconds): HostFacts {
  const text = (name: string) => seen.get(name)?.trim() ?? '';
  const number = (name: string) => (/^\d+$/.test(text(name)) ? Number(text(name)) : undefined);
  const [portsFrom, portsTo] = text('ports').split(/\s+/).map(Number);
  const cpus = number('cpus');
  const limits = limitsIn(seen);
  const memory = readLinuxMemory({ memory: text('memory'), ...limits });
  return {
    k6Version: acceptedVersion(host, text('k6-version')),
    platform: text('platform'),
    ...known('cpus', cpus === undefined ? undefined : (readCpuLimit(limits.cpuMax, cpus) ?? cpus)),
    ...known('freeMemoryBytes', memory?.freeMemory),
    ...known('openFiles', number('open-files')),
    ...(portsFrom && portsTo ? { portsFrom, portsTo } : {}),
    clockOffsetMs,
  };
}

function acceptedVersion(host: string, said: string): string {
  const [, version, major] = saidVersion.exec(said) ?? [];
  if (version === undefined) {
    throw new LoadctlError('unavailable', `No k6 found on ${host}.`, {
      hint: 'Install k6 2.0 or newer there, set its path (runners.hostK6: /path/to/k6), or have loadctl copy it: runners.hostK6: bring',
    });
  }
  if (Number(major) < oldestMajor) {
    throw new LoadctlError('unavailable', `The k6 on ${host} is v${version}: loadctl needs k6 v${oldestMajor}.0 or newer.`, {
      hint: 'Update it there, or bring a newer one along: runners.hostK6: bring',
    });
  }
  return version;
}

function known<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: T });
}
