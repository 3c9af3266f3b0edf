import type { LoggedEvent } from '../../core/events.js';
import type { EpochMs, Milliseconds } from '../../core/quantities.js';
import type { LiveNumbers } from '../../metrics/live-numbers.js';
import type { OpenOutput, Parcel } from '../kind/types.js';
import { type Ledger, ledger, type Turn } from './ledger.js';
import { lineSamples, ownSamples } from './of-events.js';
import { samplesOf, type Trends } from './of-numbers.js';
import { prometheusServer } from './server.js';
import { trialParcels } from './trial.js';
import { type Sample, type Written, writeRequest } from './wire.js';

/**
 * A Prometheus by remote write. Samples of one moment are a request; requests of one output go in order and one at a time, as a sample
 * out of order is refused with all that came with it.
 */
export const prometheus: OpenOutput<'prometheus'> = (output, { label, environment, clock }) => {
  const server = prometheusServer(output, { label, clock });
  const book: Ledger = ledger();
  const own = new Map<string, Sample>();
  let testid: string | undefined;
  let phase: LoggedEvent | undefined;
  let [lastAt, lastT, turns]: [EpochMs, Milliseconds, number] = [0, Number.NEGATIVE_INFINITY, 0];
  let numbers: LiveNumbers | undefined;
  const keep = (samples: readonly Sample[]) => {
    for (const sample of samples) own.set(sample.name + JSON.stringify(sample.labels), sample);
  };
  const common = () => ({ testid, environment });
  const trends = (): Trends => {
    const { histograms, stats } = output;
    return { native: server.takesHistograms(), classic: histograms === 'classic' || histograms === 'both', stats };
  };
  const request = (what: string, samples: readonly Written[], at: EpochMs): Parcel[] =>
    requestsOf(samples).map((part, index) => {
      const body = Buffer.from(writeRequest(part, at)).toString('base64');
      return { id: `${testid}-${turns}-${index}-${what}`, second: Math.floor(lastAt / 1000), body };
    });
  const write = ({ zeros, floats, histograms }: Turn, at: EpochMs): Parcel[] => {
    turns += 1;
    lastAt = at;
    return [
      ...request('zeros', zeros.floats, at - 1000),
      ...request('floats', floats, at),
      ...request('zeros-histograms', zeros.histograms, at - 1000),
      ...request('histograms', histograms, at),
    ];
  };
  const now = () => [...(numbers === undefined ? [] : samplesOf(numbers, { testid }, trends())), ...own.values()];
  return {
    unit: 'second',
    repeatable: true,
    // The newest hour is what Prometheus takes.
    bounds: { bytes: 16_000_000, ageMs: 45 * 60_000 },
    heard: (event: LoggedEvent) => {
      if (event.type === 'phase-started') phase = event;
      if (event.type === 'run-opened') {
        testid = event.run;
        // It began before the run had a name.
        if (phase !== undefined) keep(ownSamples(phase, common()));
        keep([{ name: 'loadctl_run_info', labels: { ...common(), plan: event.planHash.slice(0, 12) }, value: 1 }]);
      }
      if (testid !== undefined) keep(ownSamples(event, common()));
      return [];
    },
    kept: (line) => {
      if (testid !== undefined) keep(lineSamples(line, common()));
      return [];
    },
    counted: (given, { at, t }) => {
      numbers = given;
      if (testid === undefined || t - lastT < output.every - 500 || at <= lastAt) return [];
      lastT = t;
      return write(book.enter(now()), at);
    },
    closing: () => {
      if (testid === undefined) return [];
      const at = laterThan(lastAt, clock.stamp());
      const last = write(book.enter(now()), at);
      return [...last, ...write(book.ends(), at + 1)];
    },
    trial: (trial) => trialParcels(trial, environment, server.takesHistograms()),
    ...(output.query === undefined
      ? {}
      : { lookFor: ({ testid: of, message: { at } }, signal) => server.missing(of, { at, signal, times: 18 }) }),
    send: server.send,
    missing: (signal) => (testid === undefined ? Promise.resolve(undefined) : server.missing(testid, { at: lastAt - 1, signal })),
  };
};

/** Receivers take some thousands at a time, and one request has its 5 s. All of one turn, its zeros too, is one second of what may be lost. */
const mostSamples = 5000;

function requestsOf(samples: readonly Written[]): Written[][] {
  const count = Math.ceil(samples.length / mostSamples);
  return Array.from({ length: count }, (_, index) => samples.slice(index * mostSamples, (index + 1) * mostSamples));
}

/** The last word of a run comes after what came before it, whatever the wall clock says. */
function laterThan(before: EpochMs, at: EpochMs): EpochMs {
  return Math.max(before + 1, at);
}
