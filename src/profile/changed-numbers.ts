import type { Problem } from './document/problem.js';
import { type Path, type ScalarTree, scalarsOf, type Tree } from './document/tree.js';
import { beginning } from './explain.js';

/**
 * The numbers that are not what is written any more once they are read, where that matters: a table's column takes 1.1 for 1.10
 * unless its digits are lost, a cache's value and an option of k6's may be meant as a text.
 */
export function changedNumbers(tree: Tree): Problem[] {
  return scalarsOf(tree).flatMap(({ scalar, path }) => {
    const message = problemOf(scalar, path);
    return message === undefined ? [] : [{ place: beginning(scalar), message }];
  });
}

function problemOf({ value, written }: ScalarTree, path: Path): string | undefined {
  const [section, name, word] = path;
  if (typeof value !== 'number' || written === undefined) return undefined;
  const isOption = section === 'workload' && name === 'options';
  if (isOption && (path.includes('tags') || path.includes('env')))
    return `expected quotes: k6 takes only texts there; write \`"${written}"\``;
  if (section === 'seed' && word === 'columns') return isKept(written, value) ? undefined : asNumber(value, written);
  const mayBeText = isOption || section === 'seed';
  return mayBeText && !isAsWritten(written, value) ? asNumber(value, written) : undefined;
}

function asNumber(value: number, written: string): string {
  return `expected quotes: as a number this becomes ${value}; write \`"${written}"\``;
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

/** Whether the number is written as it is shown, too: `1.10` is not. */
function isAsWritten(written: string, value: number): boolean {
  const fraction = decimal.exec(written)?.[3];
  return isKept(written, value) && (fraction === undefined || !/^0*$|0$/.test(fraction));
}
