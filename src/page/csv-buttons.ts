import { csvOf } from './csv.js';

/** Puts a button below each table that hands it over as CSV, with the exact numbers behind the shown ones. */
export function offerCsv(page: Document): void {
  for (const table of page.querySelectorAll('table')) {
    const name = table.caption?.textContent?.trim() ?? 'table';
    const button = page.createElement('button');
    button.type = 'button';
    button.className = 'csv';
    button.textContent = 'CSV';
    button.setAttribute('aria-label', `Download as CSV: ${name}`);
    button.addEventListener('click', () => download(page, `${fileName(name)}.csv`, csvOf(rowsOf(table))));
    (table.closest('.scroll') ?? table).after(button);
  }
}

function rowsOf(table: HTMLTableElement): string[][] {
  return [...table.rows].map((row) => [...row.cells].map(textOf));
}

/** A cell that is one number has all of its digits. */
function textOf(cell: HTMLTableCellElement): string {
  const exact = [...cell.querySelectorAll('data')];
  const [only] = exact;
  return exact.length === 1 && only?.textContent === cell.textContent ? only.value : (cell.textContent ?? '').trim();
}

function fileName(name: string): string {
  return name.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60);
}

function download(page: Document, name: string, text: string): void {
  // The mark tells spreadsheets that this is UTF-8.
  const url = URL.createObjectURL(new Blob([`\ufeff${text}`], { type: 'text/csv;charset=utf-8' }));
  const link = page.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
