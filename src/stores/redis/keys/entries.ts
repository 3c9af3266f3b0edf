import { LoadctlError } from '../../../core/errors.js';
import type { SeedEntries, SeedValue } from '../../../profile/sections/schema.js';
import {
  isVolatile,
  type PieceReader,
  type Pieces,
  patternAt,
  pieceReader,
  type RowSource,
  render,
} from '../../../profile/templates/pieces.js';
import type { NamedSet } from '../../../profile/templates/sets.js';
import { literal } from './literal.js';

/** How an entry is stored, in the word that TYPE answers. */
export type Form = 'string' | 'hash' | 'list' | 'set' | 'zset';

/** One entry as it is stored. */
export interface Entry {
  readonly n: number;
  readonly key: string;
  readonly form: Form;
  /** The text; fields and values by turns; elements in their order; members; or members and scores by turns. */
  readonly parts: readonly string[];
  /** Where a seed of another day writes another value, `{now}`: what fits each part. */
  readonly fits?: readonly RegExp[];
}

/** The entries of a set, made one by one. */
export interface Entries {
  readonly set: NamedSet<SeedEntries>;
  entry(n: number): Entry;
}

const batchEntries = 500;
/** As much text as each server hands back at a time: until it is read, it counts as memory of the server. */
const batchCharacters = 64_000;

/** The entries of a set, whose templates stand in `source`. */
export function entriesOf(set: NamedSet<SeedEntries>, source: RowSource): Entries {
  const reader = pieceReader(source);
  const key = reader.text(set.key, 'key');
  const form = formOf(set);
  const texts = partsOf(set, reader);
  const volatile = texts.some(isVolatile);
  const entry = (n: number): Entry => {
    const parts = texts.map((pieces) => render(pieces, n));
    const fits = volatile ? { fits: texts.map((pieces) => new RegExp(`^${patternAt(pieces, n, literal)}$`, 'u')) } : {};
    return { n, key: render(key, n), form, parts, ...fits };
  };
  if (form === 'zset') checkScores(set, entry(1));
  return { set, entry };
}

/** What an entry's key is made of. */
export function keyPieces(set: SeedEntries, source: RowSource): Pieces {
  return pieceReader(source).text(set.key, 'key');
}

function formOf({ as }: SeedEntries): Form {
  return as === undefined || as === 'text' || as === 'json' ? 'string' : as;
}

/** Without `as`, a text is stored as it is and anything else as JSON. */
function partsOf({ value, as }: SeedEntries, reader: PieceReader): readonly Pieces[] {
  const fields = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  switch (as) {
    case 'json':
      return [reader.json(value, 'value')];
    case 'hash':
      return fields.flatMap(([field, content]) => [[field], plainText(content, field, reader)]);
    case 'zset':
      return fields.flatMap(([member, score]) => [reader.text(member, 'member'), plainText(score, 'score', reader)]);
    case 'list':
    case 'set':
      return fields.map(([, content]) => plainText(content, 'value', reader));
    default:
      return [plainText(value, 'value', reader)];
  }
}

function plainText(value: SeedValue, field: string, reader: PieceReader): Pieces {
  return typeof value === 'string' ? reader.text(value, field) : reader.json(value, field);
}

function checkScores({ name }: NamedSet<SeedEntries>, { parts }: Entry): void {
  const bad = parts.find((part, index) => index % 2 === 1 && !/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(part));
  if (bad === undefined) return;
  throw new LoadctlError('invalid-profile', `the set ${name} has the score ${JSON.stringify(bad)}, which is not a number`, {
    hint: 'Write members and their scores: `value: {"{users.id}": "{n}"}`.',
  });
}

/** Some of a set's entries, in batches: 500 for each of `width` servers, fewer where they are long. */
export function* entryBatches(
  { set, entry: make }: Entries,
  width: number,
  [first, last]: readonly [number, number] = [1, set.rows],
): Generator<Entry[]> {
  let batch: Entry[] = [];
  let characters = 0;
  for (let n = first; n <= last; n++) {
    const entry = make(n);
    batch.push(entry);
    characters += sizeOf(entry);
    if (batch.length < batchEntries * width && characters < batchCharacters * width) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}

/** How much text an entry is. */
export function sizeOf({ key, parts }: Entry): number {
  return parts.reduce((sum, part) => sum + part.length, key.length);
}
