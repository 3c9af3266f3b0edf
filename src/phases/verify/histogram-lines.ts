import type { HistogramLine } from '../../metrics/histogram-lines.js';
import { runFiles } from '../../runs/layout.js';
import { foldLines } from '../../runs/read.js';
import { misfit, type Shape } from '../../runs/shape.js';

const shape = { fromMs: 'number', toMs: 'number', all: 'fields', expected: 'fields?', endpoints: 'fields' } as const satisfies Shape;

/** Hands the lines of histograms.ndjson over one by one; none where the file is missing. Throws `unavailable` for a damaged one. */
export async function foldHistograms(directory: string, take: (line: HistogramLine) => void): Promise<void> {
  await foldLines<HistogramLine>(directory, runFiles.histograms, (line) => misfit(line, shape), take);
}
