import { isSecretName, redacted, redactor, secretsInUrl } from '../core/secrets.js';
import { nodeAt, type Path, plain, type ScalarTree, scalarsOf, type Tree } from './document/tree.js';

/**
 * Every secret of a document, for the redactor: what fields named key, token or password hold, passwords and tokens in
 * URLs, variables with such a name, `workload.env`. What a profile's own `:-default` says is none.
 */
export function secretValues(tree: Tree): string[] {
  const found = scalarsOf(tree).flatMap(({ scalar, path }) =>
    isScriptVariable(path) && isPlainWord(scalar, path) ? [] : secretsIn(scalar, path),
  );
  return [...new Set(found)].filter((secret) => !/^\$(\{|%7B)\w+(\}|%7D)$/.test(secret));
}

/**
 * The document as plain data that may be stored: secrets are `[redacted]`, quantities in people's words. The same with
 * and without the variables that only hold secrets, so that a plan made without them is the plan of the run.
 */
export function withoutSecrets(tree: Tree): unknown {
  return plain(tree, (scalar, path) => {
    if (isScriptVariable(path)) return redacted;
    const secrets = secretsIn(scalar, path);
    return secrets.length > 0 ? redactor(secrets)(String(scalar.value)) : scalar.value;
  });
}

/**
 * The same for a checked profile, or a part of it at `path`: where a text holds a secret in the document, it is
 * `[redacted]`. What is no text there any more (a limit, a duration) stays.
 */
export function hideSecrets<T>(part: T, tree: Tree | undefined, path: Path = []): T {
  return hidden(part, tree, path) as T;
}

function hidden(part: unknown, tree: Tree | undefined, path: Path): unknown {
  if (tree === undefined) return part;
  if (typeof part === 'string' && tree.kind === 'scalar') {
    const secrets = secretsIn(tree, path);
    return isScriptVariable(path) ? redacted : redactor(secrets)(part);
  }
  const below = (value: unknown, key: string | number) => hidden(value, nodeAt(tree, [key]), [...path, key]);
  if (Array.isArray(part)) return part.map(below);
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, below(value, key)]));
}

/**
 * What `workload.env` holds, for telling whether it changed: what comes out of a variable that holds a secret by its name
 * is `[redacted]`, as a plan must be the same with and without such variables.
 */
export function scriptVariableValues(tree: Tree): Record<string, string> {
  const variables = scalarsOf(tree).filter(({ path }) => isScriptVariable(path));
  return Object.fromEntries(
    variables.map(({ scalar, path }) => {
      const name = path.slice(2).join('.');
      const filled = (scalar.substitutions ?? []).filter(({ from }) => from !== 'default');
      const secret = filled.some((each) => isSecretName(each.name) || isSecretName(name));
      return [name, secret ? redacted : String(scalar.value)];
    }),
  );
}

/** Where a field's name says that it is secret; elsewhere `key` is a cache's or a table's. */
const namedSections: readonly string[] = ['target', 'users', 'stores', 'monitors', 'outputs'];

/** Whether the field at this path is a secret whatever it holds. */
export function isSecretPath(path: Path): boolean {
  const section = path[0] === 'workload' && path[1] === 'options' ? 'target' : path[0];
  const namesFile = section === 'stores' && path[2] === 'tls';
  return isScriptVariable(path) || (namedSections.includes(String(section)) && !namesFile && path.slice(1).some(isSecretStep));
}

/** `auth`, and k6's `tlsAuth`, are ways to log in; what is secret about them has a name of its own. */
function isSecretStep(step: Path[number]): boolean {
  return typeof step === 'string' && step !== 'auth' && step !== 'tlsAuth' && isSecretName(step);
}

function isScriptVariable(path: Path): boolean {
  return path[0] === 'workload' && path[1] === 'env';
}

/** The secrets that a scalar holds, whole or in part. */
export function secretsIn(scalar: ScalarTree, path: Path): string[] {
  const value = String(scalar.value ?? '');
  const substitutions = scalar.substitutions ?? [];
  const known = substitutions.filter(({ from }) => from === 'default').flatMap((each) => [each.value, ...secretsInUrl(each.value)]);
  const named = substitutions.filter(({ name, from }) => isSecretName(name) && from !== 'default');
  const inText = value.includes('://') || mayBeUrl(path) ? secretsInUrl(value) : [];
  const found = [...(isSecretPath(path) ? [value] : inText), ...named.map((each) => each.value)];
  return found.filter((secret) => secret !== '' && !known.some((text) => text.includes(secret)));
}

/** Whether a URL may stand here, however it is misspelled. */
function mayBeUrl([section]: Path): boolean {
  return namedSections.includes(String(section));
}

/** Whether a script's variable says what to do, as in `MODE: checkout` and `PORT: 8080`: a word or a number, under a name that tells of no secret. */
function isPlainWord(scalar: ScalarTree, path: Path): boolean {
  const names = [String(path.at(-1)), ...(scalar.substitutions ?? []).map(({ name }) => name)];
  return /^([a-z]{1,12}|\d[\d.]{0,6})$/.test(String(scalar.value)) && !names.some(isSecretName);
}
