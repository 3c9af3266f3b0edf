import type { Problem } from './document/problem.js';
import { mapScalars, type ScalarTree, type Substitution, type Tree } from './document/tree.js';
import type { VariableSource, VariableSources } from './variable-sources.js';
import { didYouMean } from './words/near.js';
import { reservedNames } from './words/template.js';

/** A variable of a profile and where its value came from: `environment`, `.env.staging`, `.env`, `default`, `missing`. */
export interface Variable {
  readonly name: string;
  readonly from: string;
}

/** The document with its variables filled in. */
export interface Substituted {
  readonly tree: Tree;
  readonly variables: readonly Variable[];
  /** What was found of them in the environment and in files. */
  readonly values: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

const reference = /\$\$\{|\$\{(?:([A-Za-z_]\w*)(?::-([^}]*))?\})?/g;

/**
 * Fills `${NAME}` and `${NAME:-default}` into the scalars; `$${` is a literal `${`. A variable that is not set is a
 * problem where `required`, else it stays as it is written and counts as `missing`.
 */
export function substitute(tree: Tree, sources: VariableSources, required: boolean): Substituted {
  const problems: Problem[] = [];
  const variables = new Map<string, Variable>();
  const values = new Map<string, string>();
  const filled = mapScalars(tree, (scalar) => {
    if (typeof scalar.value !== 'string' || !scalar.value.includes('${')) return scalar;
    const substitutions: Substitution[] = [];
    const value = scalar.value.replace(reference, (written: string, name: string | undefined, fallback: string | undefined) => {
      if (written === '$${') return '${';
      if (name === undefined) {
        problems.push({ place: tokenIn(scalar, written), message: 'expected `${NAME}` or `${NAME:-default}`; `$${` is a literal `${`' });
        return written;
      }
      const { broken = [], ...found } = lookUp(name, fallback, sources.list) ?? { name, from: 'missing', value: written };
      if (required) problems.push(...broken);
      if (found.from === 'missing' && required && broken.length === 0)
        problems.push({ place: tokenIn(scalar, written), message: missing(name, sources) });
      substitutions.push(found);
      variables.set(name, { name, from: found.from });
      if (found.from !== 'missing' && found.from !== 'default') values.set(name, found.value);
      return found.value;
    });
    return { ...scalar, value, substitutions };
  });
  return { tree: filled, variables: [...variables.values()], values: Object.fromEntries(values), problems };
}

/** What to say about a variable that is not set. */
export function missing(name: string, sources?: VariableSources): string {
  if (reservedNames.includes(name)) return `\`\${${name}}\` is not set; did you mean \`{${name}}\`?`;
  return `\`\${${name}}\` is not set${didYouMean(name, sources?.list.flatMap(({ names }) => names) ?? [])}`;
}

/** Where variables were looked for, and what to do where one is missing. */
export function whereVariablesAre({ looked }: VariableSources): string {
  const files = looked.map(({ file, found }) => `${file}${found ? '' : ' (no such file)'}`);
  return `Set what is missing in the environment or a .env file. Looked in the environment, ${files.join(', ')}.`;
}

/** Whether a scalar has a variable in it that is not set. */
export function missingIn(scalar: ScalarTree): Substitution | undefined {
  return scalar.substitutions?.find(({ from }) => from === 'missing');
}

/** What is wrong with the line that has it makes it `missing`. */
function lookUp(
  name: string,
  fallback: string | undefined,
  sources: readonly VariableSource[],
): (Substitution & { readonly broken?: readonly Problem[] }) | undefined {
  for (const { from, get } of sources) {
    const found = get(name);
    if (found !== undefined && found.problems.length > 0) return { name, from: 'missing', value: `\${${name}}`, broken: found.problems };
    if (found !== undefined && (found.value !== '' || fallback === undefined)) return { name, from, value: found.value };
  }
  return fallback === undefined ? undefined : { name, from: 'default', value: fallback };
}

/** The place of a text inside a scalar, as far as it is written there as it is. */
function tokenIn({ place }: ScalarTree, written: string): ScalarTree['place'] {
  const at = place.source.text.slice(place.start, place.end).indexOf(written);
  return at < 0 ? place : { source: place.source, start: place.start + at, end: place.start + at + written.length };
}
