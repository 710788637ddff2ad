import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['lab/**/*.lab.test.ts'],
    pool: 'forks',
    // An emulated machine keeps one processor busy, and a boot may take minutes.
    maxWorkers: 2,
    testTimeout: 20 * 60_000,
    hookTimeout: 20 * 60_000,
  },
});
