#!/usr/bin/env node
/** The program `swansong`. */
import type { ExitCode } from '../report/exit.js';
import { runCli } from './cli.js';
import { hasColours } from './output/colour.js';

/** The exit code if nobody reads on. */
let unread: ExitCode = 3;
process.stdout.on('error', () => process.exit(unread));

/** Writes all of it. A reader that went away has read what it wanted: the exit code stays what it is. */
function write(output: string | Uint8Array, exit: ExitCode): Promise<void> {
  if (output.length === 0) return Promise.resolve();
  unread = exit;
  return new Promise((done) => process.stdout.write(output, () => done()));
}

const exit = await runCli(process.argv.slice(2), {
  out: write,
  err: (line) => process.stderr.write(line),
  terminal: process.stdout.isTTY === true,
  colours: hasColours({ env: process.env, terminal: process.stdout.isTTY === true }),
  ...(process.stdout.columns === undefined ? {} : { columns: process.stdout.columns }),
});
// Solver and worker threads may still be there; the answer is out, so nothing is waited for.
process.exit(exit);
