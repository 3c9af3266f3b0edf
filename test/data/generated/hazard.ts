import type { Draw } from './draw.js';
import type { SchemaModel, TableModel } from './model.js';
import type { Late } from './writers.js';

/** Something in a schema, or in what others do, that loadctl may refuse or be unable to prove. */
export interface Hazard {
  readonly kind: string;
  /** Exit codes that it may lead to. */
  readonly codes: readonly number[];
  /** One of these has to be in what loadctl says: names that only this hazard gives, or a table that it is about. */
  readonly names: readonly string[];
  /** SQL when the schema is made, and sets of its own. */
  readonly schema?: readonly string[];
  readonly seed?: Record<string, unknown>;
  readonly rows?: readonly unknown[];
  /** SQL of others before the seed, and once the application has written. */
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  /** Rows that others insert while loadctl cleans up. */
  readonly late?: readonly Late[];
}

/** Makes a hazard for a schema, where it has a table that fits. */
export type Making = (model: SchemaModel, draw: Draw) => Hazard | undefined;

/** A table that fits, where there is one. */
export function anyTable(model: SchemaModel, draw: Draw, fits: (table: TableModel) => boolean): TableModel | undefined {
  const fitting = model.tables.filter(fits);
  return fitting.length === 0 ? undefined : draw.of(fitting);
}

/** Whether rows are told apart by one column. */
export const single = ({ id, layout }: TableModel) => id.kind !== 'pair' && layout !== 'list';
