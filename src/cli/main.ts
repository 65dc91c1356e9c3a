#!/usr/bin/env node
/** The program `swansong`: reads its arguments, runs one command, prints its answer and exits. */
import { Command, CommanderError } from 'commander';
import { version } from '../campaign/version.js';
import { InputError } from '../isa/errors.js';
import type { Act } from './command.js';
import { COMMANDS } from './commands/index.js';
import { type Common, type ExitCode, type Outcome, render } from './outcome.js';

/** Runs a command line (without node and script); prints and answers the exit code. */
async function main(args: readonly string[]): Promise<ExitCode> {
  let outcome: Outcome | undefined;
  let common: Common = { json: false, quiet: false };
  const program = new Command('swansong')
    .description(
      'Checks that BPF programs can be killed: proves, fuzzes and replays the fast path of patch rules.',
    )
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .usage('COMMAND [FILES] [--json] [--quiet]');
  const act: Act = async (options, work) => {
    const { json, quiet } = options as Partial<Common>;
    common = { json: json === true, quiet: quiet === true };
    outcome = await work(common);
  };
  for (const define of COMMANDS) define(program, act);
  tame(program);

  try {
    if (args.length === 0) throw new InputError('no command; see swansong --help');
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    process.stderr.write(`swansong: ${isKnown(error) ? '' : 'internal error: '}${oneLine(error)}\n`);
    return isKnown(error) ? 2 : internal(error);
  }
  if (outcome === undefined) return 0;
  await write(render(outcome, common), outcome.exit);
  return outcome.exit;
}

/** Makes commander throw rather than print and exit, for it and all commands below it. */
function tame(command: Command): void {
  command
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({ writeErr: () => undefined });
  for (const child of command.commands) tame(child);
}

function isKnown(error: unknown): boolean {
  return error instanceof CommanderError || isInput(error);
}

/** Trouble with a file that a person named is bad input. */
function isInput(error: unknown): boolean {
  return error instanceof InputError || (error instanceof Error && 'syscall' in error && 'path' in error);
}

/** The first line of an error, without commander's prefix; for the file system's errors the file and what is wrong with it. */
function oneLine(error: unknown): string {
  if (error instanceof InputError) return flat(error.describe());
  if (!(error instanceof Error)) return flat(String(error));
  if (isInput(error)) {
    const { path, message } = error as Error & { path: string };
    const reason = /^[A-Z0-9]+: ([^,]*),/.exec(message)?.[1] ?? message;
    return flat(`${path}: ${reason}`);
  }
  return flat(error.message.replace(/^error: /, ''));
}

function flat(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

/** A defect of swansong's own says nothing about what was asked: unknown. */
function internal(error: unknown): ExitCode {
  if (process.env.SWANSONG_DEBUG !== undefined && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
  return 3;
}

/** Writes all of it. A reader that went away has read what it wanted: the exit code stays what it is. */
function write(output: string | Uint8Array, exit: ExitCode): Promise<void> {
  if (output.length === 0) return Promise.resolve();
  process.stdout.on('error', () => process.exit(exit));
  return new Promise((done) => process.stdout.write(output, () => done()));
}

// Solver and worker threads may still be there; the answer is out, so nothing is waited for.
process.exit(await main(process.argv.slice(2)));
