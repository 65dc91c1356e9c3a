import { defineConfig, type Plugin } from 'vitest/config';

/** SWANSONG_MUTANT names a mutant that stands in for a source file; see properties/mutants. */
const { SWANSONG_MUTANT } = process.env;

async function plugins(): Promise<Plugin[]> {
  if (SWANSONG_MUTANT === undefined) return [];
  const { mutantPlugin } = await import('./properties/mutants/plugin.js');
  return [mutantPlugin(SWANSONG_MUTANT)];
}

/** Percent of lines that the properties run through, at least, by folder. `npm run coverage` prints where each stands. */
const FLOOR: Readonly<Record<string, number>> = {};

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
      reporter: ['json-summary', 'html'],
      reportOnFailure: true,
      thresholds: Object.fromEntries(
        Object.entries(FLOOR).map(([folder, lines]) => [`${folder}/**`, { lines }]),
      ),
    },
  },
}));
