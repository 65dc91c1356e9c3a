/** A command line from its arguments to its exit code. Nothing here ends the process or knows where output goes. */
import { Command, CommanderError } from 'commander';
import { version } from '../campaign/version.js';
import { InputError } from '../isa/errors.js';
import type { ExitCode } from '../report/exit.js';
import type { Act } from './command.js';
import { COMMANDS } from './commands/index.js';
import { type Common, type Outcome, render } from './outcome.js';

/** Where output goes. */
export interface Streams {
  /** Standard output, with the exit code that will follow. What a command shows while it works comes first, with 3: it has not ended. */
  out(output: string | Uint8Array, exit: ExitCode): Promise<void>;
  /** Standard error. */
  err(line: string): void;
}

/** Runs a command line (without node and script) and answers its exit code. Only failures of the streams reject. */
export async function runCli(args: readonly string[], streams: Streams): Promise<ExitCode> {
  let outcome: Outcome | undefined;
  let common: Common = { json: false, quiet: false, show: async () => {} };
  const act: Act = async (options, work) => {
    const { json, quiet } = options as Partial<Common>;
    common = {
      json: json === true,
      quiet: quiet === true,
      show: (text) => (json === true || quiet === true ? Promise.resolve() : streams.out(text, 3)),
    };
    outcome = await work(common);
  };
  let help = '';
  try {
    if (args.length === 0) throw new InputError('no command; see swansong --help');
    const program = await declare(args[0]!, act);
    tame(program, (text) => {
      help += text;
    });
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError && error.exitCode === 0)) return complain(error, streams);
  }
  if (outcome !== undefined) {
    await streams.out(render(outcome, common), outcome.exit);
    return outcome.exit;
  }
  await streams.out(help, 0);
  return 0;
}

/** The program with its commands; only the one that is named is loaded, if one is. */
async function declare(name: string, act: Act): Promise<Command> {
  const program = new Command('swansong')
    .description(
      'Checks that BPF programs can be killed: proves, fuzzes and replays the fast path of patch rules.',
    )
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .usage('COMMAND [FILES] [--json] [--quiet]');
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS);
  for (const load of wanted) (await load())(program, act);
  return program;
}

/** Makes commander throw rather than exit, for the program and all commands below it, and hands on what it prints. */
function tame(command: Command, print: (text: string) => void): void {
  command
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({ writeOut: print, writeErr: () => {}, getOutHelpWidth: () => 100 });
  for (const child of command.commands) tame(child, print);
}

/** Says in one line what is wrong. A bug of swansong's own says nothing about what was asked: that is unknown. */
function complain(error: unknown, { err }: Streams): ExitCode {
  const known = error instanceof CommanderError || isInput(error);
  err(`swansong: ${known ? '' : 'internal error: '}${oneLine(error)}\n`);
  if (known) return 2;
  if (process.env.SWANSONG_DEBUG !== undefined && error instanceof Error) err(`${error.stack}\n`);
  return 3;
}

/** Trouble with a file that a person named is bad input. */
function isInput(error: unknown): boolean {
  return error instanceof InputError || (error instanceof Error && 'syscall' in error && 'path' in error);
}

/** An error in one line: without commander's prefix; of the file system's errors the file and what is wrong with it. */
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
