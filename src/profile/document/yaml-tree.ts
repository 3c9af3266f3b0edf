import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
  type YAMLError,
} from 'yaml';
import type { Place, Source } from './place.js';
import type { Problem } from './problem.js';
import type { Entry, ListTree, MapTree, ScalarTree, Tree } from './tree.js';

/** A YAML text as a tree of placed values, with what is wrong with its syntax. */
export interface Parsed {
  readonly tree: Tree;
  readonly problems: readonly Problem[];
  /** Whether the tree can be relied on: the problems, if any, are confined to their lines. */
  readonly sound: boolean;
}

/** A problem that may be confined to its line. */
interface Complaint extends Problem {
  readonly confined: boolean;
}

/** Reads the YAML that stands in `source` from offset `from` on. */
export function parseYaml(source: Source, from = 0): Parsed {
  const documents = parseAllDocuments(source.text.slice(from), { prettyErrors: false, version: '1.2', merge: true });
  const list: Document.Parsed[] = Array.isArray(documents) ? documents : [];
  const reader = new Reader(source, from);
  const first = list[0];
  const tree = first?.contents ? reader.read(first.contents, first) : reader.nothing();
  const [second] = list.slice(1);
  if (second) reader.report(second.range[0], 'expected one document; a second one begins here, after `---`');
  for (const error of first?.errors ?? []) reader.reportError(error);
  for (const warning of first?.warnings ?? []) reader.report(warning.pos[0], 'expected a value without a tag');
  const complaints = oneALine(reader.problems);
  const problems = complaints.map(({ place, message }) => ({ place, message }));
  return { tree, problems, sound: complaints.every(({ confined }) => confined) };
}

const badAlias = 'expected an alias (`*name`) of an anchor (`&name`) further up';
const tooManyCopies = 'expected aliases that stand for less: those up to here make more than 20,000 values';
const mostCopies = 20_000;
const badMerge = 'expected a map to merge such as `<<: *name`, or a list of them';
const tabs = 'expected spaces; YAML is not indented with tabs';

/** How YAML's complaints are said here, by code. */
const complaints: Readonly<Record<string, string>> = {
  BAD_ALIAS: badAlias,
  BAD_INDENT: 'expected the indentation of the lines above',
  BAD_DQ_ESCAPE: "expected an escape that YAML knows; inside 'single quotes' a backslash is a backslash",
  BLOCK_AS_IMPLICIT_KEY: 'expected one `key: value` on a line; quote a value with a colon in it',
  DUPLICATE_KEY: 'expected every key once; this one is here twice',
  MISSING_CHAR: 'expected a comma, a colon or the closing quote or bracket before this',
  TAB_AS_INDENT: tabs,
};

class Reader {
  readonly problems: Complaint[] = [];
  readonly #source: Source;
  readonly #from: number;
  readonly #open = new Set<Node>();
  /** How many aliases are being followed now, and how many values were read behind any. */
  #following = 0;
  #copies = 0;

  constructor(source: Source, from: number) {
    this.#source = source;
    this.#from = from;
  }

