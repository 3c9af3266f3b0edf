import { trimNumber } from '../../core/quantities.js';
import { type Broken, itemsOf, keysOf, type Rule, valueAt } from './types.js';

/** A run in Grafana Cloud is k6's own there: what loadctl itself does to a fleet does not go with it. */
export const cloudRule: Rule = ({ profile, data }) => {
  const { runners, workload } = profile;
  if (runners?.backend !== 'cloud') return [];
  return [
    ...doesNotGo(data),
    ...(runners.count > 1 ? [one] : []),
    ...zones(data, runners.cloud?.zones ?? {}),
    ...(workload === undefined ? [] : variables(data, Object.keys(workload.env))),
  ];
};

const one: Broken = {
  path: ['runners', 'count'],
  message: '`count` does not go with `cloud`: Grafana Cloud decides how many machines make the load',
};

function doesNotGo(data: unknown): Broken[] {
  const broken: Broken[] = [];
  if (itemsOf(data, 'abort').length > 0) {
    broken.push({
      path: ['abort'],
      on: 'key',
      message:
        '`abort` does not go with `cloud`: k6 reports no numbers while the run goes on; give the script a threshold with `abortOnFail`, and remove this (`abort: []`)',
    });
  }
  if (isProduction(data)) {
    broken.push({
      path: ['guards'],
      on: 'key',
      message:
        '`guards: production` does not go with `cloud`: it demands abort rules, which no run in Grafana Cloud can have; use `maxVus` and `maxVuHours`',
    });
  }
  if (valueAt(data, 'target', 'colours') !== undefined) {
    broken.push({
      path: ['target', 'colours'],
      on: 'key',
      message: '`colours` does not go with `cloud`: a switch under load could not be acted on in time; use `target.url`',
    });
  }
  if (itemsOf(data, 'workload', 'outputs').length > 0) {
    broken.push({
      path: ['workload', 'outputs'],
      on: 'key',
      message: '`outputs` of k6 do not go with `cloud`: their files would stay there',
    });
  }
  return broken;
}

function isProduction(data: unknown): boolean {
  return valueAt(data, 'guards') === 'production' || valueAt(data, 'guards', 'level') === 'production';
}

/** Whole percentages, as k6 takes no others, that make a whole. */
function zones(data: unknown, shares: Readonly<Record<string, number>>): Broken[] {
  const entries = Object.entries(shares);
  const odd = entries.filter(([, share]) => share === 0 || Math.abs(share * 100 - Math.round(share * 100)) > 1e-9);
  const sum = entries.reduce((total, [, share]) => total + share, 0);
  const isComplete = keysOf(data, 'runners', 'cloud', 'zones').length === entries.length;
  return [
    ...odd.map(
      ([zone]): Broken => ({ path: ['runners', 'cloud', 'zones', zone], message: 'expected a whole percentage above 0% such as `60%`' }),
    ),
    ...(isComplete && entries.length > 0 && Math.abs(sum - 1) > 1e-9
      ? [
          {
            path: ['runners', 'cloud', 'zones'],
            on: 'key' as const,
            message: `\`zones\` adds up to ${trimNumber(sum * 100, 4)}%, not 100%`,
          },
        ]
      : []),
  ];
}

/** Only variables that the script has by loadctl; k6's own names mean something to k6 there. */
function variables(data: unknown, own: readonly string[]): Broken[] {
  return itemsOf(data, 'runners', 'cloud', 'env').flatMap((name, index): Broken[] => {
    const path = ['runners', 'cloud', 'env', index];
    if (typeof name !== 'string') return [];
    if (name.startsWith('K6_')) return [{ path, message: `\`${name}\` is k6’s own variable: give the script another name for it` }];
    if (name === 'BASE_URL' || name.startsWith('LOADCTL_') || own.includes(name)) return [];
    return [{ path, message: `\`${name}\` is not a variable of the script: set it in \`workload.env\`, or with \`-e ${name}\`` }];
  });
}
