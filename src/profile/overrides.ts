import { LoadctlError } from '../core/errors.js';
import type { Place, Source } from './document/place.js';
import type { Problem } from './document/problem.js';
import { type MapTree, merge, nullIsValue, type Path, type ScalarTree, type Tree } from './document/tree.js';
import { parseYaml } from './document/yaml-tree.js';

/** A value that was changed for one run, as it was typed. */
export interface Override {
  readonly path: string;
  readonly value: string;
}

/** The document with one value changed. */
export interface Overridden {
  readonly tree: Tree;
  readonly problems: readonly Problem[];
  readonly path: Path;
  /** As it was typed. */
  readonly value: string;
}

const segment = /(?:"([^"]*)"|([^.]+))(?:\.|$)/gy;

/** Lays `--set a.b.0.c=value` over a document; the value is read as YAML, null takes a value out. */
export function applySet(tree: Tree, argument: string): Overridden {
  const { path, value } = splitArgument('--set', argument);
  const source: Source = { name: `--set ${argument}`, text: `--set ${argument}` };
  const places = segmentsOf(path, source);
  const parsed = parseValue(source, source.text.length - value.length, value);
  const steps = placesToPath(places);
  const { node, problem } = replace(tree, places, parsed.tree, 0);
  return { tree: node, path: steps, value, problems: [...parsed.problems, ...(problem ? [problem] : [])] };
}

/** Lays `-e KEY=VALUE` over `workload.env`; `-e KEY` takes the value that the environment has. */
export function applyScriptVariable(tree: Tree, argument: string, env: Readonly<Record<string, string | undefined>>): Overridden {
  const text = argument.includes('=') ? argument : `${argument}=${inherited(argument, env)}`;
  const { path: name, value } = splitArgument('-e', text);
  const source: Source = { name: `-e ${name}=…`, text: `-e ${name}=…` };
  const key: Place = { source, start: 3, end: 3 + name.length };
  const place = { source, start: key.end + 1, end: key.end + 2 };
  const inherits = argument.includes('=') ? {} : { substitutions: [{ name, from: 'environment', value }] };
  const scalar: ScalarTree = { kind: 'scalar', value, place, ...inherits };
  const laid = mapOf(key, 'workload', mapOf(key, 'env', mapOf(key, name, scalar)));
  return { tree: merge(tree, laid), path: ['workload', 'env', name], value, problems: [] };
}

/** A usage error for `--env A=B`, which k6's users may mean as `-e A=B`; undefined where `name` is one. */
export function environmentOptionProblem(name: string): LoadctlError | undefined {
  if (!name.includes('=')) return undefined;
  const key = name.slice(0, name.indexOf('='));
  return new LoadctlError('usage', `\`--env ${key}=…\` is not an environment`, {
    hint: '-e KEY=VALUE feeds the script; --env names the environment',
  });
}

function inherited(name: string, env: Readonly<Record<string, string | undefined>>): string {
  const value = env[name];
  if (value !== undefined) return value;
  const shown = firstWord(name);
  throw new LoadctlError('usage', `-e ${shown} has no value, and the environment has no ${shown}`, {
    hint: `Write -e ${shown.replace('…', '')}=VALUE`,
  });
}

