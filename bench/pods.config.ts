import { defineConfig } from 'vitest/config';

/** What a fleet of pods costs, on the cluster of the tests: npm run bench:pods. */
export default defineConfig({
  test: {
    include: ['bench/pods.bench.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
    globalSetup: ['./test/with-k6.ts', './test/cluster/setup.ts'],
  },
});
