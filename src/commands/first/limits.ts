import type { ReadScript } from './answers.js';

/** Limits as a profile's `sla` words them, and those that stay in the script alone. */
export interface ReadLimits {
  readonly sla: Readonly<Record<string, string>>;
  readonly others: readonly string[];
}

const wordsOf: Readonly<Record<string, string>> = { med: 'p50', avg: 'avg', max: 'max' };

/** Says thresholds that are about all requests in the words of the SLA. A script's own thresholds hold as they are, beside these. */
export function limitsOf({ thresholds }: Pick<ReadScript, 'thresholds'>): ReadLimits {
  const sla: Record<string, string> = {};
  const others: string[] = [];
  for (const [metric, expressions] of Object.entries(thresholds))
    for (const expression of expressions) {
      const [word, limit] = inWords(metric, expression) ?? [];
      if (word === undefined || limit === undefined || Object.hasOwn(sla, word)) others.push(`${metric}: ${expression}`);
      else sla[word] = limit;
    }
  return { sla, others };
}

function inWords(metric: string, expression: string): [word: string, limit: string] | undefined {
  const [, stat = '', sign = '', number = ''] = /^\s*(p\(\s*[\d.]+\s*\)|\w+)\s*(<=?|>=?)\s*([\d.]+)\s*$/.exec(expression) ?? [];
  const value = Number(number);
  if (number === '' || !Number.isFinite(value)) return undefined;
  const percentile = /^p\(\s*([\d.]+)\s*\)$/.exec(stat)?.[1];
  if (metric === 'http_req_duration' && sign.startsWith('<')) {
    const word = percentile === undefined ? (Object.hasOwn(wordsOf, stat) ? wordsOf[stat] : undefined) : `p${percentile}`;
    return word === undefined ? undefined : [word, `${sign} ${value}ms`];
  }
  if (metric === 'http_req_failed' && stat === 'rate' && sign.startsWith('<'))
    return ['errors', `${sign} ${Number((value * 100).toPrecision(12))}%`];
  if (metric === 'http_reqs' && stat === 'rate' && sign.startsWith('>')) return ['throughput', `${sign} ${value}/s`];
  return undefined;
}
