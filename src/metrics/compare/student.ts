/**
 * How probable a value of Student's t above `t` is by chance alone, with a whole number of degrees of freedom: the finite series of
 * Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
 */
export function studentTail(t: number, degrees: number): number {
  if (!Number.isFinite(t)) return t > 0 ? 0 : 1;
  const angle = Math.atan(Math.abs(t) / Math.sqrt(degrees));
  const within = degrees % 2 === 1 ? oddPart(angle, degrees) : Math.sin(angle) * seriesOf(angle, 1, degrees);
  const beyond = Math.max(0, 1 - within) / 2;
  return t < 0 ? 1 - beyond : beyond;
}

/** The value that Student's t exceeds with a probability of `tail` (above 0, up to 0.5). */
export function studentQuantile(tail: number, degrees: number): number {
  let [low, high] = [0, 1];
  while (studentTail(high, degrees) > tail) high *= 2;
  for (let step = 0; step < steps; step += 1) {
    const middle = (low + high) / 2;
    if (studentTail(middle, degrees) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Halvings after which two numbers are neighbours. */
const steps = 60;

function oddPart(angle: number, degrees: number): number {
  const series = degrees === 1 ? 0 : Math.sin(angle) * Math.cos(angle) * seriesOf(angle, 2, degrees);
  return (2 / Math.PI) * (angle + series);
}

/** 1 + (n/(n+1)) cos² + …: as many terms as there are pairs of degrees. */
function seriesOf(angle: number, from: 1 | 2, degrees: number): number {
  const square = Math.cos(angle) ** 2;
  let [term, sum] = [1, 1];
  for (let factor = from; factor + 2 <= degrees - 1; factor += 2) {
    term *= (square * factor) / (factor + 1);
    sum += term;
  }
  return sum;
}
