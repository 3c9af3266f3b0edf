import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Colour } from '../../core/stop.js';
import { type BlockLists, keepApart, type Side } from '../../k6/block-lists.js';
import { withSecrets } from '../../plan/access.js';
import { placeOf } from '../../plan/hosts.js';
import type { RunContext } from '../frame/context.js';

const nothing: BlockLists = { blockHostnames: [], blacklistIPs: [] };

/** What keeps the runners away from the live colour, by k6's own block lists; what they cannot keep apart is reported. */
export async function liveBlockLists(context: Pick<RunContext, 'target' | 'plan' | 'access' | 'emit'>): Promise<BlockLists> {
  const { target, plan, access, emit } = context;
  if (target.colour === undefined) return nothing;
  const { live, loaded, liveUrl } = target.colour;
  const planned = withSecrets(plan, access).target;
  const asked = 'live' in planned ? planned.live.url : undefined;
  const [away, near] = await Promise.all([sideOf(live, liveUrl), sideOf(loaded, target.url)]);
  const { gaps, ...lists } = keepApart(away, near, asked === undefined ? undefined : hostOf(asked));
  for (const gap of gaps) emit({ type: 'warned', code: 'live-colour-in-reach', gap });
  return lists;
}

async function sideOf(name: Colour, url: string): Promise<Side> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return { name, host, addresses: [host] };
  const found = await lookup(host, { all: true }).catch(() => []);
  return { name, host, addresses: found.map(({ address }) => address) };
}

function hostOf(url: string): string {
  return placeOf(url).host.toLowerCase().replace(/\.$/, '');
}
