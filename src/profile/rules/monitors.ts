import type { Criterion } from '../../core/criterion.js';
import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import { type GivenValue, type JudgedMonitor, valuesMeant } from '../../metrics/servers/monitor.js';
import { lateness } from '../../metrics/servers/values.js';
import { judgedMonitors } from '../sections/judged-monitors.js';
import type { MonitorConfig } from '../sections/monitors.js';
import { resolveLimit } from '../sections/server-limits.js';
import { serverWords } from '../words/criteria.js';
import { allOf, anyOf, didYouMean } from '../words/near.js';
import { type Broken, keysOf, type Rule } from './types.js';

type Of<Kind extends MonitorConfig['kind']> = Extract<MonitorConfig, { kind: Kind }>;
/** What is wrong with one monitor, by the word that is to blame. */
type Found = { readonly word?: string; readonly message: string; readonly lacks?: readonly string[] };

/** Each monitor knows what it looks at, and does it in its time. */
export const monitorsRule: Rule = ({ profile: { monitors, stores }, data }) => {
  const names = [...new Set([...Object.keys(stores ?? {}), ...keysOf(data, 'stores')])];
  return Object.entries(monitors ?? {}).flatMap(([name, config]) => {
    const own: Found[] = serverWords.includes(name)
      ? [{ message: `\`${name}\` is a word of \`critical\`: expected another name for the monitor` }]
      : [];
    const found = [...own, ...formOf(config), ...storeOf(config, names, stores ?? {}), ...paceOf(config)];
    return found.map(({ word, message, lacks = [] }): Broken => {
      const path = ['monitors', name, ...(word === undefined ? [] : [word])];
      return { path, on: 'key', message, lacks: lacks.map((key) => ['monitors', name, key]) };
    });
  });
};

function formOf(config: MonitorConfig): Found[] {
  switch (config.kind) {
    case 'postgres':
    case 'redis':
      return oneOf(config, ['store', 'url']);
    case 'queue':
      return queueForm(config);
    case 'host':
      return [
        ...oneOf(config, ['nodeExporter', 'ssh', 'here', 'cgroup']),
        ...(config.here === false ? [{ word: 'here', message: 'expected `true`, or a list of `target` and names of stores' }] : []),
      ];
    case 'prometheus':
      return [
        ...oneOf(config, ['query', 'pods']),
        ...(config.pods !== undefined && config.as !== undefined
          ? [{ word: 'as', message: '`pods` sets by itself what it measures: remove `as`' }]
          : []),
      ];
    case 'cloudwatch':
      return cloudwatchForm(config);
    default:
      return [];
  }
}

function cloudwatchForm(config: Of<'cloudwatch'>): Found[] {
  const ofInstance = (['maxConnections', 'memory'] as const).filter((word) => config[word] !== undefined && config.instance === undefined);
  return [
    ...oneOf(config, ['instance', 'cluster']),
    ...ofInstance.map((word) => ({ word, message: `\`${word}\` needs \`instance\`` })),
    ...(config.every < lateness.cloudwatch.periodMs
      ? [{ word: 'every', message: 'expected at least `1m`: CloudWatch has one point a minute' }]
      : []),
  ];
}

function oneOf(config: MonitorConfig, words: readonly string[]): Found[] {
  const given = words.filter((word) => Reflect.get(config, word) !== undefined);
  if (given.length === 1) return [];
  const [first, second] = given;
  if (first === undefined || second === undefined) return [{ message: `expected one of ${allOf(words)}`, lacks: words }];
  return [{ word: second, message: `\`${first}\` and \`${second}\` exclude each other` }];
}

function queueForm(config: Of<'queue'>): Found[] {
  const { store, url, table, list, zset, stream, group, jsonPath, where, age } = config;
  const found: Found[] = [...oneOf(config, ['store', 'url'])];
  if (url !== undefined && jsonPath === undefined)
    found.push({ word: 'url', message: '`url` needs `jsonPath`: where the answer holds the depth', lacks: ['jsonPath'] });
  if (url === undefined && jsonPath !== undefined) found.push({ word: 'jsonPath', message: '`jsonPath` needs `url`' });
  // Lists and sorted sets are added up.
  const forms = list !== undefined && zset !== undefined ? ['table', 'list', 'stream'] : ['table', 'list', 'zset', 'stream'];
  if (store !== undefined && url === undefined) found.push(...oneOf(config, forms));
  if ((stream === undefined) !== (group === undefined))
    found.push({ message: '`stream` and `group` need each other', lacks: ['stream', 'group'] });
  if (table === undefined && where !== undefined) found.push({ word: 'where', message: '`where` needs `table`' });
  if (age !== undefined && (list ?? zset ?? stream) !== undefined)
    found.push({
      word: 'age',
      message: stream === undefined ? 'entries of a list or sorted set have no age' : 'a stream reports the age by itself: remove `age`',
    });
  return found;
}

