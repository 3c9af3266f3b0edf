import type { LoggedEvent } from '../../core/events.js';
import type { PerSecond } from '../../core/quantities.js';
import { checkTotals } from '../kind/check-totals.js';
import type { KeptLine } from '../kind/kept-line.js';
import type { OpenOutput, Output, OutputOf, Parcel } from '../kind/types.js';
import { batchesOf } from './batches.js';
import { type Line, lineOf, nanoseconds, type Point } from './line.js';
import { checksWeight, pointsOfChecks } from './of-checks.js';
import { type Common, pointsOf } from './of-events.js';
import { pointsOfFiles } from './of-files.js';
import { pointsOfNumbers } from './of-numbers.js';
import { type InfluxServer, influxServer } from './server.js';

/** An InfluxDB: what loadctl measured, in measurements that say what they are. A point that is written twice is one point. */
export const influxdb: OpenOutput<'influxdb'> = (output, { label, environment, requestsPerSecond }) => {
  const batches = batchesOf(output.name);
  const server = influxServer(output, label);
  const ofFiles = pointsOfFiles();
  const weight = weightOf(output, requestsPerSecond);
  const ofNumbers = pointsOfNumbers(weight);
  const [own, k6s] = [output.families.includes('loadctl'), output.families.includes('k6')];
  let testid: string | undefined;
  let order = 0;
  const batched = (t: number, lines: readonly Line[]): readonly Parcel[] =>
    lines.length === 0 ? [] : batches.add(Math.floor(t / 1000), lines);
  const asLines = (points: readonly Point[]) => points.flatMap((point) => lineOf(point) ?? []);
  return {
    unit: 'second',
    repeatable: true,
    bounds: { bytes: 32_000_000, ageMs: 15 * 60_000 },
    heard: (event: LoggedEvent) => {
      if (event.type === 'run-opened') testid = event.run;
      order = (order + 1) % 1000;
      if (testid === undefined) return [];
      const points = own ? pointsOf(event, { environment, testid }, order) : [];
      const info = event.type === 'run-opened' ? [infoPoint(event, { environment, testid }, weight)] : [];
      const checks = k6s && event.type === 'measured' ? checkPoints(event, { environment, testid }, output.maxPoints) : [];
      return batched(event.t, asLines([...points, ...info, ...checks]));
    },
    kept: (kept: KeptLine) => (testid === undefined || !own ? [] : batched(kept.line.t, asLines(ofFiles(kept, { environment, testid })))),
    counted: (numbers, { at, t }) => (testid === undefined || !k6s ? [] : batched(t, ofNumbers(numbers, at, testid))),
    closing: batches.end,
    trial: ({ testid: of, message: { at, t } }) => {
      const point = { measurement: trialName, tags: { environment, testid: of }, fields: { value: 1 }, at: nanoseconds(at) };
      return [
        {
          id: of,
          second: Math.floor(t / 1000),
          body: asLines([point])
            .map(({ series, fields, at: moment }) => `${series} ${fields} ${moment}`)
            .join('\n'),
        },
      ];
    },
    ...lookingFor(server),
    send: server.write,
  };
};

function lookingFor({ lookFor }: InfluxServer): Pick<Output, 'lookFor'> {
  return lookFor === undefined ? {} : { lookFor: ({ testid }, signal) => lookFor(trialName, testid, signal) };
}

/** The measurement that tests of an output write to. */
const trialName = 'loadctl_test';

/** A request is a point in seven trends and one rate, and an iteration in another trend. */
const pointsOfRequest = 9;
/** Where nobody knows the rate: 1,000 requests a second are 450 points then. */
const usualWeight = 20;

/** How many samples a point of family `k6` stands for: one number for the whole run, as InfluxDB cannot weigh points. */
function weightOf({ weight, maxPoints }: OutputOf<'influxdb'>, rate: PerSecond | undefined): number {
  if (weight !== undefined) return weight;
  return rate === undefined ? usualWeight : Math.max(1, Math.ceil((rate * pointsOfRequest) / maxPoints));
}

/** With how many samples each stands for, which is not the weight of the others. */
function checkPoints(event: Extract<LoggedEvent, { type: 'measured' }>, common: Common, maxPoints: number): Point[] {
  const totals = checkTotals(event);
  const weight = checksWeight(totals, maxPoints);
  const info = { measurement: 'loadctl_info', tags: { ...common }, fields: { checks_weight: weight }, at: nanoseconds(event.at) };
  return totals.length === 0 ? [] : [info, ...pointsOfChecks(totals, weight, event.at, common)];
}

function infoPoint({ at }: LoggedEvent, common: Common, weight: number): Point {
  return { measurement: 'loadctl_info', tags: { ...common }, fields: { weight }, at: nanoseconds(at) };
}
