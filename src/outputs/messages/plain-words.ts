import { harmless } from '../../core/sanitise.js';

/**
 * Foreign text as one line that nothing acts on: no line ends, no control characters, no mention that wakes a whole channel, cut
 * where it is long. What else a place takes for its own (`<`, `&`) is escaped where it is written for that place.
 */
export function plainWords(text: string, most: number): string {
  const line = harmless(text)
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/@(?=\p{L})/gu, '@\u200b');
  return shortened(line, most);
}

/** A text of so many characters at most; what was cut can be seen, and no character is cut in two. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}