  nothing(): MapTree {
    return { kind: 'map', entries: new Map(), place: this.#place(0, 0) };
  }

  read(node: Node, document: Document.Parsed): Tree {
    if (isAlias(node)) return this.#readAlias(node, document);
    if (this.#following > 0) this.#copies++;
    if (!isCollection(node)) return this.#readScalar(node as Scalar);
    this.#open.add(node);
    const tree = isSeq(node) ? this.#readList(node, document) : this.#readMap(node, document);
    this.#open.delete(node);
    return tree;
  }

  report(offset: number, message: string, end = this.#tokenEnd(offset), confined = false): void {
    this.problems.push({ place: this.#place(offset, end), message, confined });
  }

  reportError(error: YAMLError): void {
    const [at] = error.pos;
    const line = this.#lineUntil(at);
    if (this.#reportDirection(at) || this.#reportBrace(at)) return;
    const tab = error.code === 'BAD_INDENT' && /^\s*\t/.test(line.text);
    if (this.#reportDeeperLine(error.code, at) || this.#reportOpenBracket(error.code, at)) return;
    if (tab) this.report(line.start + line.text.search(/\t/), tabs);
    else if (error.code === 'BAD_INDENT') this.report(Math.max(at, line.start + line.text.search(/\S|$/)), complaints[error.code] ?? '');
    else this.report(at, complaints[error.code] ?? sayPlainly(error), undefined, error.code === 'DUPLICATE_KEY');
  }

  #readAlias(node: Alias, document: Document.Parsed): Tree {
    if (this.#copies > mostCopies) return this.nothing();
    const target = node.resolve(document);
    if (!target || this.#open.has(target)) {
      this.report(node.range?.[0] ?? 0, badAlias);
      return this.nothing();
    }
    this.#following++;
    const tree = this.read(target, document);
    this.#following--;
    if (this.#copies > mostCopies && this.#following === 0) this.report(node.range?.[0] ?? 0, tooManyCopies);
    return tree;
  }

  #readScalar(node: Scalar): ScalarTree {
    const [start, end] = node.range ?? [0, 0];
    if (node.type === 'BLOCK_FOLDED' && /^>\s*[<>=\d]/.test(this.#text(start, end))) this.#reportDirection(start);
    const { value } = node;
    const place = this.#place(start, Math.max(end, start));
    const scalar = { kind: 'scalar', place } as const;
    if (typeof value === 'number') return { ...scalar, value, written: node.source ?? String(value) };
    return { ...scalar, value: typeof value === 'string' || typeof value === 'boolean' || value === null ? value : String(value) };
  }

  #readList(node: { items: unknown[]; range?: [number, number, number] | null | undefined }, document: Document.Parsed): ListTree {
    const items = (node.items as Node[]).map((item) => this.read(item, document));
    return { kind: 'list', items, place: this.#place(node.range?.[0] ?? 0, node.range?.[1] ?? 0) };
  }

  #readMap(node: Node, document: Document.Parsed): MapTree {
    const entries = new Map<string, Entry>();
    const pairs = isMap(node) ? (node.items as Pair<Node, Node | null>[]) : [];
    for (const { key, value } of pairs) this.#readPair(entries, key, value, document);
    return { kind: 'map', entries, place: this.#place(node.range?.[0] ?? 0, node.range?.[1] ?? 0) };
  }

  #readPair(entries: Map<string, Entry>, key: Node, value: Node | null, document: Document.Parsed): void {
    const at = this.#place(key.range?.[0] ?? 0, key.range?.[1] ?? 0);
    if (!isScalar(key)) {
      this.report(key.range?.[0] ?? 0, 'expected a plain key');
      return;
    }
    const node = value ? this.read(value, document) : ({ kind: 'scalar', value: null, place: at } as const);
    if (key.source === '<<') this.#mergeInto(entries, node);
    else entries.set(key.source ?? String(key.value), { key: at, node });
  }

  /** One map or a list of them, of which the first that has a key wins; what the map itself says goes before all. */
  #mergeInto(entries: Map<string, Entry>, node: Tree): void {
    const maps = node.kind === 'list' ? node.items : [node];
    for (const map of maps) {
      if (map.kind !== 'map') this.problems.push({ place: map.place, message: badMerge, confined: true });
      else for (const [name, entry] of map.entries) if (!entries.has(name)) entries.set(name, entry);
    }
  }

  /** A value that begins with `>` is a block scalar to YAML: says to quote it. */
  #reportDirection(at: number): boolean {
    const line = this.#lineUntil(at);
    const match = /(?:^|[:\-[{,]\s+|[[{])(>=?\s*[\w.,%/]*[\w.%/])/.exec(line.text);
    if (!match?.[1]) return false;
    const start = line.start + match.index + match[0].length - match[1].length;
    this.report(
      start,
      `expected quotes: YAML reads a leading \`>\` as a block of text; write \`"${match[1]}"\``,
      start + match[1].length,
      true,
    );
    return true;
  }

  /** A `${NAME}` inside `{…}` or `[…]` is taken apart by YAML: says to quote it. */
  #reportBrace(at: number): boolean {
    const line = this.#lineUntil(at);
    const match = /[[{,:]\s*([^\s"'[{,]*\$\{[^}]*\}?)/.exec(line.text.slice(0, 400));
    if (!match?.[1] || !/[[{].*\$\{/.test(line.text)) return false;
    const start = line.start + match.index + match[0].length - match[1].length;
    this.report(start, `expected quotes around \`${match[1]}\` inside brackets or braces`, start + match[1].length);
    return true;
  }

  /** A key below a value that stands on its key's line, but deeper: YAML takes both lines for one. */
  #reportDeeperLine(code: string, at: number): boolean {
    if (code !== 'BLOCK_AS_IMPLICIT_KEY' && code !== 'MULTILINE_IMPLICIT_KEY') return false;
    const above = this.#lineUntil(at);
    const below = this.#lineUntil(above.start + above.text.length + 1);
    const column = below.text.search(/\S/);
    if (below.start <= above.start || column <= above.text.search(/\S/) || !/^\s+[\w.-]+:(\s|$)/.test(below.text)) return false;
    this.report(below.start + column, 'expected the indentation of the line above, which has its value already');
    return true;
  }

  /** A bracket or brace that is not closed is reported lines below it: says which one it is. */
  #reportOpenBracket(code: string, at: number): boolean {
    if (code !== 'BAD_INDENT') return false;
    const open: { at: number; bracket: string }[] = [];
    for (const { 0: token, index } of this.#text(0, at).matchAll(/"(?:\\.|[^"\\])*"|'[^']*'|(?<=^|\s)#.*|[[\]{}]/gm)) {
      if (token === '[' || token === '{') open.push({ at: index, bracket: token });
      else if (token === ']' || token === '}') open.pop();
    }
    const [first] = open;
    if (!first) return false;
    this.report(first.at, `expected a closing \`${first.bracket === '[' ? ']' : '}'}\` for this`, first.at + 1);
    return true;
  }

  #lineUntil(at: number): { start: number; text: string } {
    const text = this.#source.text;
    const offset = Math.min(at + this.#from, text.length);
    const start = Math.max(this.#from, text.lastIndexOf('\n', offset - 1) + 1);
    const end = text.indexOf('\n', start);
    return { start: start - this.#from, text: text.slice(start, end < 0 ? text.length : end) };
  }

  #tokenEnd(offset: number): number {
    const token = /^[^\s:,[\]{}]+/.exec(this.#text(offset, offset + 200))?.[0] ?? ' ';
    return offset + token.length;
  }

  #text(start: number, end: number): string {
    return this.#source.text.slice(start + this.#from, end + this.#from);
  }

  #place(start: number, end: number): Place {
    return { source: this.#source, start: start + this.#from, end: end + this.#from };
  }
}

function sayPlainly(error: YAMLError): string {
  return `expected YAML; ${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`;
}

/** YAML complains about one slip several times over; the confined complaint of a line says it best, else the first. */
function oneALine(problems: readonly Complaint[]): Complaint[] {
  const lineOf = ({ place }: Problem) => place.source.text.slice(0, place.start).split('\n').length;
  const ranked = [...problems].sort((a, b) => Number(b.confined) - Number(a.confined));
  return ranked.filter((problem, index) => ranked.findIndex((other) => lineOf(other) === lineOf(problem)) === index);
}
