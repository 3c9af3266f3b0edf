import { LoadctlError } from '../../core/errors.js';
import type { SeedStep } from '../../profile/sections/schema.js';
import { storeKind, storeTask } from '../../stores/index.js';
import type { RowSample } from '../../stores/kind/types.js';
import { pieceReader, render } from '../../stores/templates/pieces.js';
import { storeContext } from '../data/store-context.js';
import type { PhaseContext } from '../frame/context.js';
import { probeOnce } from './health-probe.js';

/** What the target said of one seeded row. */
export interface Asked extends RowSample {
  /** Without the target's address: `GET /users/user-4`. */
  readonly request: string;
  /** 0: no answer came; undefined: it was not asked, as the row is not there. */
  readonly status?: number;
  readonly found: boolean;
}

/**
 * Asks the target for a seeded row of every shard, by the request that the profile describes. Reading back by our own rule
 * would prove nothing: this shows that the target looks for a row where it was put. Behind colours the one that is not
 * live is asked. Throws `invalid-profile` where there is nothing to ask with, or for.
 */
export async function askTarget(context: PhaseContext): Promise<Asked[]> {
  const { profile, world, signal, emit } = context;
  const { lookup } = profile.target;
  if (lookup === undefined) throw nothingToAsk('does not say how to ask the target for a seeded row');
  const step = stepToAskFor(context);
  const config = profile.stores[step.store];
  if (config === undefined) throw nothingToAsk('has no store for its seed');
  const task = storeTask(profile, step.store, world.clock.now());
  const means = storeContext({ profile, emit, clock: world.clock, signal }, step.store, 'loadctl/doctor');
  const samples = (await storeKind(config).sampleRows?.(config, task, step, means)) ?? [];
  const reader = pieceReader(task.source(step));
  const template = reader.text(lookup.path, 'path');
  // A value may hold what an address reads otherwise: `a/b`, `#1`. What the profile writes is an address already.
  const pathOf = (n: number) =>
    template.map((piece) => (typeof piece === 'string' ? piece : encodeURIComponent(render([piece], n)))).join('');
  const headers = Object.entries(lookup.headers).map(([name, value]) => [name, reader.text(value, name)] as const);
  const ask = async (sample: RowSample): Promise<Asked> => {
    const path = pathOf(sample.n);
    const request = `GET ${path}`;
    if (!sample.there) return { ...sample, request, found: false };
    const url = `${context.target.url.replace(/\/+$/, '')}${path}`;
    const filled = Object.fromEntries(headers.map(([name, pieces]) => [name, render(pieces, sample.n)]));
    const { status } = await probeOnce(url, 'loadctl/doctor', world.clock, { signal, headers: filled });
    return { ...sample, request, status, found: status === lookup.status };
  };
  return Promise.all(samples.map(ask));
}

type TableStep = Extract<SeedStep, { table: string }>;

/** The table that `lookup` names, or else the first one that is seeded into shards, or into a database at all. */
function stepToAskFor({ profile }: PhaseContext): TableStep {
  const tables = profile.seed.filter((step): step is TableStep => 'table' in step);
  const isSharded = ({ store }: TableStep) => {
    const config = profile.stores[store];
    return config?.kind === 'postgres' && config.shards !== undefined;
  };
  const named = profile.target.lookup?.table;
  const step = named === undefined ? (tables.find(isSharded) ?? tables[0]) : tables.find(({ table }) => table === named);
  if (step !== undefined) return step;
  throw nothingToAsk(named === undefined ? 'seeds no table' : `seeds no table ${named}`);
}

function nothingToAsk(what: string): LoadctlError {
  return new LoadctlError('invalid-profile', `The profile ${what}: the target cannot be asked for one.`, {
    hint: 'Say it: target: {lookup: {path: "/users/user-{n}"}}, for rows that `seed` puts into a table.',
  });
}
