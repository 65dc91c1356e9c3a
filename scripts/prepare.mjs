// Builds, unless every source has an output that is newer. npm runs this after `npm ci`, and again before the first `npx swansong`,
// when there should be nothing left to do.
import { execSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const mtime = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const files = ['src', 'generators'].flatMap((folder) =>
  readdirSync(folder, { recursive: true }).map((name) => join(folder, name)),
);
// The page is one bundle, whatever files it is made of.
const isOfPage = (name) => name.startsWith(join('src', 'page'));
const sources = files.filter((name) => (isOfPage(name) ? /\.(tsx?|css)$/ : /\.ts$/).test(name));
const settings = Math.max(...['package.json', 'tsconfig.json', 'tsconfig.build.json', join('scripts', 'page.mjs')].map(mtime));
const built = (source) => (isOfPage(source) ? join('src', 'page', 'page.js') : source.replace(/\.ts$/, '.js'));
const fresh = (source) => mtime(join('dist', built(source))) >= Math.max(mtime(source), settings);
if (!sources.every(fresh)) execSync('npm run --silent build', { stdio: 'inherit' });
