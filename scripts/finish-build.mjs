// After a build: makes the program executable, and puts it where `npx swansong` looks first. Without the link npx would install this
// package into its own cache before every first run.
import { chmodSync, existsSync, lstatSync, rmSync, symlinkSync } from 'node:fs';

const program = 'dist/src/cli/main.js';
chmodSync(program, 0o755);

const folder = 'node_modules/.bin';
const link = `${folder}/swansong`;
if (process.platform !== 'win32' && existsSync(folder)) {
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link);
  symlinkSync(`../../${program}`, link);
}
