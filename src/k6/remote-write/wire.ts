import { PbfReader } from 'pbf';
import SnappyJS from 'snappyjs';
import { emptyHistogram, type NativeHistogram, pushedSchema } from '../../metrics/native-histogram.js';
import type { PushedSeries, SeriesLabels } from '../../metrics/series.js';

/** A push that is no remote-write 1.0 request of a k6 runner: the sender's fault. */
export class MalformedPush extends Error {}

/** A push that unpacks to more than is accepted. */
export class OversizedPush extends Error {}

/** A push of one runner is some 5 kB unpacked; requests without a name make more of it. */
const maxUnpackedBytes = 32 * 1024 * 1024;
/** How many different sets of labels are kept read; when there are more, they are read anew. */
const maxKnownLabels = 60_000;

/** Reads pushes: a snappy block of a protobuf `WriteRequest` (https://prometheus.io/docs/specs/prw/remote_write_spec/). */
export interface PushReader {
  /**
   * The series of one push, without those that are not admitted. Equal labels are the same object in every push. Throws
   * {@link MalformedPush} and {@link OversizedPush}.
   */
  read(body: Uint8Array): PushedSeries[];
}

/** Whether series of labels that were not seen before are taken, by their tag `name`; a script may make them without end. */
export type Admits = (name: string | undefined) => boolean;

/** Makes a reader. Runners push the same labels again and again: what they say is read once, and then known by their bytes. */
export function pushReader(admits: Admits = () => true): PushReader {
  const known = new Map<string, SeriesLabels>();
  const labelsOf = (bytes: Uint8Array): SeriesLabels | undefined => {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    const found = known.get(key);
    if (found !== undefined) return found;
    if (!admits(nameTagIn(key))) return undefined;
    if (known.size >= maxKnownLabels) known.clear();
    const labels = readLabels(bytes);
    known.set(key, labels);
    return labels;
  };
  return { read: (body) => readPush(body, labelsOf) };
}

type LabelsOf = (bytes: Uint8Array) => SeriesLabels | undefined;

function readPush(body: Uint8Array, labelsOf: LabelsOf): PushedSeries[] {
  try {
    if (unpackedBytes(body) > maxUnpackedBytes) throw new OversizedPush('the push unpacks to more than is accepted');
    const reader = new PbfReader(SnappyJS.uncompress(body, maxUnpackedBytes));
    const series: PushedSeries[] = [];
    reader.readFields((tag) => {
      const read = tag === 1 ? readSeries(reader, labelsOf) : undefined;
      if (read !== undefined) series.push(read);
    }, undefined);
    if (reader.pos !== reader.length) throw new MalformedPush('the request is cut off');
    return series;
  } catch (cause) {
    if (cause instanceof MalformedPush || cause instanceof OversizedPush) throw cause;
    throw new MalformedPush('not a snappy-packed remote-write request', { cause });
  }
}

/** A snappy block begins with its unpacked size. */
function unpackedBytes(body: Uint8Array): number {
  return new PbfReader(body).readVarint();
}

/** A `TimeSeries`: labels, then samples or histograms, of which k6 pushes one. */
function readSeries(reader: PbfReader, labelsOf: LabelsOf): PushedSeries | undefined {
  const end = reader.readVarint() + reader.pos;
  if (end > reader.length) throw new MalformedPush('a series is cut off');
  const labels = labelsOf(takeLabels(reader, end));
  if (labels === undefined) {
    reader.pos = end;
    return undefined;
  }
  const point: Point = { value: 0 };
  let seen = false;
  reader.readFields(
    (tag) => {
      if (tag !== 2 && tag !== 4) return;
      seen = true;
      if (tag === 2) reader.readMessage(readSample, point);
      else point.histogram = histogramOf(reader.readMessage(readHistogram, rawHistogram()));
    },
    undefined,
    end,
  );
  if (!seen || reader.pos !== end) throw new MalformedPush('a series holds no value');
  const { value, histogram } = point;
  return histogram === undefined ? { labels, value } : { labels, histogram };
}

interface Point {
  value: number;
  histogram?: NativeHistogram;
}

const labelsTag = 1;

/** The bytes of the labels, which stand first in a series. */
function takeLabels(reader: PbfReader, end: number): Uint8Array {
  const from = reader.pos;
  let to = from;
  while (to < end && (reader.buf[to] ?? 0) >> 3 === labelsTag) {
    reader.pos = to + 1;
    to = reader.readVarint() + reader.pos;
  }
  if (to > end) throw new MalformedPush('a label is cut off');
  reader.pos = to;
  return reader.buf.subarray(from, to);
}

