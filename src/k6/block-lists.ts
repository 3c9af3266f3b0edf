import { isIP } from 'node:net';
import type { Colour } from '../core/stop.js';
import type { BlockGap } from '../core/warnings.js';

/** One of two colours, as a connection finds it. */
export interface Side {
  readonly name: Colour;
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
 * too. `asked` is the host that tells which one is live: often the name under which the live one is public. `gaps` are
 * what k6 cannot tell apart.
 */
export function keepApart(live: Side, loaded: Side, asked: string | undefined): BlockLists & { readonly gaps: readonly BlockGap[] } {
  if (live.host === loaded.host) {
    const gap: BlockGap = { why: 'same-host', live: live.name, loaded: loaded.name, host: live.host };
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

function gapsBetween({ name: live, host, addresses }: Side, { name: loaded, addresses: others }: Side): BlockGap[] {
  const shared = addresses.filter((address) => others.includes(address));
  const byName = isName(host) && blockable.test(host);
  if (shared.length > 0) return [{ why: 'shared-address', live, loaded, host, addresses: shared, byName }];
  if (addresses.length === 0) return [{ why: 'unresolved', live, loaded, host, byName }];
  return byName || !isName(host) ? [] : [{ why: 'no-name', live, loaded, host }];
}

function isName(host: string): boolean {
  return isIP(host) === 0;
}