const assignment = /^((?:[^={"]|\{[^}]*\}|"[^"]*")+)=(.*)$/s;

function splitArgument(option: string, argument: string): { path: string; value: string } {
  const [, path, value] = assignment.exec(argument) ?? [];
  if (path !== undefined && value !== undefined) return { path, value };
  const example = option === '-e' ? 'KEY=VALUE' : 'workload.vus=10';
  throw new LoadctlError('usage', `${option} ${firstWord(argument)} has no name and \`=\``, { hint: `Write ${option} ${example}` });
}

/** The name in a text that should be one: what follows may be a secret that was typed after a blank or a colon. */
function firstWord(text: string): string {
  const [name = ''] = /^[\w.-]*/.exec(text) ?? [];
  return name === text ? name : `${name}…`;
}

interface Segment {
  readonly name: string;
  readonly place: Place;
}

/** Splits a path at its dots; what stands in quotes is one key, and so is all that follows `sla` or `critical`. */
function segmentsOf(path: string, source: Source): Segment[] {
  const offset = '--set '.length;
  const whole = /^(sla|critical)\.([^"].*)$/.exec(path);
  if (whole?.[1] !== undefined && whole[2] !== undefined) {
    const from = offset + whole[1].length + 1;
    return [
      { name: whole[1], place: { source, start: offset, end: from - 1 } },
      { name: whole[2], place: { source, start: from, end: from + whole[2].length } },
    ];
  }
  const segments = [...path.matchAll(segment)];
  const read = segments.reduce((sum, [text]) => sum + text.length, 0);
  if (read !== path.length || path.endsWith('.'))
    throw new LoadctlError('usage', `--set ${path}=… is not a path`, { hint: 'Write --set workload.vus=10' });
  return segments.map((match) => {
    const start = offset + match.index;
    return { name: match[1] ?? match[2] ?? '', place: { source, start, end: start + match[0].replace(/\.$/, '').length } };
  });
}

const placesToPath = (segments: readonly Segment[]): Path => segments.map(({ name }) => name);

/** A value as YAML; what YAML has no reading for (`>= 99%`) is the text that it is. */
function parseValue(source: Source, from: number, value: string): { tree: Tree; problems: readonly Problem[] } {
  const place = { source, start: from, end: source.text.length };
  const asText = { tree: { kind: 'scalar', value, place } as const, problems: [] };
  if (value.trim() === '' || !/^\s*[[{"'\w.+~-]/.test(value)) return asText;
  const parsed = parseYaml(source, from);
  return parsed.problems.length > 0 && !/^\s*[[{"']/.test(value) ? asText : parsed;
}

function replace(tree: Tree | undefined, segments: readonly Segment[], value: Tree, depth: number): { node: Tree; problem?: Problem } {
  const head = segments[depth];
  if (head === undefined) return { node: value };
  if (tree?.kind === 'list') return replaceItem(tree.items, tree.place, { segments, value, depth });
  if (tree?.kind === 'scalar' && tree.value !== null) {
    const parent = segments[depth - 1] ?? head;
    return { node: tree, problem: { place: head.place, message: `\`${parent.name}\` is a single value and has no \`${head.name}\`` } };
  }
  const entries = new Map(tree?.kind === 'map' ? tree.entries : []);
  const { node, problem } = replace(entries.get(head.name)?.node, segments, value, depth + 1);
  const isNull = depth === segments.length - 1 && node.kind === 'scalar' && node.value === null;
  const removes = isNull && !nullIsValue(placesToPath(segments));
  if (removes) entries.delete(head.name);
  else entries.set(head.name, { key: head.place, node });
  const changed: MapTree = { kind: 'map', entries, place: tree?.place ?? head.place };
  return problem ? { node: changed, problem } : { node: changed };
}

function replaceItem(
  items: readonly Tree[],
  place: Place,
  { segments, value, depth }: { segments: readonly Segment[]; value: Tree; depth: number },
): { node: Tree; problem?: Problem } {
  const head = segments[depth];
  const index = /^\d+$/.test(head?.name ?? '') ? Number(head?.name) : -1;
  const old = items[index];
  if (head === undefined || old === undefined) {
    const message = `expected an index of the list, ${items.length === 0 ? 'which is empty' : `0 to ${items.length - 1}`}`;
    return { node: { kind: 'list', items, place }, ...(head ? { problem: { place: head.place, message } } : {}) };
  }
  const { node, problem } = replace(old, segments, value, depth + 1);
  const changed: Tree = { kind: 'list', items: items.map((item, at) => (at === index ? node : item)), place };
  return problem ? { node: changed, problem } : { node: changed };
}

function mapOf(key: Place, name: string, node: Tree): MapTree {
  return { kind: 'map', entries: new Map([[name, { key, node }]]), place: key };
}
