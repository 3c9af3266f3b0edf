import { PbfWriter } from 'pbf';
import SnappyJS from 'snappyjs';

/** A push as k6 sends one: series of `{name, tags, value: {number} | {histogram: count}}` at a moment, packed. */
export function pushBody(series, at) {
  const writer = new PbfWriter();
  for (const one of series) writer.writeMessage(1, writeSeries, { ...one, at });
  return Buffer.from(SnappyJS.compress(writer.finish()));
}

function writeSeries({ name, tags, value, at }, writer) {
  for (const label of Object.entries({ __name__: name, ...tags }).sort()) writer.writeMessage(1, writeLabel, label);
  if ('number' in value) writer.writeMessage(2, writeSample, { number: value.number, at });
  else writer.writeMessage(4, writeHistogram, { count: value.histogram, at });
}

function writeLabel([name, value], writer) {
  writer.writeStringField(1, name);
  writer.writeStringField(2, value);
}

function writeSample({ number, at }, writer) {
  writer.writeDoubleField(1, number);
  writer.writeVarintField(2, at);
}

/** A bell over 24 buckets around 5 ms. */
function writeHistogram({ count, at }, writer) {
  const shape = Array.from({ length: 24 }, (_, index) => Math.exp(-(((index - 11) / 6) ** 2)));
  const whole = shape.reduce((sum, part) => sum + part, 0);
  const counts = shape.map((part) => Math.floor((part / whole) * count));
  counts[11] += count - counts.reduce((sum, part) => sum + part, 0);
  writer.writeVarintField(1, count);
  writer.writeDoubleField(3, count * 0.005);
  writer.writeSVarintField(4, 3);
  writer.writeDoubleField(5, 2.938735877055719e-39);
  writer.writeMessage(11, writeSpan, { offset: -73, length: counts.length });
  writer.writePackedSVarint(
    12,
    counts.map((one, index) => one - (counts[index - 1] ?? 0)),
  );
  writer.writeVarintField(15, at);
}

function writeSpan({ offset, length }, writer) {
  writer.writeSVarintField(1, offset);
  writer.writeVarintField(2, length);
}
