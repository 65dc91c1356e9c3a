import { defineConfig, type Plugin } from 'vitest/config';

/** SWANSONG_MUTANT names a mutant that stands in for a source file; see properties/mutants. */
const { SWANSONG_MUTANT } = process.env;

async function plugins(): Promise<Plugin[]> {
  if (SWANSONG_MUTANT === undefined) return [];
  const { mutantPlugin } = await import('./properties/mutants/plugin.js');
  return [mutantPlugin(SWANSONG_MUTANT)];
}

/**
 * Percent of lines that the properties run through, at least, by folder. `npm run coverage` prints where each stands. Where no kernel can be
 * asked `oracle` and `campaign` are run less, and the command line runs mostly in processes that are not measured.
 */
const FLOOR: Readonly<Record<string, number>> = {
  'src/isa': 99,
  'src/object': 88,
  'src/kernel': 88,
  'src/semantics': 95,
  'src/verifier': 94,
  'src/patch': 95,
  'src/vm': 93,
  'src/smt': 94,
  'src/oracle': 50,
  generators: 96,
  'src/campaign': 60,
  'src/report': 75,
  'src/cli': 50,
};

export default defineConfig(async () => ({
  plugins: await plugins(),
  test: {
    include: ['properties/**/*.test.ts'],
    globalSetup: ['./properties/support/page/shared.ts'],
    testTimeout: 120_000,
    pool: 'forks' as const,
    // vitest would leave one core free; on two that halves the speed.
    maxWorkers: '100%' as const,
    reporters: ['default', './properties/support/skips.ts'],
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
