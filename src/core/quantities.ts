/** A length of time in milliseconds. */
export type Milliseconds = number;

/** A share of a whole, 0…1 (99.9% is 0.999). */
export type Share = number;

/** Something per second: iterations, requests, rows. */
export type PerSecond = number;

/** A point in time: milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

/** How a value is shown: milliseconds, a share times 100, a rate, bytes, or a bare number. */
export type Unit = 'ms' | '%' | '/s' | 'B' | '';

/** A value read off live data, with the bounds that it certainly lies in. */
export interface LiveValue {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const unitMs: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001 };
const durationPart = /(\d+(?:\.\d+)?)(ms|us|µs|d|h|m|s)/gy;

/** Reads a duration as k6 and Go write it (`1m30s`, `250ms`, `1.5h`, `1d`), plus bare `0`. Undefined when it is none. */
export function parseDuration(text: string): Milliseconds | undefined {
  const trimmed = text.trim();
  if (trimmed === '0') return 0;
  let total = 0;
  let end = 0;
  for (const part of trimmed.matchAll(durationPart)) {
    total += Number(part[1]) * (unitMs[part[2] ?? ''] ?? Number.NaN);
    end = part.index + part[0].length;
  }
  return end > 0 && end === trimmed.length ? total : undefined;
}

/** Writes a duration the way people say it: `1m30s`, `10m`, `250ms`, `1.5s`. */
export function formatDuration(ms: Milliseconds): string {
  if (ms < 1000) return `${trimNumber(ms, ms < 10 ? 2 : 0)}ms`;
  if (ms < 60_000) return `${trimNumber(ms / 1000, 1)}s`;
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ] as const;
  return parts.flatMap(([n, unit]) => (n > 0 ? [`${n}${unit}`] : [])).join('');
}

/** Reads `99.9%` as 0.999: exactly the share that 999 of 1,000 is. Undefined when it is not a percentage. */
export function parsePercent(text: string): Share | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text);
  return match ? Number(`${match[1]}e-2`) : undefined;
}

/** Reads `30000/s`, `600/m`, `1e3/s` as a number per second. Undefined when it is not a rate. */
export function parseRate(text: string): PerSecond | undefined {
  const match = /^\s*(\d+(?:\.\d+)?(?:e\d+)?)\s*\/\s*(s|m|h)\s*$/i.exec(text);
  const seconds = match && { s: 1, m: 60, h: 3600 }[(match[2] ?? '').toLowerCase()];
  return match && seconds ? Number(match[1]) / seconds : undefined;
}

/** A number with at most `digits` decimals and no trailing zeros: 1.50 → `1.5`. */
export function trimNumber(value: number, digits: number): string {
  return String(Number(value.toFixed(Math.min(100, Math.max(0, digits)))));
}

let counts: Intl.NumberFormat | undefined;

/** A count with thousands separated: 30000 → `30,000`. */
export function formatCount(value: number): string {
  counts ??= new Intl.NumberFormat('en-US');
  return counts.format(Math.round(value));
}
