export { goToBuildWith } from './build.js';
export { findK6 } from './find.js';
export { cachedBinary, pinnedVersion } from './platform.js';
export { resolveK6 } from './resolve.js';
export type { FetchOptions, FoundK6, K6Source, Surroundings } from './types.js';
