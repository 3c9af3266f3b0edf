import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { source } from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll } from 'vitest';

/** What a browser saw of a page. */
export interface Seen {
  /** All that it asked for, the page itself first. */
  readonly requests: readonly string[];
  /** Errors and refusals of its console. */
  readonly complaints: readonly string[];
  /** The exact numbers that stand in it, each with the text that is shown for it. */
  readonly numbers: ReadonlyMap<number, string>;
  readonly text: string;
  /** What axe-core finds wrong, by its rules. */
  readonly violations: readonly string[];
  /** Whether anything of `window.marked` ran. */
  readonly marked: boolean;
  /** How far the page is wider than its window. */
  readonly overflow: number;
}

let launched: Promise<Browser> | undefined;

afterAll(async () => (await launched)?.close());

/** Opens a file in Debian's chromium, all of it unfolded. */
export async function look(file: string, options: BrowserContextOptions = {}): Promise<Seen> {
  return opened(file, options, async (page, heard) => {
    const read = await page.evaluate<Read>(reading);
    const violations = options.javaScriptEnabled === false ? [] : await audit(page);
    return { ...read, numbers: new Map(read.numbers), ...heard, violations };
  });
}

/** Opens a file, and hands it over when its charts are drawn. */
export async function opened<T>(
  file: string,
  options: BrowserContextOptions,
  work: (page: Page, heard: Pick<Seen, 'requests' | 'complaints'>) => Promise<T>,
): Promise<T> {
  launched ??= chromium.launch({ executablePath: program(), args: ['--no-sandbox'] });
  const context = await (await launched).newContext(options);
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(pathToFileURL(file).href);
  if (options.javaScriptEnabled !== false && (await page.locator('#data').count()) > 0) await page.waitForSelector('html.drawn');
  const done = await work(page, { requests, complaints });
  await context.close();
  return done;
}

/** Where `LOADCTL_SCREENSHOTS` names a folder, a picture of the page stays there, to be looked at. */
export async function kept(page: Page, name: string): Promise<void> {
  const folder = process.env.LOADCTL_SCREENSHOTS;
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

interface Read extends Pick<Seen, 'text' | 'marked' | 'overflow'> {
  readonly numbers: readonly (readonly [number, string])[];
}

/** In the page, by the browser's own door, which works where pages have no scripts. */
const reading = `(() => {
  for (const one of document.querySelectorAll('details')) one.open = true;
  return {
    numbers: [...document.querySelectorAll('data')].map((one) => [Number(one.value), one.textContent]),
    text: document.body.innerText,
    marked: 'marked' in window,
    overflow: document.documentElement.scrollWidth - window.innerWidth,
  };
})()`;

function program(): string {
  const places = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => ['chromium', 'chromium-browser'].map((name) => join(folder, name)));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error('chromium is missing: npm run test:page installs it where apt-get can');
  return found;
}

/** All of it by every rule but one: contrasts are looked at in pixels, cell by cell, and those of later rows are the same as of the first ones. */
async function audit(page: { evaluate<T>(script: string): Promise<T> }): Promise<string[]> {
  await page.evaluate(source);
  const audits = [
    `axe.run({ resultTypes: ['violations'], rules: { 'color-contrast': { enabled: false } } })`,
    `axe.run({ exclude: [['tbody tr:nth-child(n+20)']] }, { resultTypes: ['violations'], runOnly: ['color-contrast'] })`,
  ];
  const found = { violations: [] as { id: string; nodes: { html: string }[] }[] };
  for (const one of audits) found.violations.push(...(await page.evaluate<typeof found>(one)).violations);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
