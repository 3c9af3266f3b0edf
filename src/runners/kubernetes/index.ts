import { LoadctlError } from '../../core/errors.js';
import { type Host, startRunner } from '../agent/start-runner.js';
import type { Backend, BackendContext, OpenBackend } from '../runner/types.js';
import { type Fleet, openFleet } from './fleet.js';
import { prepareHost } from './host.js';

/**
 * Runners as pods of one Indexed Job, which this pod makes: a carrier in each dials back, and through it goes all (docs/decisions/0035).
 */
export const backend: Backend = {
  isHere: false,
  noticeMs: 5000,
  pushEveryMs: () => 1000, // a push takes a round trip through the link
  hostsOf: () => [],
  open: openPods,
};

function openPods(context: BackendContext): OpenBackend {
  const words = context.profile.kubernetes;
  const hosts: Host[] = [];
  let fleet: Promise<Fleet> | undefined;
  let dealt = 0;
  return {
    start: async (launch) => {
      if (words === undefined) throw new LoadctlError('invalid-profile', '`kubernetes` needs `runners.kubernetes`.');
      const index = dealt++;
      fleet ??= openFleet(launch, words, context);
      const { carrier, causeOf, imageOf } = await fleet;
      const link = await carrier(index);
      const [prepared, imageId] = await Promise.all([prepareHost(link, launch, context), imageOf(index)]);
      const { facts } = prepared;
      const host = imageId === undefined || facts === undefined ? prepared : { ...prepared, facts: { ...facts, imageId } };
      hosts.push(host);
      const lost = async () => {
        const why = await causeOf(host.name);
        return { error: 'EHOSTUNREACH', ...(why === undefined ? {} : { why }) };
      };
      return startRunner({ ...host, lost }, launch, context);
    },
    close: async () => {
      await Promise.all(hosts.map(({ agent }) => agent.close()));
      await (await fleet?.catch(() => undefined))?.close();
    },
  };
}
