import { lookup } from 'node:dns/promises';
import { LoadctlError } from '../../../core/errors.js';
import { type Address, addressText, isAddress } from '../connection/address.js';

/** Looks at nodes that a cluster announces, and refuses hosts that the profile's guards do not allow. */
export type CheckHosts = (nodes: readonly Address[]) => Promise<void>;

/**
 * Every host that a store reaches is on the profile's list (design §7), those too that only the cluster itself names.
 * A host that the profile lists as a node of the store was checked with the plan, by name or by address.
 */
export function checkLearntHosts(store: string, listed: readonly Address[], allowsHost: (host: string) => boolean): CheckHosts {
  const accepted = new Set(listed.map(({ host }) => host));
  let resolved: Promise<ReadonlySet<string>> | undefined;
  const isListed = async (host: string) => {
    resolved ??= addressesOf(listed);
    return isAddress(host) && (await resolved).has(host);
  };
  return async (nodes) => {
    const strangers = new Map<string, Address>();
    for (const node of nodes) {
      if (accepted.has(node.host) || strangers.has(node.host)) continue;
      if (allowsHost(node.host) || (await isListed(node.host))) accepted.add(node.host);
      else strangers.set(node.host, node);
    }
    if (strangers.size > 0) throw refusal(store, [...strangers.values()]);
  };
}

async function addressesOf(nodes: readonly Address[]): Promise<ReadonlySet<string>> {
  const found = await Promise.allSettled(nodes.map(({ host }) => lookup(host, { all: true })));
  return new Set(found.flatMap((each) => (each.status === 'fulfilled' ? each.value.map(({ address }) => address) : [])));
}

function refusal(store: string, strangers: readonly Address[]): LoadctlError {
  const hosts = strangers.map(({ host }) => host).join(', ');
  const nodes = strangers.map(addressText).join(', ');
  const are = strangers.length === 1 ? 'is' : 'are';
  return new LoadctlError(
    'refused',
    `${store}: the cluster announces ${nodes}: ${hosts} ${are} not on the profile's list of allowed hosts`,
    {
      hint: `If this test may write there, add to the list: guards.allow: [${hosts}]`,
    },
  );
}
