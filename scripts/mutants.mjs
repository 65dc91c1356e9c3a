// `npm run mutants`: loads the TypeScript of properties/mutants as vitest does, and runs it.
import { runnerImport } from 'vite';

const { module } = await runnerImport('./properties/mutants/run.ts');
process.exitCode = await module.run(process.argv.slice(2));
