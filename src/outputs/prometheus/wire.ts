import { PbfWriter } from 'pbf';
import { type NativeHistogram, pushedSchema } from '../../metrics/native-histogram.js';
import { cutApart } from '../kind/cut-apart.js';

/** Labels of a series with its name, as Prometheus wants them. */
export type Labels = Readonly<Record<string, string | undefined>>;

/** One sample of one series; `stale` says that none will follow. */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number | NativeHistogram | 'stale';
  /** Whether it only grows, from zero on. */
  readonly grows?: true;
}

/** A series by its labels as they are written, and what tells it from all others there. */
export interface Series {
  readonly key: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
}

/** One sample as it is written. */
export interface Written {
  readonly series: Series;
  readonly value: Sample['value'];
}

/** The series of a sample: by name, in order, no label empty; what Prometheus takes no name for has `_` in it. */
export function seriesOf({ name, labels }: Pick<Sample, 'name' | 'labels'>): Series {
  const pairs = new Map<string, string>();
  for (const [label, value = ''] of Object.entries({ ...labels, __name__: name })) {
    if (value !== '') pairs.set(labelName(label), labelValue(value));
  }
  const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
  return { key: JSON.stringify(sorted), labels: sorted };
}

/** The series with this key. */
export function seriesWith(key: string): Series {
  return { key, labels: JSON.parse(key) as Series['labels'] };
}

/** A protobuf `WriteRequest` of these samples, one of each series (https://prometheus.io/docs/specs/prw/remote_write_spec/). */
export function writeRequest(samples: readonly Written[], atMs: number): Uint8Array {
  const writer = new PbfWriter();
  for (const sample of samples) writer.writeMessage(1, writeSeries, { ...sample, at: Math.floor(atMs) });
  return writer.finish();
}

function writeSeries({ series, value, at }: Written & { readonly at: number }, writer: PbfWriter): void {
  for (const label of series.labels) writer.writeMessage(1, writeLabel, label);
  if (typeof value === 'object') writer.writeMessage(4, writeHistogram, { histogram: value, at });
  else writer.writeMessage(2, writeSample, { value, at });
}

function labelName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
}

const mostBytes = 1024;

/** Receivers refuse longer ones. */
function labelValue(value: string): string {
  return cutApart(value, mostBytes);
}

function writeLabel([name, value]: readonly [string, string], writer: PbfWriter): void {
  writer.writeStringField(1, name);
  writer.writeStringField(2, value);
}

/** The NaN that ends a series, by its bits: JavaScript has one NaN for all. */
const staleBits = { low: 2, high: 0x7ff0_0000 };
const fixed64 = 1;

function writeSample({ value, at }: { readonly value: number | 'stale'; readonly at: number }, writer: PbfWriter): void {
  if (value === 'stale') {
    writer.writeTag(1, fixed64);
    writer.writeFixed32(staleBits.low);
    writer.writeFixed32(staleBits.high);
  } else writer.writeDoubleField(1, value);
  writer.writeVarintField(2, at);
}

/** The zero bucket of k6's own histograms. */
const zeroThreshold = 2 ** -128;

/** prompb's `Histogram`, by its field numbers. */
function writeHistogram({ histogram, at }: { readonly histogram: NativeHistogram; readonly at: number }, writer: PbfWriter): void {
  const { count, sum, zeroCount, negative, positive } = histogram;
  writer.writeVarintField(1, count);
  writer.writeDoubleField(3, sum);
  writer.writeSVarintField(4, pushedSchema);
  writer.writeDoubleField(5, zeroThreshold);
  writer.writeVarintField(6, zeroCount);
  writeBuckets(negative, { spans: 8, deltas: 9 }, writer);
  writeBuckets(positive, { spans: 11, deltas: 12 }, writer);
  writer.writeVarintField(15, at);
}

interface Span {
  readonly offset: number;
  length: number;
}

/** Spans say which indexes follow one another, deltas how each count differs from the one before. */
function writeBuckets(
  buckets: ReadonlyMap<number, number>,
  fields: { readonly spans: number; readonly deltas: number },
  writer: PbfWriter,
): void {
  const filled = [...buckets].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const spans: Span[] = [];
  const deltas: number[] = [];
  let [next, before] = [0, 0];
  for (const [index, count] of filled) {
    const last = spans.at(-1);
    if (last !== undefined && index === next) last.length += 1;
    else spans.push({ offset: index - next, length: 1 });
    deltas.push(count - before);
    [next, before] = [index + 1, count];
  }
  for (const span of spans) writer.writeMessage(fields.spans, writeSpan, span);
  if (deltas.length > 0) writer.writePackedSVarint(fields.deltas, deltas);
}

function writeSpan({ offset, length }: Span, writer: PbfWriter): void {
  writer.writeSVarintField(1, offset);
  writer.writeVarintField(2, length);
}
