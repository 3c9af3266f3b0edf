import { z } from 'zod';
import type { Path } from './document/tree.js';
import { profileSchema } from './sections/schema.js';
import { text } from './words/words.js';

/** As much of JSON Schema as profiles need. */
export interface JsonSchema {
  readonly [word: string]: unknown;
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

const fileSchema = profileSchema.extend({
  extends: text('the path of a profile')
    .meta({ description: 'A profile that this one is laid over; relative to this file.', examples: ['base.yaml'] })
    .exactOptional(),
});

let made: JsonSchema | undefined;

/** What may stand in a profile, as people write it: complete, so after `extends`. Made once. */
export function inputSchema(): JsonSchema {
  made ??= z.toJSONSchema(fileSchema, { io: 'input', override: keepExamples }) as JsonSchema;
  return made;
}

/** zod leaves out the examples of what it transforms, as they could be of the output; here they never are. */
function keepExamples({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const examples: unknown = z.globalRegistry.get(zodSchema)?.examples;
  if (Array.isArray(examples)) jsonSchema.examples = examples;
}

/**
 * The schema for editors: one file may leave to another what is required, null takes out what is inherited, and keys such as
 * `x-defaults` hold what others merge.
 */
export function editorSchema(): JsonSchema {
  const { $schema, ...schema } = inputSchema();
  return { $schema, title: 'A loadctl profile', ...mayInherit(schema), patternProperties: { '^x-': {} } };
}

/** Every schema that may hold at a path: several where there are alternatives. */
export function schemasAt(path: Path): JsonSchema[] {
  return path.reduce<JsonSchema[]>((schemas, step) => schemas.flatMap((schema) => stepInto(schema, step)), alternatives(inputSchema()));
}

/** A schema's alternatives, itself where it has none. */
export function alternatives(schema: JsonSchema): JsonSchema[] {
  const branches = schema.anyOf ?? schema.oneOf;
  return branches ? branches.flatMap(alternatives) : [schema];
}

function stepInto(schema: JsonSchema, step: string | number): JsonSchema[] {
  if (typeof step === 'number') return schema.items ? alternatives(schema.items) : [];
  const next = schema.properties?.[step] ?? schema.additionalProperties;
  return typeof next === 'object' ? alternatives(next) : [];
}

function mayInherit(schema: JsonSchema): JsonSchema {
  const { required: _, oneOf, anyOf, ...rest } = schema;
  const branches = anyOf ?? oneOf;
  return {
    ...rest,
    ...(schema.properties ? { properties: eachValue(schema.properties, (property) => orNull(mayInherit(property))) } : {}),
    ...(typeof schema.additionalProperties === 'object' ? { additionalProperties: orNull(mayInherit(schema.additionalProperties)) } : {}),
    ...(branches ? { anyOf: branches.map(mayInherit) } : {}),
  };
}

function orNull(schema: JsonSchema): JsonSchema {
  if (typeof schema.type === 'string' && !schema.enum && schema.const === undefined) return { ...schema, type: [schema.type, 'null'] };
  if (Array.isArray(schema.type)) return { ...schema, type: [...schema.type, 'null'] };
  if (schema.anyOf) return { ...schema, anyOf: [...schema.anyOf, { type: 'null' }] };
  if (schema.enum || schema.const !== undefined) {
    const { description, default: standard, examples, ...choice } = schema;
    return {
      ...(description === undefined ? {} : { description }),
      ...(standard === undefined ? {} : { default: standard }),
      ...(examples === undefined ? {} : { examples }),
      anyOf: [choice, { type: 'null' }],
    };
  }
  return schema;
}

function eachValue(record: Readonly<Record<string, JsonSchema>>, change: (schema: JsonSchema) => JsonSchema): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(record).map(([name, schema]) => [name, change(schema)]));
}
