import { errorMessage, LoadctlError } from '../../core/errors.js';
import type { Milliseconds } from '../../core/quantities.js';
import type { MonitorContext, Probe } from '../../monitors/kind/types.js';
import { withSecrets } from '../../plan/access.js';
import { allowsHostIn } from '../../plan/guards.js';
import type { PlannedMonitor } from '../../plan/monitors.js';
import type { Origin, RunContext } from '../frame/context.js';

/** A monitor whose connections are there. */
export interface Opened {
  readonly monitor: PlannedMonitor;
  readonly probes: readonly Probe[];
}

/** What came of the first look over one connection. */
export interface FirstLook extends Pick<Opened, 'monitor'> {
  readonly probe: Probe;
  readonly error?: unknown;
}

/** What the monitors of a plan are opened with. */
export type Opening = Pick<RunContext, 'plan' | 'access' | 'world' | 'emit' | 'origin'>;

/** A connection, and a first answer, may take so long. */
const firstLookMs: Milliseconds = 10_000;

/** Opens all monitors and looks once by each of them. Throws `unavailable` where one that is required cannot look. */
export async function openMonitors(context: Opening, label: string): Promise<readonly Opened[]> {
  const { opened, looks } = await lookByEach(context, label);
  const failed = looks.filter(({ error }) => error !== undefined);
  const needed = failed.find(({ monitor }) => monitor.required);
  if (needed !== undefined) {
    for (const { probes } of opened) for (const probe of probes) probe.drop();
    throw cannotLook(needed, context.origin);
  }
  for (const { monitor, probe } of looks)
    for (const remark of probe.remarks?.() ?? []) context.emit({ type: 'noted', code: 'monitor-remark', monitor: monitor.name, remark });
  for (const { monitor, probe, error } of failed) {
    const { name } = monitor;
    context.emit({
      type: 'warned',
      code: 'monitor-silent',
      monitor: name,
      source: probe.source,
      why: errorMessage(error),
      required: false,
    });
  }
  return opened;
}

/** Looks once by each monitor of a plan, all at the same time. Never rejects. */
export async function lookByEach(
  { plan, access, world }: Omit<Opening, 'emit' | 'origin'>,
  label: string,
): Promise<{ readonly opened: readonly Opened[]; readonly looks: readonly FirstLook[] }> {
  const { monitors } = withSecrets(plan, access);
  if (monitors.length === 0) return { opened: [], looks: [] };
  const { probesOf } = await import('../../monitors/index.js'); // not where nothing is watched
  const opened = monitors.map((monitor) => ({ monitor, probes: probesOf(monitor, monitorContext({ plan, access, world }, label)) }));
  const all = opened.flatMap(({ monitor, probes }) => probes.map((probe) => ({ monitor, probe })));
  const looks = await Promise.all(
    all.map(async (one): Promise<FirstLook> => {
      try {
        await within(one.probe.look(), world.clock);
        return one;
      } catch (error) {
        return { ...one, error };
      }
    }),
  );
  return { opened, looks };
}

/** What monitors of a plan are opened with. */
export function monitorContext({ plan, access, world }: Omit<Opening, 'emit' | 'origin'>, label: string): MonitorContext {
  const { clock, spawn } = world;
  return { label, clock, spawn, sshConfig: access.machine.sshConfig, allowsHost: (host) => allowsHostIn(plan.allow, host) };
}

async function within(look: Promise<unknown>, clock: RunContext['world']['clock']): Promise<void> {
  const done = new AbortController();
  const late = clock.sleep(firstLookMs, done.signal).then(() => {
    if (!done.signal.aborted) throw new LoadctlError('unavailable', `no answer within ${firstLookMs / 1000} s`);
  });
  try {
    await Promise.race([look, late]);
  } finally {
    done.abort();
  }
}

/** The error for a monitor that cannot look: what its source said, and its fix. */
function cannotLook({ monitor: { name }, probe, error }: FirstLook, { monitorsAt }: Pick<Origin, 'monitorsAt'>): LoadctlError {
  const known = error instanceof LoadctlError ? error : undefined;
  const at = monitorsAt[name] ?? `monitors.${name}`;
  const message = `The monitor ${name} (${at}) cannot look at ${probe.source}: ${errorMessage(error)}`;
  return new LoadctlError(known?.reason === 'refused' ? 'refused' : 'unavailable', message, {
    lines: known?.lines ?? [],
    hint: known?.hint ?? `Fix the monitor at ${at}, or set required: false`,
    cause: error,
  });
}
