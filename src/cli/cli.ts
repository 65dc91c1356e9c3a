/** A command line from its arguments to its exit code. Nothing here ends the process or knows where output goes. */
import { Command, CommanderError } from 'commander';
import { version } from '../campaign/version.js';
import { InputError } from '../isa/errors.js';
import { didYouMean } from '../isa/nearest.js';
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
  /** Columns of the terminal that standard output goes to, if it goes to one. */
  readonly columns?: number;
}

/** Runs a command line (without node and script) and answers its exit code. Only failures of the streams reject. */
export async function runCli(args: readonly string[], streams: Streams): Promise<ExitCode> {
  let outcome: Outcome | undefined;
  let common: Common = {
    json: false,
    quiet: false,
    show: async () => {},
    note: () => {},
    complain: () => {},
  };
  const act: Act = async (options, work) => {
    const { json, quiet } = options as Partial<Common>;
    common = {
      json: json === true,
      quiet: quiet === true,
      show: (text) => (json === true || quiet === true ? Promise.resolve() : streams.out(text, 3)),
      note: (line) => {
        if (quiet !== true) streams.err(`${line}\n`);
      },
      complain: (error) => complain(error, streams),
    };
    outcome = await work(common);
  };
  let help = '';
  try {
    if (args.length === 0) throw new InputError('no command; see swansong --help');
    const program = await declare(args, act);
    tame(program, streams.columns ?? WIDE, (text) => {
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

/** Columns of help where it goes to no terminal. */
const WIDE = 100;

const EXIT_CODES = `
Exit codes:
  0  it holds: proven, replayed, nothing found
  1  a check failed: refuted, a finding, a case that does not replay
  2  bad usage or input; one line on standard error says which
  3  unknown: not proven either way, left out, or stopped before the end

Examples:
  swansong fuzz --seed 1 --programs 500     generate programs, kill each everywhere
  swansong prove prog.bpf.o                 can it be killed anywhere?
  swansong rules check my-rules.ts          are these rules right for every function?
  swansong replay corpus                    past counterexamples, again
  swansong help prove                       the options of a command
`;

/** The program with its commands; only the one that is named is loaded, if one is. */
async function declare(args: readonly string[], act: Act): Promise<Command> {
  const asksHelp = args[0] === 'help';
  const name = (asksHelp ? args[1] : args[0]) ?? '';
  if (asksHelp && name !== '' && !Object.hasOwn(COMMANDS, name))
    throw new InputError(`unknown command '${name}'${didYouMean(name, Object.keys(COMMANDS))}`);
  const program = new Command('swansong')
    .description(
      'Checks that BPF programs can be killed: proves, fuzzes and replays the fast path of patch rules.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
    .addHelpText('after', EXIT_CODES)
    .usage('COMMAND [FILES] [--json] [--quiet]');
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS);
  for (const load of wanted) (await load())(program, act);
  return program;
}

/** Makes commander throw rather than exit, for the program and all commands below it, and hands on what it prints. */
function tame(command: Command, columns: number, print: (text: string) => void): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({ writeOut: print, writeErr: () => {}, getOutHelpWidth: () => columns });
  for (const child of command.commands) tame(child, columns, print);
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
