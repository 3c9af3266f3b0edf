import type { Paint } from './paint.js';
import { renderPairs, type TableStyle } from './table.js';

/** One thing that was looked at. `low`: it works, but not for everything. */
export interface Finding {
  readonly what: string;
  readonly state: 'good' | 'low' | 'missing' | 'unknown';
  readonly said: string;
  /** Why, or what to do about it. */
  readonly more?: string;
}

const marks: Readonly<Record<Finding['state'], { readonly mark: string; readonly paint: keyof Paint }>> = {
  good: { mark: '✔', paint: 'good' },
  low: { mark: '!', paint: 'warn' },
  missing: { mark: '✖', paint: 'bad' },
  unknown: { mark: '?', paint: 'faint' },
};

/** What a machine has and what it lacks. */
export function renderDoctor(findings: readonly Finding[], style: TableStyle): string {
  const pairs = findings.map(({ what, state, said, more }): [string, string[]] => {
    const { mark, paint: colour } = marks[state];
    return [what, [`${style.paint[colour](mark)} ${said}`, ...(more === undefined ? [] : [`  ${style.paint.faint(more)}`])]];
  });
  return `${renderPairs(pairs, style).join('\n')}\n`;
}
