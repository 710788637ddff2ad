import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['lab/**/*.lab.test.ts'],
    pool: 'forks',
    // Emulated machines use all the processors there are: one file at a time, and a boot may take minutes.
    fileParallelism: false,
    testTimeout: 20 * 60_000,
    hookTimeout: 20 * 60_000,
  },
});
