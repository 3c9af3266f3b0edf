/** A text to look for. */
export interface Needle {
  readonly text: string;
  /** The secret that this is a spelling of. */
  readonly secret: string;
  /** Whether it counts only where no letter and no digit stands before or after it. */
  readonly whole?: boolean;
}

/** A part of a text that is, or belongs to, a secret. */
export interface Found {
  readonly from: number;
  readonly to: number;
  readonly secret: string;
}

/** Needles to look for in many texts. */
export interface Needles {
  readonly list: readonly Needle[];
  /** Whether there is any of them at all: most texts hold none. */
  readonly any: RegExp;
}

/** Makes {@link Needles}. */
export function needlesOf(list: readonly Needle[]): Needles {
  const texts = list.map(({ text }) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return { list, any: new RegExp(texts.length === 0 ? '(?!)' : texts.join('|')) };
}

/** Every place where one of the needles stands; they may lie over one another. */
export function findAll(text: string, { list, any }: Needles): Found[] {
  return any.test(text) ? list.flatMap((needle) => places(text, needle)) : [];
}

/** A text with a mark in the place of each part; parts that overlap are one, so that no rest of one is left. */
export function cutOut(text: string, found: readonly Found[], mark: (secret: string) => string): string {
  if (found.length === 0) return text;
  const inOrder = [...found].sort((a, b) => a.from - b.from || b.to - a.to);
  let shown = '';
  let at = 0;
  for (const { from, to, secret } of inOrder) {
    if (from >= at) shown += text.slice(at, from) + mark(secret);
    at = Math.max(at, to);
  }
  return shown + text.slice(at);
}

function places(text: string, { text: needle, secret, whole = false }: Needle): Found[] {
  const found: Found[] = [];
  for (let from = text.indexOf(needle); from >= 0; from = text.indexOf(needle, from + 1)) {
    const to = from + needle.length;
    if (!whole || (isBreak(text[from - 1]) && isBreak(text[to]))) found.push({ from, to, secret });
  }
  return found;
}

function isBreak(letter: string | undefined): boolean {
  return letter === undefined || !/[\p{L}\p{N}]/u.test(letter);
}
