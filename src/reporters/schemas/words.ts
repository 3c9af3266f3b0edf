import { z } from 'zod';
import { documentVersion } from '../json.js';

/** How many of something. */
export const count = z.int().min(0);
/** From 0 to 1. */
export const share = z.number().min(0).max(1);
/** The units that values are in. */
export const unit = z.enum(['ms', '%', '/s', 'B', '']);
/** One of a store's shards. */
export const shard = z.int().nullable().meta({ description: 'Null where the store has no shards.' });
/** ISO 8601. */
export const moment = z.iso.datetime();

const error = z.strictObject({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  lines: z.array(z.string()).optional(),
  exitCode: z.int(),
});

const ends = {
  exitCode: z.int().min(0).max(255),
  exitCodes: z.array(z.int().min(1).max(255)).meta({ description: 'Every exit code that applies.' }),
};

/** What a command prints: one of these documents with its exit codes, or the error that kept it from one. `errors` ended phases of it. */
export function documentOf(command: string, ...bodies: readonly z.ZodRawShape[]) {
  const [first, ...others] = bodies.map((body) =>
    z.strictObject({ version: z.literal(documentVersion), errors: z.array(error).optional(), ...body, ...ends }),
  );
  return z
    .union([z.strictObject({ error, ...ends }), ...(first === undefined ? [] : [first, ...others])])
    .meta({ title: `What loadctl ${command} --json prints` });
}
