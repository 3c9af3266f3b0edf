import type { z } from 'zod';
import type { Place } from './document/place.js';
import type { Problem } from './document/problem.js';
import { keyAt, nodeAt, type Path, type Tree } from './document/tree.js';
import { elsewhere, ownWordFor } from './elsewhere.js';
import { alternatives, type JsonSchema, schemasAt } from './json-schema.js';
import { secretsIn } from './secret-values.js';
import { missing, missingIn } from './variables.js';
import { allOf, anyOf, nearest } from './words/near.js';
import { looksLike } from './words/words.js';

type Issue = z.core.$ZodIssue;

/** A problem that may be the other side of another one: a key that is missing because it is misspelled. */
interface Explained extends Problem {
  readonly suggests?: string;
  readonly lacks?: string;
}

/** What zod found, and the keys that misspelled ones were taken for. */
interface Explanation {
  /** Each with the section of the profile that it is about. */
  readonly problems: readonly (Problem & { readonly section: string })[];
  readonly suggested: ReadonlySet<string>;
}

/** Says what zod found in people's words, each at the token that is to blame. */
export function explainAll(issues: readonly Issue[], tree: Tree): Explanation {
  const explained = issues.flatMap((issue) => {
    const section = String(issue.path[0] ?? '');
    return explain(issue, tree, toPath(issue.path)).map((each) => ({ ...each, section }));
  });
  const suggested = new Set(explained.flatMap(({ suggests }) => (suggests === undefined ? [] : [suggests])));
  const rest = explained.filter(({ lacks }) => lacks === undefined || !suggested.has(lacks));
  return { problems: rest.map(({ place, message, section }) => ({ place, message, section })), suggested };
}

function explain(issue: Issue, tree: Tree, path: Path): Explained[] {
  const node = nodeAt(tree, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(tree, path, key));
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ place: keyPlace(tree, path), message }));
  if (!node) return [missingKey(tree, path)];
  const unset = node.kind === 'scalar' ? missingIn(node) : undefined;
  if (unset) return [{ place: node.place, message: missing(unset.name) }];
  if (issue.code === 'invalid_union' && issue.errors.length > 0 && !issue.message.startsWith('expected')) {
    return bestBranch(issue.errors, keysAt(path)).flatMap((inner) => explain(inner, tree, [...path, ...toPath(inner.path)]));
  }
  const params: unknown = issue.code === 'custom' ? issue.params?.token : undefined;
  if (params === 'name') return [{ place: keyPlace(tree, path), message: issue.message }];
  const expected = expectation(issue, path);
  if (issue.code === 'custom' && node.kind !== 'scalar') return [{ place: beginning(node), message: expected }];
  const message = expected.startsWith('expected') ? `${expected}${instead(tree, path, expected)}${inQuotes(issue, node)}` : expected;
  return [{ place: beginning(node), message }];
}

/** What to write where YAML made a number of what is meant as a text. */
function inQuotes(issue: Issue, node: Tree): string {
  const wantsText = issue.code === 'invalid_type' && issue.expected === 'string';
  return wantsText && node.kind === 'scalar' && node.written !== undefined ? `; write \`"${node.written}"\`` : '';
}

