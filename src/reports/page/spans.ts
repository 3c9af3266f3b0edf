import { formatDuration, type Milliseconds } from '../../core/quantities.js';
import type { SpanData } from '../result/chart-data.js';
import type { Course } from '../result/course.js';
import type { Judged } from '../result/result.js';

/** What lies behind every chart over time: the ramps, which were not judged, and while which limits were broken. */
export function spansOf({ record }: Judged, { marks, endMs }: Course): SpanData[] {
  const ramps = rampsOf(record.plan.steady, endMs).map(({ text, from, to }) => span('ramp', from, to, `${text}, not judged`));
  return [...ramps, ...marks.map(({ kind, from, to, text }) => span(kind, from, Math.min(to, endMs), text))];
}

/** The same in words. */
export function spansText({ record }: Judged, { marks, endMs }: Course): string {
  const { steady } = record.plan;
  const ramps = rampsOf(steady, endMs).map(({ text, from, to }) => `the ${text} (${spanText(from, to)})`);
  const judged =
    steady === undefined || ramps.length === 0
      ? ''
      : endMs <= steady.from
        ? `The load ended before what is judged, which begins at ${formatDuration(steady.from)}: all of it is grey. `
        : `What was judged is ${spanText(steady.from, Math.min(steady.to, endMs))}; grey is what was not: ${ramps.join(' and ')}. `;
  const broken = marks.some(({ kind }) => kind === 'breach') ? 'A limit was broken where it is red. ' : '';
  return `${judged}${broken}`;
}

/** From when to when. */
export function spanText(from: Milliseconds, to: Milliseconds): string {
  return `${from <= 0 ? '0s' : formatDuration(from)}–${formatDuration(Math.max(0, to))}`;
}

/** The parts of a load before and after what is judged. */
function rampsOf(steady: Judged['record']['plan']['steady'], endMs: Milliseconds) {
  if (steady === undefined) return [];
  const { from, to } = steady;
  return [
    ...(from > 0 ? [{ text: 'ramp-up', from: 0, to: Math.min(from, endMs) }] : []),
    ...(endMs > to ? [{ text: 'ramp-down', from: to, to: endMs }] : []),
  ];
}

function span(kind: SpanData['kind'], from: Milliseconds, to: Milliseconds, text: string): SpanData {
  return { kind, from: Math.max(0, from) / 1000, to: to / 1000, text };
}
