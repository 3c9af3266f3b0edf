import type { Criterion } from '../core/criterion.js';

type Unit = Criterion['unit'];

/** A limit as people read it: `< 500 ms`, `>= 99.9%`, `>= 30,000/s`. */
export function formatLimit({ operator, limit, unit }: Pick<Criterion, 'operator' | 'limit' | 'unit'>): string {
  return `${operator} ${formatValue(limit, unit, undefined, exactDigits)}`;
}

/** A limit is shown as it was written, never rounded; these are for one that was not written in decimals (`100/m`). */
const exactDigits = 6;

/**
 * A value in its unit, with as many decimals as it needs to say something: never 100% or 0% of what is not all or
 * nothing, and never the same as `limit` unless it is.
 */
export function formatValue(value: number, unit: Unit, limit?: number, leastDigits = 0): string {
  const scale = unit === '%' ? 100 : 1;
  const landmarks = [...(limit === undefined ? [] : [limit]), ...(unit === '%' ? [0, 1] : [])];
  let digits = Math.max(leastDigits, decimals(Math.abs(value * scale)));
  while (digits < 9 && landmarks.some((mark) => mark !== value && number(mark * scale, digits) === number(value * scale, digits)))
    digits += 1;
  return `${number(value * scale, digits)}${unit === 'ms' || unit === 'B' ? ' ' : ''}${unit}`;
}

/** About four figures where a number is small, none behind the point where it is large. */
function decimals(size: number): number {
  if (size >= 100) return 0;
  return size >= 1 ? 2 : 4;
}

/** By their decimals: making one takes longer than using it a hundred times. */
const formats = new Map<number, Intl.NumberFormat>();

function number(value: number, digits: number): string {
  const format = formats.get(digits) ?? new Intl.NumberFormat('en-US', { maximumFractionDigits: digits });
  formats.set(digits, format);
  return format.format(value);
}
