import { trimNumber } from '../core/quantities.js';
import type { JudgedCriterion } from '../core/verdict.js';
import { formatValue } from '../metrics/limit-text.js';

/** What was measured, never the same as the limit unless it is: `412 ms`; a dash without data. */
export function valueText({ actual, unit, limit, neverAdded }: JudgedCriterion): string {
  if (actual === null) return '–';
  return neverAdded ? `${formatValue(actual, unit)} (never added to)` : formatValue(actual, unit, limitOf(limit, unit));
}

/** The bounds of a value where they can be told apart from it: `411–413`. */
export function boundsText({ actual, low, high, unit, limit, neverAdded }: JudgedCriterion): string | undefined {
  if (actual === null || neverAdded) return undefined;
  const mark = limitOf(limit, unit);
  const bounds = [low, high].map((bound) => formatValue(bound ?? actual, unit, mark));
  if (bounds.every((bound) => bound === formatValue(actual, unit, mark))) return undefined;
  return bounds.map((bound) => withoutUnit(bound, unit)).join('–');
}

/** The value with its bounds: `412 ms (411–413)`. */
export function actualText(criterion: JudgedCriterion): string {
  const bounds = boundsText(criterion);
  return bounds === undefined ? valueText(criterion) : `${valueText(criterion)} (${bounds})`;
}

/** The number in a limit as verdict.json shows it, in the metric's own unit. */
export function limitOf(limit: string, unit: JudgedCriterion['unit']): number | undefined {
  const value = Number(/-?[\d.,]+/.exec(limit)?.[0].replaceAll(',', '') ?? Number.NaN);
  if (Number.isNaN(value)) return undefined;
  return unit === '%' ? Number(trimNumber(value / 100, 12)) : value;
}

function withoutUnit(text: string, unit: string): string {
  return unit === '%' ? text : text.slice(0, text.length - unit.length).trimEnd();
}
