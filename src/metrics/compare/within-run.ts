import type { Milliseconds, Share } from '../../core/quantities.js';
import { type HistogramLine, histogramOf } from '../histogram-lines.js';
import { bucketsOf, emptyHistogram, type HistogramSum, histogramSum, type NativeHistogram } from '../native-histogram.js';
import type { Stretch } from '../servers/series.js';
import { studentQuantile } from './student.js';

/** From this length of the judged window on there are ten blocks, below it five. */
const longMs: Milliseconds = 300_000;
/** Of either side: together one case in twenty. */
const beyond = 0.025;

/** Takes the lines of histograms.ndjson in. */
export interface WithinRun {
  add(line: HistogramLine): void;
  /**
   * How far a number of the run may be off by what happens within a run, on either side, as a share of it: of `p95`, `GET /a p95`,
   * `throughput`. At least so much: what lasts longer than a block is not in it. Undefined where not every block has requests.
   */
  read(name: string): Share | undefined;
}

interface Block {
  spanMs: Milliseconds;
  readonly all: HistogramSum;
  readonly endpoints: Map<string, HistogramSum>;
}

/**
 * The error within a run by sectioning (Nakayama, Winter Simulation Conference 2014): the same number of each of ten blocks, and
 * Student's t on their logarithms. Requests that follow each other are alike, blocks are so much less.
 */
export function withinRun({ from, to }: Stretch): WithinRun {
  const count = to - from >= longMs ? 10 : 5;
  const blocks: Block[] = Array.from({ length: count }, () => ({ spanMs: 0, all: histogramSum(), endpoints: new Map() }));
  return {
    add: (line) => {
      const middle = (line.fromMs + line.toMs) / 2;
      const block = middle > from && middle < to ? blocks[Math.floor(((middle - from) / (to - from)) * count)] : undefined;
      if (block === undefined) return;
      block.spanMs += line.toMs - line.fromMs;
      block.all.grow(histogramOf(line.all), emptyHistogram);
      for (const [name, { all }] of Object.entries(line.endpoints)) {
        const own = block.endpoints.get(name) ?? histogramSum();
        block.endpoints.set(name, own);
        own.grow(histogramOf(all), emptyHistogram);
      }
    },
    read: (name) => errorOf(blocks.map((block) => Math.log(valueIn(block, name) ?? Number.NaN))),
  };
}

function valueIn({ spanMs, all, endpoints }: Block, name: string): number | undefined {
  if (name === 'throughput') return all.count / spanMs;
  const [, endpoint, level] = /^(?:(.*) )?p(\d+(?:\.\d+)?)$/s.exec(name) ?? [];
  const histogram = endpoint === undefined ? all : endpoints.get(endpoint);
  return histogram === undefined || level === undefined ? undefined : percentileOf(histogram, Number(level) / 100);
}

/** Between the limits of its bucket by the share of the bucket's samples below it. */
function percentileOf(histogram: NativeHistogram, level: Share): number | undefined {
  const buckets = bucketsOf(histogram, 1);
  let left = level * buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  for (const { low, high, count } of buckets) {
    if (left <= count) return low > 0 ? low * (high / low) ** (left / count) : high;
    left -= count;
  }
  return undefined;
}

function errorOf(logarithms: readonly number[]): Share | undefined {
  const mean = logarithms.reduce((sum, one) => sum + one, 0) / logarithms.length;
  const degrees = logarithms.length - 1;
  const deviation = Math.sqrt(logarithms.reduce((sum, one) => sum + (one - mean) ** 2, 0) / degrees);
  const error = Math.expm1((studentQuantile(beyond, degrees) * deviation) / Math.sqrt(logarithms.length));
  return Number.isFinite(error) ? error : undefined;
}
