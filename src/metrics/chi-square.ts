/**
 * How probable a chi-square statistic of `value` or more is by chance alone, with `degrees` of freedom: the regularised
 * upper incomplete gamma function Q(degrees/2, value/2).
 */
export function chiSquareTail(value: number, degrees: number): number {
  if (value <= 0 || degrees <= 0) return 1;
  if (!Number.isFinite(value)) return 0;
  const [shape, at] = [degrees / 2, value / 2];
  return at < shape + 1 ? 1 - lowerBySeries(shape, at) : upperByFraction(shape, at);
}

const precision = 1e-12;
const mostSteps = 10_000;

function lowerBySeries(shape: number, at: number): number {
  let term = 1 / shape;
  let total = term;
  for (let step = 1; step < mostSteps && term > total * precision; step += 1) {
    term *= at / (shape + step);
    total += term;
  }
  return total * scaleOf(shape, at);
}

/** Lentz's continued fraction. */
function upperByFraction(shape: number, at: number): number {
  const tiny = 1e-300;
  let b = at + 1 - shape;
  let c = 1 / tiny;
  let d = 1 / b;
  let product = d;
  for (let step = 1; step < mostSteps; step += 1) {
    const a = -step * (step - shape);
    b += 2;
    d = 1 / nonZero(a * d + b, tiny);
    c = nonZero(b + a / c, tiny);
    product *= d * c;
    if (Math.abs(d * c - 1) < precision) break;
  }
  return product * scaleOf(shape, at);
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

function scaleOf(shape: number, at: number): number {
  return Math.exp(-at + shape * Math.log(at) - logGammaOfHalves(shape));
}

/** ln Γ of a multiple of one half: by its recurrence, down to Γ(1) = 1 or Γ(1/2) = √π. */
function logGammaOfHalves(shape: number): number {
  let total = Number.isInteger(shape) ? 0 : Math.log(Math.PI) / 2;
  for (let factor = shape - 1; factor > 0; factor -= 1) total += Math.log(factor);
  return total;
}
