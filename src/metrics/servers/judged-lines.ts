import type { Criterion } from '../../core/criterion.js';
import type { MonitorLine } from '../../core/monitors.js';
import { inOrder, type JudgedMonitor, type LinesBySource, valuesMeant } from './monitor.js';
import { countedBy } from './series.js';
import type { Reading } from './values.js';

/** What of monitors' lines limits are about. */
export interface Judged {
  readonly criteria: readonly Criterion[];
  readonly monitors: readonly JudgedMonitor[];
}

/** Takes the lines of a run's monitors in. */
export interface JudgedLines {
  add(line: MonitorLine): void;
  read(): LinesBySource;
}

/**
 * Keeps of lines what limits are about, as plain numbers: a run of a day has a million lines, of which each tells a dozen values. They are
 * lines again, one monitor's at a time, while that is judged.
 */
export function judgedLines(judged: Judged): JudgedLines {
  const kept = new Map([...fieldsOf(judged)].map(([monitor, fields]) => [monitor, { fields, sources: new Map<string, Rows>() }] as const));
  return {
    add: (line) => {
      const own = kept.get(line.monitor);
      if (own === undefined) return;
      const rows = own.sources.get(line.source) ?? rowsOf(own.fields);
      own.sources.set(line.source, rows);
      rows.add(line);
    },
    read: () => ({
      get: (monitor) => {
        const sources = [...(kept.get(monitor)?.sources ?? [])];
        return new Map(sources.map(([source, rows]) => [source, inOrder(rows.read({ monitor, source }))]));
      },
    }),
  };
}

function fieldsOf({ criteria, monitors }: Judged): ReadonlyMap<string, readonly string[]> {
  const given = criteria.flatMap(({ source, metric }) => (source === 'server' ? valuesMeant(metric, monitors) : []));
  const fields = new Map<string, Set<string>>();
  for (const { monitor, value } of given) {
    const own = fields.get(monitor.name) ?? new Set();
    fields.set(monitor.name, own.add(value.reading.of));
    if ('by' in value.reading) own.add(value.reading.by);
    if (counters.includes(value.reading.from)) own.add(countedBy);
  }
  return new Map([...fields].map(([monitor, own]) => [monitor, [...own]]));
}

const counters: readonly Reading['from'][] = ['share', 'rate', 'growth'];

/** The lines of one source. */
interface Rows {
  add(line: MonitorLine): void;
  read(of: Pick<MonitorLine, 'monitor' | 'source'>): MonitorLine[];
}

const rowsPerChunk = 1024;
/** Before the values: `t`, `everyMs`, `periodFrom`, whether there are values, whether it is gone. What is missing is no number. */
const facts = 5;

function rowsOf(fields: readonly string[]): Rows {
  const columns = Array.from({ length: facts + fields.length }, (_, index) => index);
  const chunks: (Float64Array | undefined)[][] = [];
  let count = 0;
  return {
    add: ({ t, everyMs, periodFrom, values, gone }) => {
      const at = count % rowsPerChunk;
      if (at === 0) chunks.push([]);
      const chunk = chunks.at(-1) ?? [];
      const row = [t, everyMs, periodFrom, values && 1, gone && 1, ...fields.map((field) => values?.[field])];
      for (const column of columns) keep(chunk, column, at, row[column]);
      count += 1;
    },
    read: (of) =>
      Array.from({ length: count }, (_, index) => {
        const chunk = chunks[Math.floor(index / rowsPerChunk)] ?? [];
        const row = columns.map((column) => chunk[column]?.[index % rowsPerChunk] ?? Number.NaN);
        return { ...of, ...lineOf(row, fields) };
      }),
  };
}

/** A column that a chunk has nothing in takes no room. */
function keep(chunk: (Float64Array | undefined)[], column: number, at: number, number: number | undefined): void {
  if (number === undefined) return;
  const numbers = chunk[column] ?? new Float64Array(rowsPerChunk).fill(Number.NaN);
  chunk[column] = numbers;
  numbers[at] = number;
}

function lineOf([t = 0, everyMs, periodFrom, hasValues, gone, ...numbers]: readonly number[], fields: readonly string[]) {
  const known = fields.flatMap((field, index) => (isKnown(numbers[index]) ? [[field, numbers[index]] as const] : []));
  return {
    t,
    ...(isKnown(everyMs) ? { everyMs } : {}),
    ...(isKnown(periodFrom) ? { periodFrom } : {}),
    ...(isKnown(hasValues) ? { values: Object.fromEntries(known) } : {}),
    ...(isKnown(gone) ? { gone: true as const } : {}),
  };
}

function isKnown(number: number | undefined): number is number {
  return number !== undefined && !Number.isNaN(number);
}
