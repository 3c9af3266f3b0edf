/** Samples of which a bucket is known: each is `width` times its share above `low`. */
export interface Placed {
  readonly low: number;
  readonly width: number;
  readonly shares: readonly number[];
}

/**
 * The values of these samples, each list in its order, moved within their buckets so that all add up to `sum`, or come as near as
 * the buckets let them: what is off is shared as far as each may be wrong. A share s becomes s / (s + (1 − s) · e^(−tilt · width)).
 */
export function tilted(parts: readonly Placed[], sum: number): number[][] {
  const movable = parts.some(({ width }) => width > 0) && Number.isFinite(sum);
  const tilt = movable ? tiltFor(parts, sum) : 0;
  return parts.map(({ low, width, shares }) => {
    const odds = Math.exp(-tilt * width);
    return shares.map((share) => low + width * moved(share, odds));
  });
}

function moved(share: number, odds: number): number {
  return share / (share + (1 - share) * odds);
}

/** By Newton's steps, at most thrice as far as before, and by halves where these lead out of what holds the answer. */
function tiltFor(parts: readonly Placed[], sum: number): number {
  const widest = parts.reduce((most, { width }) => Math.max(most, width), 0);
  const room = parts.reduce((total, { width, shares }) => total + width * shares.length, 0);
  let [under, over] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  let tilt = 0;
  for (let step = 0; step < 60; step += 1) {
    const { total, slope } = totalAt(parts, tilt);
    const off = total - sum;
    // Also where it is not a number.
    if (!(Math.abs(off) > 1e-9 * room)) break;
    if (off < 0) under = tilt;
    else over = tilt;
    const far = 2 * Math.max(1 / widest, Math.abs(tilt));
    const next = tilt - Math.max(-far, Math.min(far, off / slope));
    tilt = next > under && next < over ? next : (under + over) / 2;
  }
  return tilt;
}

function totalAt(parts: readonly Placed[], tilt: number): { readonly total: number; readonly slope: number } {
  let total = 0;
  let slope = 0;
  for (const { low, width, shares } of parts) {
    const odds = Math.exp(-tilt * width);
    let within = 0;
    let give = 0;
    for (const share of shares) {
      const to = moved(share, odds);
      within += to;
      give += to * (1 - to);
    }
    total += low * shares.length + width * within;
    slope += width * width * give;
  }
  return { total, slope };
}
