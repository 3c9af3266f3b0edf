const bars = [...'▁▂▃▄▅▆▇█'];

/** The last values as a line of bars from 0 to the largest of them, one column each; a value that is missing is a blank. */
export function sparkline(values: readonly (number | undefined)[], width: number): string {
  const shown = values.slice(-width);
  const most = shown.reduce<number>((top, value = 0) => Math.max(top, value), 0);
  const bar = (value: number) => bars[most > 0 ? Math.min(bars.length - 1, Math.floor((value / most) * bars.length)) : 0] ?? '';
  return shown.map((value) => (value === undefined ? ' ' : bar(value))).join('');
}
