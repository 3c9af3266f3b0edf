/** What a terminal acts on instead of showing it: C0, DEL, C1, line separators, and what turns the direction of a text. */
const acting = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
/** Line ends and tabs are layout. */
const layout = new Set(['\n', '\t']);

/** What GitHub, Azure and TeamCity take for a command wherever it stands in a line. */
const command = /##(?=(?:vso|teamcity)?\[)/gi;
/** What GitHub takes for one at the start of a line; other space before it is passed over there. */
const lineCommand = /^([\s\p{Cf}]*)::/gmu;

/**
 * A text of a target, a script, a host or a server as it may be shown: nothing in it moves a cursor, sets a title, turns a
 * line round, or is a command to a CI system. What was taken away can be seen: `\x1b`, `\u202e`, `: :`, `# #`.
 */
export function harmless(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(acting, (character) => (layout.has(character) ? character : escaped(character)))
    .replace(command, '# #')
    .replace(lineCommand, '$1: :');
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : inJson(code);
}

function inJson(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Every text inside a value made {@link harmless}, names of fields too. */
export function harmlessDeep<T>(value: T): T {
  return deep(value) as T;
}

function deep(value: unknown): unknown {
  if (typeof value === 'string') return harmless(value);
  if (Array.isArray(value)) return value.map(deep);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [harmless(name), deep(inner)]));
}

/** JSON that says the same, and is harmless on a screen: outside of its texts it has no such characters. */
export function harmlessJson(json: string): string {
  return json
    .replace(acting, (character) => (layout.has(character) ? character : inJson(character.charCodeAt(0))))
    .replace(command, '\\u0023#');
}

const esc = '\u001b';
/**
 * Stands before every control sequence of loadctl's own. Nothing foreign holds it: each process has another one, which never
 * leaves it. Not of node:crypto, which takes 4 ms to load.
 */
const mark = `${esc}[${Array.from({ length: 4 }, () => 1000 + Math.floor(Math.random() * 9000)).join(';')}m`;
/** Colours, and what the live view moves its lines with. */
const ownSequence = new RegExp(`^(?:\r|${esc}\\[[\\d;?]*[A-Za-z])`);

/** A control sequence that loadctl itself writes, as {@link forScreen} lets it pass; a table takes it for no column. */
export function ownControl(sequence: string): string {
  return sequence === '' ? '' : mark + sequence;
}

/** The last thing that happens to a text before a screen has it: only what went through {@link ownControl} acts there. */
export function forScreen(text: string): string {
  const [before = '', ...parts] = text.split(mark);
  const passed = parts.map((part) => {
    const own = ownSequence.exec(part)?.[0] ?? '';
    return own + harmless(part.slice(own.length));
  });
  return harmless(before) + passed.join('');
}
