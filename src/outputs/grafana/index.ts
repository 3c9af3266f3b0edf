import type { OpenOutput, Parcel, Trial } from '../kind/types.js';
import { type Mark, marksOf } from './of-events.js';
import { grafanaServer } from './server.js';

function trialMark({ testid, message: { at, environment, title } }: Trial): Mark {
  return { do: 'begin', key: testid, annotation: { text: title, time: at, tags: ['loadctl', environment, testid, 'test'] } };
}

/** A Grafana: what happens is marked in its graphs. Without a token nothing is sent: messages link to its dashboard all the same. */
export const grafana: OpenOutput<'grafana'> = (output, { label, environment, clock }) => {
  const server = grafanaServer(output, label);
  const marks = marksOf(environment);
  const parcels = (all: readonly Mark[]): Parcel[] =>
    all.map((mark) => {
      const { time, timeEnd = time } = mark.annotation;
      return { id: `${output.name}-${time}-${mark.do}-${mark.key}`, second: Math.floor(timeEnd / 1000), body: JSON.stringify(mark) };
    });
  return {
    unit: 'annotation',
    // What may be there already is looked for first.
    repeatable: true,
    ...(output.token === undefined
      ? {}
      : { heard: (event) => parcels(marks.of(event)), closing: () => parcels(marks.rest(clock.stamp())) }),
    trial: (trial) => (output.token === undefined ? [] : parcels([trialMark(trial)])),
    lookFor: async (trial, signal) => {
      const found = await server.has(trialMark(trial), signal);
      if (typeof found === 'object') return 'why' in found ? found.why : 'no answer';
      return found ? undefined : 'no annotation of it is found there';
    },
    send: server.send,
  };
};
