import { createHash } from 'node:crypto';
import { PbfWriter } from 'pbf';
import { type NativeHistogram, pushedSchema } from '../../metrics/native-histogram.js';

/** Labels of a series with its name, as Prometheus wants them. */
export type Labels = Readonly<Record<string, string | undefined>>;

/** One sample of one series; `stale` says that none will follow. */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number | NativeHistogram | 'stale';
}

/** A protobuf `WriteRequest` of these samples, one of each series (https://prometheus.io/docs/specs/prw/remote_write_spec/). */
export function writeRequest(samples: readonly Sample[], atMs: number): Uint8Array {
  const writer = new PbfWriter();
  for (const sample of samples) writer.writeMessage(1, writeSeries, { ...sample, at: Math.floor(atMs) });
  return writer.finish();
}

function writeSeries({ name, labels, value, at }: Sample & { readonly at: number }, writer: PbfWriter): void {
  for (const label of labelPairs({ ...labels, __name__: name })) writer.writeMessage(1, writeLabel, label);
  if (typeof value === 'object') writer.writeMessage(4, writeHistogram, { histogram: value, at });
  else writer.writeMessage(2, writeSample, { value, at });
}

/** By name, in order, none of them empty; what Prometheus takes no name for has `_` in it. */
function labelPairs(labels: Labels): [string, string][] {
  const pairs = Object.entries(labels).flatMap(([name, value = '']): [string, string][] => {
    return value === '' ? [] : [[labelName(name), labelValue(value)]];
  });
  return pairs.sort(([a], [b]) => (a < b ? -1 : 1));
}

function labelName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
}

const mostBytes = 1024;

/** Receivers refuse longer ones. What tells two of them apart is kept. */
function labelValue(value: string): string {
  const bytes = Buffer.from(value);
  if (bytes.length <= mostBytes) return bytes.toString();
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return `${bytes
    .subarray(0, mostBytes - 24)
    .toString()
    .replace(/\uFFFD+$/, '')}… ${hash}`;
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
