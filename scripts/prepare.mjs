// Builds, unless every source has an output that is newer. npm runs this after `npm ci`, and again before the first `npx swansong`,
// when there should be nothing left to do.
import { execSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const mtime = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const sources = ['src', 'generators'].flatMap((folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith('.ts')),
);
const settings = Math.max(...['package.json', 'tsconfig.json', 'tsconfig.build.json'].map(mtime));
const fresh = (source) => mtime(join('dist', source.replace(/\.ts$/, '.js'))) >= Math.max(mtime(source), settings);
if (!sources.every(fresh)) execSync('npm run --silent build', { stdio: 'inherit' });
