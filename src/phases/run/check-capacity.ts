import { LoadctlError } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { LoadHost } from '../../plan/capacity.js';
import { fleetLoad, loadHosts } from '../../plan/load-hosts.js';
import { capacityText } from '../../reporters/sentences/capacity.js';
import { backendNamed } from '../../runners/index.js';
import { readThisMachine } from '../../runners/local/this-machine.js';
import type { HostFacts, Runner } from '../../runners/runner/types.js';
import type { RunContext } from '../frame/context.js';
import { fitLoad } from '../target/fit-load.js';
import type { PreparedTest } from './prepare.js';

/** Times of a host's log are misleading when its clock is off by more than this. */
const clockAllowedMs: Milliseconds = 1000;

/**
 * Holds the load against what this machine has: throws `unavailable` for what cannot work, warns of what probably will not.
 * Hosts elsewhere can be looked at when their runners are there: {@link checkHosts}.
 */
export async function checkCapacity(context: RunContext, test: PreparedTest): Promise<void> {
  const { plan, world } = context;
  const { isHere } = await backendNamed(plan.fleet.backend);
  if (isHere) await judge(loadHosts({ isHere, hosts: [] }, plan.fleet.count, await readThisMachine(world)), context, test);
}

/**
 * Holds the load against what the hosts of these runners told of themselves, before any of it is made: throws `unavailable`
 * as {@link checkCapacity} does. A k6 that is not the same everywhere, and a wrong clock, are told.
 */
export async function checkHosts(
  runners: readonly Pick<Runner, 'host' | 'hostFacts'>[],
  context: RunContext,
  test: PreparedTest,
): Promise<void> {
  const hosts = new Map<string, LoadHost & { readonly facts: HostFacts }>();
  for (const { host: name, hostFacts: facts } of runners) {
    if (facts !== undefined) hosts.set(name, { name, facts, runners: (hosts.get(name)?.runners ?? 0) + 1 });
  }
  if (hosts.size === 0) return;
  const told = [...hosts.values()];
  refuseImages(told);
  tellVersions(told, context, test);
  for (const { name, facts } of told) tellClock(name, facts.clockOffsetMs, context);
  await judge(told, context, test);
}

async function judge(hosts: readonly LoadHost[], { plan, target, emit }: RunContext, test: PreparedTest): Promise<void> {
  const { problems } = await fitLoad(fleetLoad(plan, test.load) ?? test.load, hosts, target.url);
  const refused = problems.find(({ certain }) => certain);
  if (refused !== undefined) {
    throw new LoadctlError('unavailable', capacityText(refused), { hint: 'loadctl plan shows what each runner and host has to carry.' });
  }
  for (const problem of problems) emit({ type: 'warned', code: 'capacity-short', problem });
}

/** The images that hosts were made from, one each; none where nobody tells. */
export function imagesOf(runners: readonly Pick<Runner, 'hostFacts'>[]): string[] {
  return [...new Set(runners.flatMap(({ hostFacts }) => hostFacts?.imageId ?? []))];
}

/** A tag that was moved meanwhile, or an old one on a node: those runners would not be one test. */
function refuseImages(hosts: readonly { readonly name: string; readonly facts: HostFacts }[]): void {
  const [one, other] = imagesOf(hosts.map(({ facts }) => ({ hostFacts: facts })));
  if (one === undefined || other === undefined) return;
  const whose = (id: string) => hosts.find(({ facts }) => facts.imageId === id)?.name;
  throw new LoadctlError('unavailable', `The runners have different images: ${whose(one)} has ${one}, ${whose(other)} has ${other}.`, {
    hint: 'Name the image by its digest (image@sha256:…), or put the same one on all nodes.',
  });
}

function tellVersions(
  hosts: readonly { readonly name: string; readonly facts: HostFacts }[],
  { emit }: RunContext,
  { k6Version }: PreparedTest,
): void {
  const where = new Map([[k6Version, ['this machine']]]);
  for (const { name, facts } of hosts) where.set(facts.k6Version, [...(where.get(facts.k6Version) ?? []), name]);
  if (where.size === 1) return;
  emit({ type: 'warned', code: 'k6-versions-differ', versions: Object.fromEntries(where) });
}

function tellClock(host: string, offsetMs: Milliseconds, { emit }: RunContext): void {
  if (Math.abs(offsetMs) > clockAllowedMs) emit({ type: 'warned', code: 'clock-off', host, offsetMs });
}
