import { isSecretName, redacted, redactor, secretsInUrl } from '../core/secrets.js';
import { nodeAt, type Path, plain, type ScalarTree, type Substitution, scalarsOf, type Tree } from './document/tree.js';
import { isHarmless, isPlainValue } from './plain-value.js';

/** Every secret of a document, for the redactor: see {@link secretsIn}. What a profile's own `:-default` says is none. */
export function secretValues(tree: Tree): string[] {
  const found = scalarsOf(tree).flatMap(({ scalar, path }) => secretsIn(scalar, path, tree));
  return [...new Set(found)].filter((secret) => !/^\$(\{|%7B)\w+(\}|%7D)$/.test(secret));
}

/** What stands openly in a document, for anybody to read: its keys, who logs in where, what kind of thing it is. */
export function openWords(tree: Tree): string[] {
  const scalars = scalarsOf(tree).filter(({ scalar }) => typeof scalar.value === 'string');
  const kinds = scalars.flatMap(({ scalar, path }) => (kindFields.has(String(path.at(-1))) ? [String(scalar.value)] : []));
  const keys = scalarsOf(tree).flatMap(({ path }) => path.filter((step) => typeof step === 'string'));
  return [...new Set([...keys, ...kinds, ...scalars.flatMap(({ scalar }) => openInUrl(String(scalar.value)))])];
}

const kindFields: ReadonlySet<string> = new Set(['kind', 'backend', 'strategy', 'environment']);

/** User, host and database of a store's or target's URL. */
function openInUrl(text: string): string[] {
  if (!/^\w+:\/\//.test(text) || !URL.canParse(text)) return [];
  const { username, hostname, pathname } = new URL(text);
  return [username, hostname, ...pathname.split('/')].filter((word) => word !== '');
}

/**
 * The document as plain data that may be stored: secrets are `[redacted]`, quantities in people's words. The same with
 * and without the variables that only hold secrets, so that a plan made without them is the plan of the run.
 */
export function withoutSecrets(tree: Tree): unknown {
  return plain(tree, (scalar, path) => {
    if (mayBeAnswered(scalar, path, tree)) return redacted;
    const secrets = secretsIn(scalar, path, tree);
    const value = isScriptVariable(path) ? (scalar.written ?? scalar.value) : scalar.value;
    return secrets.length > 0 ? redactor(secrets)(String(value)) : value;
  });
}

/**
 * The same for a checked profile: where a text holds a secret in the document, it is
 * `[redacted]`. What is not text there (a limit, a duration) stays.
 */
export function hideSecrets<T>(part: T, tree: Tree): T {
  return hidden(part, tree, { path: [], root: tree }) as T;
}

function hidden(part: unknown, tree: Tree | undefined, { path, root }: { readonly path: Path; readonly root: Tree }): unknown {
  if (tree === undefined) return part;
  if (tree.kind === 'scalar' && mayBeAnswered(tree, path, root)) return redacted;
  if (typeof part === 'string' && tree.kind === 'scalar') return redactor(secretsIn(tree, path, root))(part);
  const below = (value: unknown, key: string | number) => hidden(value, nodeAt(tree, [key]), { path: [...path, key], root });
  if (Array.isArray(part)) return part.map(below);
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, below(value, key)]));
}

/** Whether a variable of the script is filled in that this machine need not know, as a Secret of the cluster may have it. */
function mayBeAnswered({ substitutions = [] }: ScalarTree, path: Path, root: Tree): boolean {
  const isAnswered = nodeAt(root, ['runners', 'kubernetes', 'variables']) !== undefined;
  return isAnswered && isScriptVariable(path) && substitutions.some(({ from }) => from !== 'default');
}

/**
 * What `workload.env` holds, for telling whether it changed: what comes out of a variable that holds a secret by its name
 * is `[redacted]`, as a plan must be the same with and without such variables; out of any, where a Secret of the cluster may
 * answer those that are not set here (`runners.kubernetes.variables`).
 */
export function scriptVariableValues(tree: Tree): Record<string, string> {
  const variables = scalarsOf(tree).filter(({ path }) => isScriptVariable(path));
  return Object.fromEntries(
    variables.map(({ scalar, path }) => {
      const name = path.slice(2).join('.');
      const filled = (scalar.substitutions ?? []).filter(({ from }) => from !== 'default');
      const secret = filled.some((each) => isSecretName(each.name) || isSecretName(name));
      return [name, secret || mayBeAnswered(scalar, path, tree) ? redacted : String(scalar.value)];
    }),
  );
}

/** Where a field's name says that it is secret; elsewhere `key` is a cache's or a table's. */
const namedSections: readonly string[] = ['target', 'users', 'stores', 'monitors', 'outputs'];

