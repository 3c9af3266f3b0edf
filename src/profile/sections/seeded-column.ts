import type { SeedStep, SeedValue } from './schema.js';

/** A column as a seed step fills it. */
export interface SeededColumn {
  readonly step: SeedStep;
  readonly value: SeedValue;
}

/** The column of this table that a seed step fills; the table is named as in the step, with or without its schema. */
export function seededColumn(steps: readonly SeedStep[], table: string, column: string): SeededColumn | undefined {
  for (const step of steps) {
    if (!('table' in step) || !Object.hasOwn(step.columns, column)) continue;
    const names = [step.table, `${step.schema}.${step.table}`];
    const value = step.columns[column];
    if (names.includes(table) && value !== undefined) return { step, value };
  }
  return undefined;
}
