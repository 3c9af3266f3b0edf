// How long `loadctl --help` takes beside `node -e 0`. Target: less than twice.
import { comparePairs } from './support/pairs.js';

const limit = 2;
const pairs = Number(process.argv[2] ?? 25);
const { ratio } = comparePairs(['--help'], { pairs });
console.log(`${pairs} pairs, ratio of the medians ${ratio.toFixed(2)}: ${ratio < limit ? 'below' : 'NOT below'} ${limit}`);
process.exitCode = ratio < limit ? 0 : 1;
