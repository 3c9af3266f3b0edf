import { jsonAt, readJsonPath } from '../../core/json-path.js';
import { placeOf, placeText } from '../../plan/hosts.js';
import { databasesOf } from '../kind/databases.js';
import { asker, odd } from '../kind/http.js';
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
function answerProbe({ jsonPath = [], age, token, timeout }: MonitorOf<'queue'>, url: string, { label, clock }: MonitorContext): Probe {
  const source = placeText(placeOf(url));
  const ask = asker({ token, label, timeout, clock });
  let hasAge = true;
  return {
    source,
    drop: () => undefined,
    remarks: () => (hasAge ? [] : [`${source}: there is no number at ${age}: \`age\` has no data. Correct it unless nothing waits now.`]),
    look: async () => {
      const answer = await ask.json(url);
      const depth = jsonAt(answer, jsonPath);
      if (!isNumber(depth)) throw odd(source, 'JSON without a number at the jsonPath', 'Correct the URL or the jsonPath of the monitor.');
      const seconds = age === undefined ? undefined : jsonAt(answer, ageIn(age));
      hasAge = age === undefined || isNumber(seconds);
      return [{ source, values: { depth, ...(isNumber(seconds) ? { ageMs: seconds * 1000 } : {}) } }];
    },
  };
}

/** JSON has numbers that are beyond all of ours: 1e400. */
function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function ageIn(age: string) {
  return readJsonPath(age) ?? [];
}