/** A label `name`, up to the length of its value: `\n` LENGTH `\n` 4 `name` `\x12`. */
const nameLabel = '\n\x04name\x12';

/** The value of the tag `name` in the bytes of labels, without reading the rest. */
function nameTagIn(latin1: string): string | undefined {
  const at = latin1.indexOf(nameLabel);
  if (at === -1) return undefined;
  const from = at + nameLabel.length;
  const value = new PbfReader(Buffer.from(latin1.slice(from), 'latin1'));
  return value.readString();
}

/** k6's own label for its feature, and what every name of a k6 metric begins with. */
const ownLabel = 'k6_feature_native_histograms';
const prefix = 'k6_';

function readLabels(bytes: Uint8Array): SeriesLabels {
  const tags: Record<string, string> = {};
  let name = '';
  const reader = new PbfReader(bytes);
  reader.readFields(() => {
    const [label, value] = reader.readMessage(readLabel, ['', ''] as [string, string]);
    if (label === '__name__') name = value;
    else if (label !== ownLabel) tags[label] = value;
  }, undefined);
  if (!name.startsWith(prefix)) throw new MalformedPush('a series is not a k6 metric');
  return { name: name.slice(prefix.length), tags };
}

function readLabel(tag: number, label: [string, string], reader: PbfReader): void {
  if (tag === 1) label[0] = reader.readString();
  else if (tag === 2) label[1] = reader.readString();
}

function readSample(tag: number, sample: Point, reader: PbfReader): void {
  if (tag === 1) sample.value = reader.readDouble();
}

interface RawHistogram {
  count: number;
  sum: number;
  schema: number;
  zeroCount: number;
  readonly positiveSpans: Span[];
  readonly positiveDeltas: number[];
  readonly negativeSpans: Span[];
  readonly negativeDeltas: number[];
}

interface Span {
  offset: number;
  length: number;
}

function rawHistogram(): RawHistogram {
  return { count: 0, sum: 0, schema: 0, zeroCount: 0, positiveSpans: [], positiveDeltas: [], negativeSpans: [], negativeDeltas: [] };
}

/** prompb's `Histogram`, by its field numbers. */
function readHistogram(tag: number, histogram: RawHistogram, reader: PbfReader): void {
  if (tag === 1) histogram.count = reader.readVarint();
  else if (tag === 3) histogram.sum = reader.readDouble();
  else if (tag === 4) histogram.schema = reader.readSVarint();
  else if (tag === 6) histogram.zeroCount = reader.readVarint();
  else if (tag === 8) histogram.negativeSpans.push(reader.readMessage(readSpan, { offset: 0, length: 0 }));
  else if (tag === 9) reader.readPackedSVarint(histogram.negativeDeltas);
  else if (tag === 11) histogram.positiveSpans.push(reader.readMessage(readSpan, { offset: 0, length: 0 }));
  else if (tag === 12) reader.readPackedSVarint(histogram.positiveDeltas);
}

function readSpan(tag: number, span: Span, reader: PbfReader): void {
  if (tag === 1) span.offset = reader.readSVarint();
  else if (tag === 2) span.length = reader.readVarint();
}

function histogramOf(raw: RawHistogram): NativeHistogram {
  if (raw.schema !== pushedSchema) throw new MalformedPush(`a histogram has schema ${raw.schema}, k6 has ${pushedSchema}`);
  const { count, sum, zeroCount } = raw;
  const positive = buckets(raw.positiveSpans, raw.positiveDeltas);
  return { count, sum, zeroCount, positive, negative: buckets(raw.negativeSpans, raw.negativeDeltas) };
}

/** Spans say which bucket indices follow one another, deltas how each count differs from the one before. */
function buckets(spans: readonly Span[], deltas: readonly number[]): ReadonlyMap<number, number> {
  if (deltas.length === 0) return emptyHistogram.positive;
  const counts = new Map<number, number>();
  let index = 0;
  let count = 0;
  let next = 0;
  for (const { offset, length } of spans) {
    if (next + length > deltas.length) throw new MalformedPush('a histogram has more buckets than counts');
    index += offset;
    for (const last = index + length; index < last; index += 1, next += 1) {
      count += deltas[next] ?? 0;
      if (count > 0) counts.set(index, count);
    }
  }
  return counts;
}
