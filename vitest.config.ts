import { readdirSync, readFileSync } from 'node:fs';
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

const ALL = 'properties/**/*.test.ts';

/**
 * Files that put others in the place of modules, or pretend to run on another machine, have their modules for themselves: modules remember what they
 * were told. All others share those of their process, for it takes a second to load them.
 */
const REPLACING = readdirSync('properties', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `properties/${name}`)
  .filter((file) =>
    /\bvi\.(do)?mock\(|\bspyOn\(|\bresetModules\(|defineProperty\(process\b/i.test(
      readFileSync(file, 'utf8'),
    ),
  );

export default defineConfig(async () => ({
  plugins: await plugins(),
  test: {
    projects: [
      {
        extends: true as const,
        test: { name: 'sharing', include: [ALL], exclude: REPLACING, isolate: false },
      },
      { extends: true as const, test: { name: 'replacing', include: REPLACING, isolate: true } },
    ],
    globalSetup: ['./properties/support/page/shared.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
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
