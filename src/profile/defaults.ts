import type { z } from 'zod';
import { profileSchema } from './sections/schema.js';

/**
 * Adds the defaults of all that a document leaves out; keys come in the schema's order. It reads zod's own definitions: the JSON
 * Schema, of which the same could be read, takes 45 ms to make, which every command would wait for.
 */
export function withDefaults(data: unknown, schema: z.core.$ZodType = profileSchema): unknown {
  const shape = shapeFor(data, schema);
  if (shape === undefined) return data;
  const given = new Map<string, unknown>(Object.entries(data as object));
  const known = Object.entries(shape).flatMap(([name, property]) => {
    const value = given.get(name) ?? written(property).standard;
    return value === undefined ? [] : [[name, withDefaults(value, property)] as const];
  });
  return Object.fromEntries([...known, ...[...given].filter(([name]) => shape[name] === undefined)]);
}

type Shape = Readonly<Record<string, z.core.$ZodType>>;

/** The keys of a map that a value was written for: of several alternatives the one told by its constants, else the first. */
function shapeFor(value: unknown, schema: z.core.$ZodType): Shape | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const shapes = shapesOf(schema);
  const fits = (shape: Shape) =>
    Object.entries(shape).every(([name, property]) => {
      const { def } = written(property);
      return def.type !== 'literal' || def.values.length > 1 || Reflect.get(value, name) === def.values[0];
    });
  return shapes.find(fits) ?? shapes[0];
}

function shapesOf(schema: z.core.$ZodType): Shape[] {
  const { def } = written(schema);
  if (def.type === 'union') return def.options.flatMap(shapesOf);
  return def.type === 'object' ? [def.shape] : [];
}

/** What people write where a schema stands, without its wrappings, and what holds where they write nothing. */
function written(schema: z.core.$ZodType): { def: z.core.$ZodTypes['_zod']['def']; standard?: unknown } {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'default':
    case 'prefault':
      return { ...written(def.innerType), standard: def.defaultValue };
    case 'optional':
    case 'nullable':
      return written(def.innerType);
    case 'pipe':
      return written(def.in);
    default:
      return { def };
  }
}
