import type { Problem } from './document/problem.js';
import { scalarsOf, type Tree } from './document/tree.js';
import { beginning } from './explain.js';

/** The numbers among the seeded values that are not what is written any more once they are read: a row would hold another one. */
export function changedNumbers(tree: Tree): Problem[] {
  return scalarsOf(tree).flatMap(({ scalar, path }) => {
    const { value, written } = scalar;
    if (path[0] !== 'seed' || typeof value !== 'number' || written === undefined || isKept(written, value)) return [];
    return [{ place: beginning(scalar), message: `expected quotes: as a number this becomes ${value}; write \`"${written}"\`` }];
  });
}

const decimal = /^([-+]?)(\d+)(?:\.(\d*))?$/;

/** Whether every digit survived; other notations (`1e3`, `0x1f`, `.inf`) say that a number is meant. */
function isKept(written: string, value: number): boolean {
  const [, , whole = '', fraction = ''] = decimal.exec(written) ?? [];
  if (whole === '') return true;
  if (/^0\d/.test(whole)) return false;
  const read = Number.isInteger(value) ? BigInt(Math.abs(value)).toString() : String(Math.abs(value));
  const [readWhole = '', readFraction = ''] = read.split('.');
  const isTiny = read.includes('e');
  return isTiny || (whole === readWhole && fraction.replace(/0+$/, '') === readFraction);
}
