const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const hexadecimal = /^([+-]?)0x(?:([\da-f]+)\.?([\da-f]*)|\.([\da-f]+))p([+-]?\d+)$/i;
const infinity = /^([+-]?)inf(?:inity)?$/i;

const separator = /(?<=\d)_(?=\d)/g;
const hexSeparator = /(?<=[\da-f]|^[+-]?0x)_(?=[\da-f])/gi;

/** Reads a float as Go's strconv.ParseFloat does (`1e3`, `.5`, `-1`, `1_000`, `0x1p-2`, `inf`); undefined where Go has an error. */
export function parseGoFloat(text: string): number | undefined {
  const plain = text.replace(separator, '');
  if (decimal.test(plain)) return inRange(Number(plain));
  const sign = infinity.exec(text)?.[1];
  if (sign !== undefined) return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  const hex = hexadecimal.exec(text.replace(hexSeparator, ''));
  return hex ? inRange(hexFloat(hex)) : undefined;
}

function hexFloat([, sign, whole = '', fraction = '', bareFraction = '', exponent]: RegExpExecArray): number {
  const digits = whole + fraction + bareFraction;
  const power = Number(exponent) - 4 * (fraction.length + bareFraction.length);
  const value = Number(BigInt(`0x${digits}`)) * 2 ** power;
  return sign === '-' ? -value : value;
}

function inRange(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
