import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { World } from '../../core/os.js';
import type { Defer } from '../../core/scope.js';
import type { Grid } from '../../metrics/quantile-grid.js';
import type { RunnerMetric, RunnerSummary } from '../../metrics/runner-summary.js';

/** Takes the grids of a runner's numbers out of memory; they are the same, but each is read where it is looked at. */
export type Spill = (summary: RunnerSummary) => RunnerSummary;

/**
 * A file that holds the grids of a fleet until they are merged, metric by metric: of 1,000 runners with 20 Trends they are 170 MB.
 * It goes with its scope. What does not go into it, as the disk is full, stays in memory.
 */
export async function openSpill({ privateFolder }: Pick<World, 'privateFolder'>, defer: Defer): Promise<Spill> {
  try {
    const folder = await mkdtemp(join(await privateFolder(), 'grids-'));
    defer(() => rm(folder, { recursive: true, force: true }));
    const file = openSync(join(folder, 'grids'), 'w+', 0o600);
    defer(() => closeSync(file));
    return spillInto(file);
  } catch {
    return (summary) => summary;
  }
}

function spillInto(file: number): Spill {
  let end = 0;
  let levels: readonly number[] = [];
  const spillGrid = (grid: Grid): Grid => {
    if (grid.buckets !== undefined || grid.values.length === 0) return grid;
    const values = Float64Array.from(grid.values);
    const at = end;
    if (!wrote(file, values, at)) return grid;
    end += values.byteLength;
    if (!sameNumbers(levels, grid.levels)) levels = grid.levels;
    const { count, min, max } = grid;
    const ends = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
    return Object.defineProperty({ count, ...ends, levels, values: [] }, 'values', { get: () => readNumbers(file, at, values.length) });
  };
  const spillMetric = (metric: RunnerMetric): RunnerMetric =>
    metric.type === 'trend' ? { ...metric, grid: spillGrid(metric.grid) } : metric;
  return ({ metrics, rootGroup }) => ({
    metrics: Object.fromEntries(Object.entries(metrics).map(([key, metric]) => [key, spillMetric(metric)])),
    rootGroup,
  });
}

function wrote(file: number, values: Float64Array, at: number): boolean {
  try {
    return writeSync(file, values, 0, values.byteLength, at) === values.byteLength;
  } catch {
    return false;
  }
}

function readNumbers(file: number, at: number, length: number): Float64Array {
  const values = new Float64Array(length);
  readSync(file, values, 0, values.byteLength, at);
  return values;
}

/** All runners of a fleet have the same levels, as a rule: one copy of them will do. */
function sameNumbers(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((number, index) => number === other[index]);
}
