import { harmless } from '../../core/sanitise.js';

/** Text in the syntax of HTML and XML: made by {@link markup} alone, so that what is foreign in it is escaped. */
export class Markup {
  readonly #text: string;

  constructor(text: string, key: symbol) {
    if (key !== made) throw new Error('markup is made by its tag');
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Keeps everything but the tag from making {@link Markup}. */
const made = Symbol('made by the tag');

/** What may stand in a template: markup as it is, lists one after the other, nothing for undefined, all else as text. */
type Part = Markup | string | number | undefined | readonly Part[];

/**
 * The one way to write HTML and XML: whatever is put into it is a text, in an element or in a quoted attribute, and nothing
 * else. Not for the inside of `<script>` and `<style>`, whose text is not escaped.
 */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const text = strings.reduce((before, string, index) => before + shown(parts[index - 1]) + string);
  return new Markup(text, made);
}

function shown(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.toString();
  return typeof part === 'object' ? part.map(shown).join('') : escaped(String(part));
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
/** Halves of characters, and two that no XML may hold. */
const broken = /\p{Surrogate}|[\ufffe\uffff]/gu;

/** XML forbids control characters even where they are escaped; {@link harmless} has written them out by then. */
function escaped(text: string): string {
  return harmless(text)
    .replace(broken, '\ufffd')
    .replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