/** The paths that an issue speaks of, for taking out what is wrong and checking the rest. */
export function blamed(issue: Issue): Path[] {
  const path = toPath(issue.path);
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

/** The keys that may stand at a path. */
function keysAt(path: Path): string[] {
  return [...new Set(schemasAt(path).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

function unknownKey(tree: Tree, path: Path, key: string): Explained {
  const known = keysAt(path);
  if (known.includes(key))
    return { place: keyPlace(tree, [...path, key]), message: `\`${key}\` does not go with ${besides(tree, path, key)}` };
  const near =
    synonyms.find(([other, own]) => other === key && known.includes(own))?.[1] ??
    (ownWordFor(key) === undefined ? nearest(key, known) : undefined);
  const where = path.length === 0 ? 'a profile' : `\`${path.join('.')}\``;
  // What stands inside an entry of a section was hardly meant for another section.
  const meant = near ?? (path.length > 1 ? undefined : (ownWordFor(key) ?? elsewhere(key)));
  const hint = meant === undefined ? `${where} has ${allOf(known)}` : `did you mean \`${meant}\`?`;
  const problem = { place: keyPlace(tree, [...path, key]), message: `unknown key \`${key}\`; ${hint}` };
  if (meant === undefined) return problem;
  return { ...problem, suggests: near === undefined ? meant : [...path, near].join('.') };
}

/** What people write for words of data sets and cleanup entries. */
const synonyms: readonly (readonly [written: string, own: string])[] = [
  ['count', 'rows'],
  ['cols', 'columns'],
  ['fields', 'columns'],
  ['expire', 'ttl'],
  ['expires', 'ttl'],
  ['type', 'as'],
  ['data', 'value'],
  ['pattern', 'match'],
  ['keys', 'match'],
  ['field', 'json'],
];

/** The other keys of a map, for a message. */
function besides(tree: Tree, path: Path, key: string): string {
  const node = nodeAt(tree, path);
  return allOf(node?.kind === 'map' ? [...node.entries.keys()].filter((other) => other !== key) : []);
}

function missingKey(tree: Tree, path: Path): Explained {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const example = schemasOf(path, true).flatMap((schema) => schema.examples ?? [])[0];
  const values = valuesAt(path);
  const such =
    values.length > 0
      ? `: ${anyOf(values)}`
      : example === undefined
        ? ''
        : `, such as \`${key}: ${typeof example === 'string' ? example : JSON.stringify(example)}\``;
  const place = keyAt(tree, parent) ?? beginning(nodeAt(tree, parent) ?? tree);
  return { place, message: `missing \`${key}\`${parent.length > 0 ? ` in \`${parent.join('.')}\`` : ''}${such}`, lacks: path.join('.') };
}

/** The schema at a path with its own examples, before its alternatives are taken apart; those first that require it. */
function schemasOf(path: Path, required = false): JsonSchema[] {
  const needs = (schema: JsonSchema) => Number(required && schema.required?.includes(String(path.at(-1))) === true);
  const parents = [...schemasAt(path.slice(0, -1))].sort((one, other) => needs(other) - needs(one));
  return parents.flatMap((schema) => {
    const property = schema.properties?.[String(path.at(-1))];
    return property ? [property] : [];
  });
}

/** The first line of a value that spans several. */
export function beginning(node: Tree): Place {
  const { source, start, end } = node.place;
  const line = source.text.slice(start, end).split('\n')[0] ?? '';
  return { source, start, end: start + Math.max(1, line.trimEnd().length) };
}

function keyPlace(tree: Tree, path: Path): Place {
  return keyAt(tree, path) ?? beginning(nodeAt(tree, path) ?? tree);
}

function expectation(issue: Issue, path: Path): string {
  if (issue.code === 'custom' || issue.message.startsWith('expected')) return issue.message;
  const values = valuesAt(path);
  if (values.length > 0) return `expected ${anyOf(values)}`;
  if (issue.code === 'invalid_type') return `expected ${nameOfType(issue.expected)}`;
  return issue.message;
}

/** What stands there in place of what was expected, where that can be shown. */
function instead(tree: Tree, path: Path, expected: string): string {
  const node = nodeAt(tree, path);
  if (node?.kind !== 'scalar') return node ? `, not a ${node.kind}` : '';
  const [from] = node.substitutions ?? [];
  if (from) return ` (\`\${${from.name}}\` comes from ${origin(from.from)})`;
  if (secretsIn(node, path, tree).length > 0 || String(node.value).includes('://')) return '';
  const written = node.written ?? String(node.value);
  const kind = /number|index/.test(expected) ? looksLike(written).replace('a bare number', '') : looksLike(written);
  const near = nearest(written, valuesAt(path));
  return `, not \`${written}\`${kind === '' ? '' : ` (${kind})`}${near === undefined ? '' : `; did you mean \`${near}\`?`}`;
}

function origin(from: string): string {
  return from === 'environment' ? 'the environment' : from === 'default' ? 'its default' : `\`${from}\``;
}

/** The words that a field at this path has to choose from. */
function valuesAt(path: Path): string[] {
  const schemas = schemasOf(path).flatMap(alternatives);
  const choices = schemas.length > 0 ? schemas : schemasAt(path);
  return [...new Set(choices.flatMap((schema) => schema.enum ?? (schema.const === undefined ? [] : [schema.const])).map(String))];
}

function nameOfType(type: string): string {
  return (
    { object: 'a map', record: 'a map', array: 'a list', string: 'a text', number: 'a number', boolean: '`true` or `false`' }[type] ??
    `a ${type}`
  );
}

/** Of several readings of a value, the one that it misses least; a misspelled key is half a miss, an unknown one more than a wrong value. `known` are the keys of all of them. */
function bestBranch(branches: readonly (readonly Issue[])[], known: readonly string[]): readonly Issue[] {
  const cost = (issues: readonly Issue[]) => {
    const lacking = issues.map((issue) => String(issue.path[0]));
    const weights = issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => (known.includes(key) || nearest(key, lacking) === undefined ? 1.5 : -0.5))
        : [issue.path.length === 0 ? 9 : 1],
    );
    return weights.reduce((sum, weight) => sum + weight, 0);
  };
  return [...branches].sort((a, b) => cost(a) - cost(b))[0] ?? [];
}

function toPath(path: readonly PropertyKey[]): (string | number)[] {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}
