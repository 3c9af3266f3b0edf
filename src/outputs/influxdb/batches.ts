import type { Parcel } from '../kind/types.js';
import type { Line } from './line.js';

/** Puts lines together into parcels, of one second each. */
export interface Batches {
  /** Takes lines of a second in; hands back what is complete by that: all that came before it. */
  add(second: number, lines: readonly Line[]): readonly Parcel[];
  /** What is left. */
  end(): readonly Parcel[];
}

/** What InfluxDB 1 and 2 advise, and below the 10 MiB that InfluxDB 3 takes. */
const mostLines = 5000;
const mostBytes = 4_000_000;

/** {@link Batches} of what this name sends; sent again, points overwrite themselves, so that an id has nothing to tell. */
export function batchesOf(name: string): Batches {
  let second = Number.NaN;
  let lines: string[] = [];
  const taken = new Set<string>();
  const end = () => {
    const parcels = parts(lines).map((part, index) => ({ id: `${name}-${second}-${index}`, second, body: part.join('\n') }));
    lines = [];
    taken.clear();
    return parcels;
  };
  return {
    end,
    add: (of, more) => {
      // What a monitor saw may be told a moment late: it goes with what is under way.
      const now = Number.isNaN(second) ? of : Math.max(of, second);
      const done = now === second ? [] : end();
      second = now;
      for (const line of more) lines.push(textOf(line, taken));
      return done;
    },
  };
}

/** Names that differ only in what a line cannot hold are one series: of its points of one moment the later ones are a nanosecond later. */
function textOf({ series, fields, at }: Line, taken: Set<string>): string {
  let moment = at;
  while (taken.has(`${series} ${moment}`)) moment = String(BigInt(moment) + 1n);
  taken.add(`${series} ${moment}`);
  return `${series} ${fields} ${moment}`;
}

function parts(lines: readonly string[]): string[][] {
  const all: string[][] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = Buffer.byteLength(line) + 1;
    const last = all.at(-1);
    if (last === undefined || last.length >= mostLines || bytes + size > mostBytes) {
      all.push([line]);
      bytes = size;
    } else {
      last.push(line);
      bytes += size;
    }
  }
  return all;
}
