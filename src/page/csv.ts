/** What a spreadsheet takes for a formula when a cell begins with it. */
const formula = /^[\s\p{Cc}\p{Cf}]*[=+\-@|%＝＋－＠\t\r\n]/u;
/** A number is no formula. */
const number = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** Rows as CSV (RFC 4180): quoted, and with an apostrophe before what a spreadsheet would carry out. */
export function csvOf(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(text: string): string {
  const harmless = formula.test(text) && !number.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
