import { jsonAt, readJsonPath } from '../../core/json-path.js';
import { placeOf, placeText } from '../../plan/hosts.js';
import { databasesOf } from '../kind/databases.js';
import { askJson, odd } from '../kind/http.js';
import type { MonitorContext, MonitorOf, OpenMonitor, Probe } from '../kind/types.js';
import { keysProbe } from './keys.js';
import { rowsProbe } from './rows.js';

/** What waits: rows in every shard of a store, keys of a Redis, or what a URL says. */
export const queue: OpenMonitor<'queue'> = (monitor, context) => {
  if (monitor.url !== undefined) return [answerProbe(monitor, monitor.url, context)];
  if (monitor.of?.kind === 'redis') return [keysProbe(monitor, monitor.of, context)];
  return databasesOf(monitor, false).map((address) => rowsProbe(address, monitor, context));
};

/** The depth as a JSON answer has it: RabbitMQ's management, a page of one's own. */
function answerProbe({ jsonPath = [], age, token, timeout }: MonitorOf<'queue'>, url: string, { label }: MonitorContext): Probe {
  const source = placeText(placeOf(url));
  return {
    source,
    drop: () => undefined,
    look: async () => {
      const answer = await askJson(url, { token, label, timeout });
      const depth = jsonAt(answer, jsonPath);
      if (typeof depth !== 'number') throw odd(source, 'JSON without a number at the jsonPath');
      const seconds = age === undefined ? undefined : jsonAt(answer, ageIn(age));
      return [{ source, values: { depth, ...(typeof seconds === 'number' ? { ageMs: seconds * 1000 } : {}) } }];
    },
  };
}

function ageIn(age: string) {
  return readJsonPath(age) ?? [];
}
