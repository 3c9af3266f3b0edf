/*
 * Blocks of a page, and what HTML comments right above a block say of it:
 *
 *     <!-- console untested: REASON -->    a console block that is not run
 *     <!-- console folder: empty -->       it, and those below, are run in a new empty folder, against a service that answers everything;
 *                                          else in one with profiles/ and k6/, against the example service
 *     <!-- console first: COMMAND -->      what is typed before it, and not shown
 *     <!-- console host: NAME -->          ssh reaches such a host when it is run, and its plan is confirmed (as root on Linux; elsewhere it is not run)
 *     <!-- console file: PATH -->          a block of any kind: written there, in the folder
 *     <!-- console database -->            an `sql` block: run in the page's own database, which DB_URL then names
 *     <!-- console measured -->            numbers of its output stand for others
 *     <!-- console exit: 99 -->            how its last command ends; all others end with 0
 */

/** A fenced block. */
export interface Block {
  /** The first word behind the fence. */
  readonly kind: string;
  readonly text: string;
  /** The line it begins on. */
  readonly line: number;
  /** What the comments above it say. */
  readonly said: ReadonlyMap<string, string>;
}

/** A line that one types, and what comes of it; without output nothing is said of that. */
export interface Typed {
  readonly command: string;
  readonly output: string;
}

const comment = /^<!-- console (\w+)(?:: (.+))? -->$/;
const known = ['untested', 'folder', 'first', 'host', 'file', 'database', 'measured', 'exit'];

/** The fenced blocks of a page. */
export function blocksIn(page: string): Block[] {
  const blocks: Block[] = [];
  let said = new Map<string, string>();
  let open: { kind: string; line: number; lines: string[] } | undefined;
  for (const [at, line] of page.split('\n').entries()) {
    const [, word = '', value = ''] = comment.exec(line) ?? [];
    if (open !== undefined && line === '```') {
      blocks.push({ kind: open.kind, text: open.lines.map((each) => `${each}\n`).join(''), line: open.line, said });
      [open, said] = [undefined, new Map()];
    } else if (open !== undefined) open.lines.push(line);
    else if (line.startsWith('```')) open = { kind: line.slice(3).split(' ')[0] ?? '', line: at + 1, lines: [] };
    else if (known.includes(word)) said.set(word, value);
    else if (line.startsWith('<!-- console')) throw new Error(`line ${at + 1} says nothing that is known: ${line}`);
    else if (line !== '') said = new Map();
  }
  if (open !== undefined) throw new Error(`the block of line ${open.line} has no end`);
  return blocks;
}

/** What a console block has one type: lines that begin with `$ `. */
export function typedIn({ text, line }: Block): Typed[] {
  const [before = '', ...rest] = `\n${text}`.split(/\n\$ /);
  if (before.trim() !== '' || rest.length === 0) throw new Error(`the console block of line ${line} does not begin with "$ "`);
  return rest.map((part) => {
    const [command = '', ...output] = part.trimEnd().split('\n');
    return { command, output: output.join('\n').trimEnd() };
  });
}

const token =
  /(?<run>\d{8}-\d{6}-[a-z0-9]{5})|(?<port>127\.0\.0\.1:\d+)|(?<bounds> \(\d[\d,.]*–\d[\d,.]*\))|(?<number>\d[\d,]*(?:\.\d+)?)|(?<any>…)|(?<blanks> {2,})|(?<letter>.)/gu;

/**
 * What matches an output: `…` stands for anything in its line, and alone on a line for any number of lines; blanks for any that are
 * there. Ids of runs and ports are others each time; all numbers are where they are `measured`, and bounds that are one and the same
 * number are not shown.
 */
export function patternOf(output: string, measured: boolean): RegExp {
  const lines = output.split('\n').map((line) => (line.trim() === '…' ? '(?:[^\\n]*\\n)*?' : ` *${lineOf(line.trim(), measured)} *\\n`));
  return new RegExp(`^${lines.join('')}\\n*$`);
}

function lineOf(line: string, measured: boolean): string {
  const pieces = [...line.matchAll(token)].map(({ 0: text, groups = {} }) => {
    if (groups.run) return '\\d{8}-\\d{6}-[a-z0-9]{5}';
    if (groups.port) return '127\\.0\\.0\\.1:\\d+';
    if (groups.bounds && measured) return '(?: \\([\\d,.]+–[\\d,.]+\\))?';
    if (groups.number && measured) return '\\d[\\d,]*(?:\\.\\d+)?';
    if (groups.any) return '[^\\n]*';
    return groups.blanks ? ' +' : text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  return pieces.join('');
}
