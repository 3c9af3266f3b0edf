import type { PageData } from '../reports/result/chart-data.js';

/** What the page says is to be drawn; undefined where it says nothing. */
export async function readData(page: Document): Promise<PageData | undefined> {
  const text = page.getElementById('data')?.textContent ?? '';
  if (text === '') return undefined;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  // Not by fetch: the page's policy lets it ask for nothing, and a data: URL is something.
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return JSON.parse(await new Response(stream).text());
}
