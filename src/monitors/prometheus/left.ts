import type { MonitorOf } from '../kind/types.js';
import { limitsOf } from './pods.js';
import type { Labels, Series } from './series.js';

/** What was known of a source when it told all its values. */
export interface Known {
  readonly labels: Labels;
  /** When its last sample was made, by the server's clock. */
  readonly madeAt: number;
  /** How many values it told. */
  readonly values: number;
}

/** Asks PromQL, now or at a moment by the server's clock. */
export type Ask = (query: string, time?: number) => Promise<readonly Series[]>;

/**
 * Whether a source whose series are missing has left rightly: it is no target any more, or a pod that is none. Where its target is there
 * and cannot be scraped, or the server knows nothing of it, nobody can say so.
 */
export async function hasLeft(ask: Ask, { pods }: Pick<MonitorOf<'prometheus'>, 'pods'>, { labels, madeAt }: Known): Promise<boolean> {
  if (pods !== undefined) return (await ask(podsThere(labels))).length === 0;
  const own = Object.entries(labels).filter(([name]) => labels.instance === undefined || name === 'instance' || name === 'job');
  const targets = `up${selector(own.map(([name, value]) => [name, '=~', `${quoted(value)}|`]))}`;
  const [before, now] = await Promise.all(
    [madeAt, undefined].map(async (time) => (await ask(targets, time)).filter((target) => shares(target.labels, labels))),
  );
  if (before === undefined || now === undefined || before.length === 0) return false;
  // A target that is scraped, and does not tell this series, has none.
  return now.every(({ value }) => value === 1 && labels.instance !== undefined);
}

/** Pods that the cluster knows and that are not over. */
function podsThere({ namespace = '', pod = '' }: Labels): string {
  const own = selector([
    ['namespace', '=', namespace],
    ['pod', '=', pod],
  ]);
  const over = selector([
    ['namespace', '=', namespace],
    ['pod', '=', pod],
    ['phase', '=~', 'Succeeded|Failed'],
  ]);
  return `${limitsOf(own)} unless on (namespace, pod) (kube_pod_status_phase${over} == 1)`;
}

function shares(target: Labels, labels: Labels): boolean {
  return Object.keys(target).some((name) => labels[name] === target[name]);
}

function selector(all: readonly (readonly [string, string, string])[]): string {
  return `{${all.map(([name, operator, value]) => `${name}${operator}${JSON.stringify(value)}`).join(',')}}`;
}

/** What stands for itself in a regular expression. */
function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
