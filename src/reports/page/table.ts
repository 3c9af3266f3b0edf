import { type Markup, markup } from '../result/markup.js';

/** What stands in a cell. */
export type Cell = Markup | string | number | undefined;

/** A column of a table. */
export interface Title {
  readonly title: string;
  /** Figures stand to the right. */
  readonly isNumber?: true;
}

/** A column of figures. */
export function figures(title: string): Title {
  return { title, isNumber: true };
}

/** A column of words. */
export function words(title: string): Title {
  return { title };
}

/** A table with a caption; a wide one scrolls by itself, with the keyboard too. Nothing where it has no rows. */
export function table(caption: string, titles: readonly Title[], rows: readonly (readonly Cell[])[]): Markup | undefined {
  if (rows.length === 0) return undefined;
  const heads = titles.map(({ title, isNumber }) => markup`<th scope="col"${isNumber && markup` class="n"`}>${title}</th>`);
  const body = rows.map((row) => markup`<tr>${row.map((cell, index) => cellMarkup(cell, titles[index]))}</tr>\n`);
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}

function cellMarkup(cell: Cell, title: Title | undefined): Markup {
  return title?.isNumber ? markup`<td class="n">${cell}</td>` : markup`<td class="t">${cell}</td>`;
}

/** A section with its heading, which is what it is linked by; nothing where it has no content. */
export function section(id: string, heading: string, ...content: readonly (Markup | undefined)[]): Markup | undefined {
  const there = content.filter((part) => part !== undefined);
  return there.length === 0 ? undefined : markup`<section aria-labelledby="${id}"><h2 id="${id}">${heading}</h2>\n${there}</section>\n`;
}

/** What is opened by who wants it; it is on paper in any case. */
export function details(summary: string, content: Markup | undefined): Markup | undefined {
  return content && markup`<details><summary>${summary}</summary>\n${content}</details>\n`;
}

let exact: Intl.NumberFormat | undefined; // toLocaleString would make one a number

/** A number with all of its digits for programs, and as many as people read. */
export function exactNumber(value: number): Markup {
  exact ??= new Intl.NumberFormat('en-US', { maximumFractionDigits: 12 });
  const shown = exact.format(Number.isInteger(value) ? value : Number(value.toPrecision(6)));
  return markup`<data value="${value}">${shown}</data>`;
}
