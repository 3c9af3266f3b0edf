/** A text with its variables filled in, and what is wrong with it. */
export interface Expansion {
  readonly value: string;
  readonly problems: readonly string[];
}

/** What a variable holds; undefined where it is not set. */
export type LookUp = (name: string) => Expansion | undefined;

const escaped: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' };

/**
 * Fills `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:+other}` and `${NAME:?message}` in, as a shell and compose do; without
 * the colon an empty value counts as one. `escapes` are the letters that mean something behind a backslash.
 */
export function expand(text: string, escapes: string, look: LookUp): Expansion {
  const problems: string[] = [];
  let value = '';
  for (let at = 0; at < text.length; ) {
    const part = partAt(text, at, escapes);
    const expanded = typeof part.is === 'string' ? { value: part.is, problems: [] } : fillIn(part.is, escapes, look);
    value += expanded.value;
    problems.push(...expanded.problems);
    at = part.end;
  }
  return { value, problems };
}

/** A variable as it is written, its name, and what is to be done about it. */
interface Reference {
  readonly written: string;
  readonly name: string;
  readonly operator?: string;
  readonly operand: string;
}

function partAt(text: string, at: number, escapes: string): { readonly is: string | Reference; readonly end: number } {
  const next = text[at + 1] ?? '';
  if (text[at] === '\\' && next !== '' && escapes.includes(next)) return { is: escaped[next] ?? next, end: at + 2 };
  if (text[at] !== '$') {
    const plain = /^[^\\$]*/.exec(text.slice(at + 1))?.[0] ?? '';
    return { is: text[at] + plain, end: at + 1 + plain.length };
  }
  const [written = ''] = /^\$[A-Za-z_]\w*/.exec(text.slice(at)) ?? (next === '{' ? [braced(text, at)] : []);
  if (written === '') return { is: next === '$' ? { written: '$$', name: '', operand: '' } : '$', end: at + (next === '$' ? 2 : 1) };
  const [, name = '', operator, operand = ''] = /^\$\{?([A-Za-z_]\w*)(?:(:?[-+?])([\s\S]*?))?\}?$/.exec(written) ?? [];
  return { is: { written, name, operand, ...(operator === undefined ? {} : { operator }) }, end: at + written.length };
}

/** From `${` to the brace that closes it; the rest where none does. */
function braced(text: string, from: number): string {
  let open = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('${', at)) open += 1;
    if (text[at] === '}') open -= 1;
    if (text[at] === '}' && open === 0) return text.slice(from, at + 1);
  }
  return text.slice(from);
}

function fillIn({ written, name, operator = '', operand }: Reference, escapes: string, look: LookUp): Expansion {
  const closed = !written.startsWith('${') || written.endsWith('}');
  if (name === '' || !closed)
    return { value: '', problems: [`expected \`\${NAME}\` or \`\${NAME:-default}\`; put a literal \`$\` in single quotes`] };
  const found = look(name);
  const has = found !== undefined && (found.value !== '' || !operator.startsWith(':'));
  if (operator.endsWith('+')) return has ? expand(operand, escapes, look) : { value: '', problems: [] };
  if (has) return found;
  if (operator.endsWith('-')) return expand(operand, escapes, look);
  return { value: '', problems: [`\`\${${name}}\` is not set${operand === '' ? '' : `: ${operand}`}`] };
}
