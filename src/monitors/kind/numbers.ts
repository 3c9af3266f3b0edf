import type { MonitorValues } from '../../core/monitors.js';

/** The numbers among some values: what a server does not tell is left out. */
export function numbersIn(values: Readonly<Record<string, unknown>>): MonitorValues {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => {
      const number = value === null || value === undefined || value === '' ? Number.NaN : Number(value);
      return Number.isFinite(number) ? [[name, number] as const] : [];
    }),
  );
}
