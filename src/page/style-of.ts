/** The colours of lines, one after the other; they differ in their dashes, too. */
const colours = ['--one', '--two', '--three', '--four', '--five', '--six'];
const dashes: readonly number[][] = [[], [6, 3], [2, 2], [10, 3, 2, 3], [1, 3], [12, 4]];

/** A colour of the page's style as it is now: light or dark. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** How line number `index` is drawn. */
export function lineStyle(index: number): { stroke: () => string; dash: number[]; fill: () => string } {
  const name = colours[index % colours.length] ?? '--one';
  return { stroke: () => colour(name), dash: [...(dashes[index % dashes.length] ?? [])], fill: () => `${colour(name)}33` };
}
