import { isIP } from 'node:net';

/** One of two colours, as a connection finds it. */
export interface Side {
  /** How people call it. */
  readonly name: string;
  /** A name or an address, without brackets. */
  readonly host: string;
  /** What the host resolves to, as far as it is known here. */
  readonly addresses: readonly string[];
}

/** Options of k6 that keep its VUs from connecting to somewhere. */
export interface BlockLists {
  readonly blockHostnames: readonly string[];
  readonly blacklistIPs: readonly string[];
}

/** What k6 takes for the name of a host (lib/types/hostnametrie.go). */
const blockable = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i;

/**
 * What keeps VUs that load one colour away from the live one: its name, and the addresses that are not the loaded one's,
 * too. `asked` is the host that tells which one is live: often the name under which the live one is public. `gaps` says in
 * sentences what k6 cannot tell apart.
 */
export function keepApart(live: Side, loaded: Side, asked: string | undefined): BlockLists & { readonly gaps: readonly string[] } {
  if (live.host === loaded.host) {
    const gap = `${live.name}, the live colour, is on the same host as ${loaded.name} (${live.host}): k6 cannot keep the runners away from one of its ports.`;
    return { blockHostnames: names([asked], loaded), blacklistIPs: [], gaps: [gap] };
  }
  const own = live.addresses.filter((address) => !loaded.addresses.includes(address));
  return {
    blockHostnames: names([live.host, asked], loaded),
    blacklistIPs: own.map((address) => `${address}/${isIP(address) === 6 ? 128 : 32}`),
    gaps: gapsBetween(live, loaded),
  };
}

/** Adds to the block lists that a script or profile already has; without something to add nothing is changed. */
export function addToBlockLists(options: Readonly<Record<string, unknown>>, more: BlockLists): Record<string, unknown> {
  const add = (name: keyof BlockLists) => {
    const there: unknown = options[name];
    return more[name].length === 0 ? {} : { [name]: [...new Set([...(Array.isArray(there) ? there : []), ...more[name]])] };
  };
  return { ...add('blockHostnames'), ...add('blacklistIPs') };
}

function names(hosts: readonly (string | undefined)[], loaded: Side): string[] {
  const wanted = hosts.filter((host) => host !== undefined).filter((host) => host !== loaded.host && isName(host) && blockable.test(host));
  return [...new Set(wanted)];
}

function gapsBetween({ name, host, addresses }: Side, loaded: Side): string[] {
  const shared = addresses.filter((address) => loaded.addresses.includes(address));
  const byName = isName(host) && blockable.test(host);
  const rest = byName ? 'the runners are kept away from it by its name alone' : 'k6 cannot keep the runners away from it';
  if (shared.length > 0) return [`${name}, the live colour, shares the address ${shared.join(', ')} with ${loaded.name}: ${rest}.`];
  if (addresses.length === 0) return [`${host}, the host of the live colour, cannot be resolved here: ${rest}.`];
  return byName || !isName(host)
    ? []
    : [`k6 does not take ${host}, the host of the live colour, for a name: it is blocked by its address alone.`];
}

function isName(host: string): boolean {
  return isIP(host) === 0;
}
