import type { Draw } from './draw.js';
import type { Hazard } from './hazard.js';
import { keyHazards } from './key-hazards.js';
import type { SchemaModel } from './model.js';
import { rowHazards } from './row-hazards.js';
import { schemaHazards } from './schema-hazards.js';

const makers = { ...keyHazards, ...rowHazards, ...schemaHazards };

/** Draws one hazard, and in some schemas two, of those that fit. */
export function drawHazards(model: SchemaModel, draw: Draw): Hazard[] {
  const wanted = draw.of([1, 1, 1, 2]);
  const found: Hazard[] = [];
  for (const kind of draw.shuffled(Object.keys(makers))) {
    const hazard = makers[kind]?.(model, draw);
    if (hazard !== undefined) found.push(hazard);
    if (found.length === wanted) break;
  }
  return found;
}