/** What of an output is a secret by its name; what the output itself is called says nothing of that. */
const secretOutputWords: readonly unknown[] = ['token', 'password', 'secret', 'routingKey'];
/** Outputs whose `url` is an address that many may know. Of all others, a misspelled kind too, it is the key to the door. */
const openUrls: readonly unknown[] = ['influxdb', 'prometheus', 'grafana', 'pagerduty'];

/** What of a monitor is a secret: its own name, a queue's and a query say nothing of that. */
const secretMonitorWords: readonly unknown[] = ['token', 'password', 'credentials'];
const monitorUrls: readonly unknown[] = ['url', 'nodeExporter'];

/** Whether the field at this path is a secret by its name. */
export function isSecretPath(path: Path): boolean {
  const name = path[2];
  // What is not a variable may still hold one: `env: ["NAME=value"]`.
  if (isScriptVariable(path)) return path.length !== 3 || typeof name !== 'string' || isSecretName(name);
  if (path[0] === 'monitors') return secretMonitorWords.includes(path[2]);
  if (path[0] === 'outputs') return secretOutputWords.includes(path[2]);
  if (path[0] === 'runners') return path[1] === 'cloud' && path[2] === 'token';
  const section = path[0] === 'workload' && path[1] === 'options' ? 'target' : path[0];
  const namesFile = section === 'stores' && path[2] === 'tls';
  return namedSections.includes(String(section)) && !namesFile && path.slice(1).some(isSecretStep);
}

/** `auth`, and k6's `tlsAuth`, are ways to log in; what is secret about them has a name of its own. */
function isSecretStep(step: Path[number]): boolean {
  return typeof step === 'string' && step !== 'auth' && step !== 'tlsAuth' && isSecretName(step);
}

function isScriptVariable(path: Path): boolean {
  return path[0] === 'workload' && path[1] === 'env';
}

/**
 * The secrets that a scalar holds, whole or in part: all of it where its field's name says so, what a variable with such a name
 * filled in, passwords and tokens of a URL, and what follows the host of a webhook's in the document `root`. In `workload.env` also what any variable filled in, unless it is a number, a host or
 * the like; a literal there is what it says, and a private key is a secret wherever it is written.
 */
export function secretsIn(scalar: ScalarTree, path: Path, root: Tree): string[] {
  const value = String(scalar.written ?? scalar.value ?? '');
  const substitutions = scalar.substitutions ?? [];
  const known = substitutions.filter(({ from }) => from === 'default').flatMap((each) => [each.value, ...secretsInUrl(each.value)]);
  const inText = (value.includes('://') && path[0] !== 'monitors') || mayBeUrl(path) ? secretsInUrl(value) : [];
  const byName = isSecretPath(path) && !(isScriptVariable(path) && isHarmless(value));
  const filledIn = substitutions.filter((each) => each.from !== 'default' && isSecretFilling(each, isScriptVariable(path)));
  const inHook = isWebhook(path, root) ? secretsOfWebhook(value) : [];
  const found = [...(byName || isPrivateKey(value) ? [value] : inText), ...inHook, ...filledIn.map((each) => each.value)];
  return found.filter((secret) => secret !== '' && !known.some((text) => text.includes(secret)));
}

/** Who knows such a URL may write to the channel behind it: there is no other key. */
function isWebhook([section, name, word]: Path, root: Tree): boolean {
  if (section !== 'outputs' || name === undefined) return false;
  if (word !== 'url') return word === 'webhook';
  const kind = nodeAt(root, [section, name, 'kind']);
  return !(kind?.kind === 'scalar' && openUrls.includes(kind.value));
}

function secretsOfWebhook(value: string): string[] {
  if (value.includes('${')) return [];
  const [, rest = ''] = /^[\w+.-]+:\/\/[^/?#]*[/?#](.*)$/s.exec(value) ?? [];
  if (!URL.canParse(value)) return [value];
  const { pathname, search } = new URL(value);
  // What is shorter keeps nobody out, and would be cut out of other words.
  return [rest, `${pathname}${search}`.slice(1)].filter((secret) => secret.length >= 4);
}

/** A variable that was not filled in stays what it is, unless its name says that it is a secret. */
function isSecretFilling({ name, from, value }: Substitution, forScript: boolean): boolean {
  if (isSecretName(name)) return !(forScript && isHarmless(value));
  return forScript && from !== 'missing' && !isPlainValue(value);
}

function isPrivateKey(value: string): boolean {
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value);
}

/** Whether a URL may stand here, however it is misspelled. */
function mayBeUrl([section, , word]: Path): boolean {
  if (section === 'monitors') return monitorUrls.includes(word);
  return namedSections.includes(String(section));
}
