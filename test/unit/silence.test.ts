import { expect, test } from 'vitest';
import type { LoadctlEvent } from '../../src/core/events.js';
import { silenceTeller } from '../../src/phases/watch/silence.js';
import type { PlannedMonitor } from '../../src/plan/monitors.js';

const mesh: PlannedMonitor = {
  name: 'mesh',
  kind: 'prometheus',
  url: 'http://prom:9090',
  query: 'up',
  unit: 'count',
  every: 1000,
  timeout: 1000,
  required: true,
};

/** What is told of looks over one connection: `-` failed, `+` came back with two series. */
function told(looks: string): string[] {
  const events: LoadctlEvent[] = [];
  const hear = silenceTeller([mesh], (event) => void events.push(event));
  for (const [t, look] of [...looks].entries()) {
    if (look === '-') hear({ t, monitor: 'mesh', source: 'prom:9090', error: 'no answer in time' }, 'prom:9090');
    else for (const source of ['{pod="a"}', '{pod="b"}']) hear({ t, monitor: 'mesh', source, values: { value: 1 } }, 'prom:9090');
  }
  return events.map((event) => ('code' in event ? `${event.code} ${'source' in event ? event.source : ''}` : event.type));
}

test.each([
  ['+--+--+--+', []],
  ['+-----', ['monitor-silent prom:9090']],
  ['+----++', ['monitor-silent prom:9090', 'monitor-back prom:9090']],
  ['---+--+---+', ['monitor-silent prom:9090', 'monitor-back prom:9090', 'monitor-silent prom:9090', 'monitor-back prom:9090']],
])('a server of several series whose looks are %s', (looks, expected) => {
  expect(told(looks)).toEqual(expected);
});
