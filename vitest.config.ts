import { defineConfig, type Plugin } from 'vitest/config';

/** SWANSONG_MUTANT names a mutant that stands in for a source file; see properties/mutants. */
const { SWANSONG_MUTANT } = process.env;

async function plugins(): Promise<Plugin[]> {
  if (SWANSONG_MUTANT === undefined) return [];
  const { mutantPlugin } = await import('./properties/mutants/plugin.js');
  return [mutantPlugin(SWANSONG_MUTANT)];
}

export default defineConfig(async () => ({
  plugins: await plugins(),
  test: {
    include: ['properties/**/*.test.ts'],
    testTimeout: 120_000,
    pool: 'forks' as const,
    coverage: {
      provider: 'v8' as const,
      include: ['src/**', 'generators/**'],
      reportsDirectory: 'reports/coverage',
    },
  },
}));
