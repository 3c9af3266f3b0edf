import { LoadctlError } from '../../core/errors.js';
import { makeGate } from '../../core/gate.js';
import { pushEveryElsewhere } from '../../plan/push-interval.js';
import { type Host, startRunner } from '../agent/start-runner.js';
import type { Backend, BackendContext, OpenBackend } from '../runner/types.js';
import { type Fleet, openFleet } from './fleet.js';
import { podContext, prepareHost } from './host.js';

/**
 * Runners as pods of one Indexed Job, which this pod makes: a carrier in each dials back, and through it goes all (docs/decisions/0035).
 */
export const backend: Backend = {
  isHere: false,
  noticeMs: 5000,
  pushEveryMs: pushEveryElsewhere,
  hostsOf: () => [],
  open: (context) => openPods(context),
};

/** Pods that are made ready at the same time: each takes some streams, and each stream a handshake. */
const preparedAtOnce = 20;

/** The backend at work; `openJob` makes its pods when the first runner is asked for. */
export function openPods(context: BackendContext, openJob: typeof openFleet = openFleet): OpenBackend {
  const words = context.profile.kubernetes;
  const pods = podContext(context);
  const gate = makeGate(preparedAtOnce);
  const hosts: Host[] = [];
  let fleet: Promise<Fleet> | undefined;
  let dealt = 0;
  return {
    start: async (launch) => {
      if (words === undefined) throw new LoadctlError('invalid-profile', '`kubernetes` needs `runners.kubernetes`.');
      const index = dealt++;
      fleet ??= openJob(launch, words, context);
      const { carrier, causeOf, imageOf } = await fleet;
      const link = await carrier(index);
      const [prepared, imageId] = await Promise.all([gate(() => prepareHost(link, launch, pods)), imageOf(index)]);
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
