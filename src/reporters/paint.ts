import { ownControl } from '../core/sanitise.js';

/** Colours by what they mean. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

const asItIs = (text: string): string => text;

/** No colours at all. */
export const noPaint: Paint = { good: asItIs, bad: asItIs, warn: asItIs, strong: asItIs, faint: asItIs };

/** Colours that every terminal has; chalk is loaded only where they are wanted. */
export async function loadPaint(coloured: boolean): Promise<Paint> {
  if (!coloured) return noPaint;
  const { Chalk } = await import('chalk');
  const { green, red, yellow, bold, dim } = new Chalk({ level: 1 });
  return { good: own(green), bad: own(red), warn: own(yellow), strong: own(bold), faint: own(dim) };
}

/** What is painted may hold sequences of others: only those of the paint itself are ours. */
function own(paint: (text: string) => string): (text: string) => string {
  const [before = '', after = ''] = paint(' ').split(' ').map(ownControl);
  return (text) => before + text + after;
}