function storeOf(config: MonitorConfig, names: readonly string[], stores: Readonly<Record<string, { readonly kind: string }>>): Found[] {
  const places = 'here' in config && Array.isArray(config.here) ? config.here.filter((place) => place !== 'target') : [];
  const store = 'store' in config ? config.store : undefined;
  const unknown = [...(store === undefined ? [] : [{ word: 'store', store }]), ...places.map((one) => ({ word: 'here', store: one }))]
    .filter((one) => !names.includes(one.store))
    .map(({ word, store: name }) => ({ word, message: `there is no store \`${name}\`${didYouMean(name, names)}` }));
  if (unknown.length > 0 || store === undefined) return unknown;
  const wanted = kindWanted(config);
  const kind = stores[store]?.kind;
  return kind === undefined || wanted === undefined || kind === wanted
    ? []
    : [{ word: 'store', message: `\`${store}\` is a store of kind \`${kind}\`; expected one of kind \`${wanted}\`` }];
}

function kindWanted(config: MonitorConfig): string | undefined {
  if (config.kind === 'postgres' || config.kind === 'redis') return config.kind;
  if (config.kind !== 'queue') return undefined;
  if (config.table !== undefined) return 'postgres';
  return (config.list ?? config.zset ?? config.stream) === undefined ? undefined : 'redis';
}

const quickestMs: Milliseconds = 100;

function paceOf(config: MonitorConfig): Found[] {
  const { every, timeout } = config;
  return [
    ...(every < quickestMs ? [{ word: 'every', message: `expected at least \`${formatDuration(quickestMs)}\`` }] : []),
    ...(timeout > every || timeout <= 0
      ? [{ word: 'timeout', message: `expected a time of at most \`every\` (\`${formatDuration(every)}\`)` }]
      : []),
  ];
}

/** Where the profile has monitors, each limit for the servers is given by one of them. */
export const criticalRule: Rule = ({ profile: { monitors, stores, critical, abort } }) => {
  if (monitors === undefined || stores === undefined || Object.keys(monitors).length === 0) return [];
  const judged = judgedMonitors({ monitors, stores });
  const limits = (critical ?? []).flatMap((criterion): Broken[] => {
    const resolved = resolveLimit(criterion, judged);
    return 'limit' in resolved
      ? []
      : [{ path: ['critical', criterion.name], ...(resolved.on === 'name' ? { on: 'key' } : {}), message: resolved.problem }];
  });
  const rules = (abort ?? []).flatMap((rule, index): Broken[] => {
    if (rule.when.source !== 'server') return [];
    const resolved = resolveLimit(rule.when, judged);
    if (!('limit' in resolved)) return [{ path: ['abort', index, 'when'], message: resolved.problem }];
    return unwatchable(resolved.limit, rule.for, judged).map(({ word, message }) => ({ path: ['abort', index, word], message }));
  });
  return [...limits, ...rules];
};

/** Where a word means others as well, those can be named. */
function tooLate(name: string, late: GivenValue, given: readonly GivenValue[]): string {
  const others = given.filter(({ monitor }) => monitor.periodMs === undefined).map((one) => `${one.monitor.name}.${one.name}`);
  const instead = others.length === 0 ? '' : `; expected ${anyOf(others)}`;
  return `\`${late.monitor.name}\` reports \`${name}\` minutes later: no rule can end the load by it${instead}`;
}

/** A rule looks at what its monitors told last: two looks at least must say the same. */
function unwatchable(
  { metric, name }: Criterion,
  lasting: Milliseconds,
  judged: readonly JudgedMonitor[],
): { word: string; message: string }[] {
  const given = valuesMeant(metric, judged);
  if (given.some(({ value }) => value.reading.from === 'drain'))
    return [{ word: 'when', message: `\`${name}\` is known after the load only: no rule can end it` }];
  const late = given.find(({ monitor }) => monitor.periodMs !== undefined);
  if (late !== undefined) return [{ word: 'when', message: tooLate(name, late, given) }];
  const slowest = given.reduce((most, { monitor }) => Math.max(most, monitor.every), 0);
  if (lasting >= 2 * slowest) return [];
  return [
    {
      word: 'for',
      message: `expected at least \`${formatDuration(2 * slowest)}\`: two intervals of the monitor (\`every: ${formatDuration(slowest)}\`)`,
    },
  ];
}
