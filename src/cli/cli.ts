/** A command line from its arguments to its exit code. Nothing here ends the process or knows where output goes. */
import { Command, CommanderError } from 'commander';
import { version } from '../campaign/shards/version.js';
import { InputError, type Place } from '../isa/errors.js';
import { didYouMean } from '../isa/nearest.js';
import type { Allowed } from '../report/compare/changes.js';
import { JUDGEMENTS } from '../report/compare/judgements.js';
import type { Trouble } from '../report/document.js';
import type { ExitCode } from '../report/exit.js';
import type { Act, Define } from './command.js';
import { COMMANDS } from './commands/index.js';
import { belowHelp } from './examples.js';
import {
  answered,
  answeredTrouble,
  baselineAsked,
  type Forms,
  formsAsked,
  formsGuessed,
} from './output/answer.js';
import { painted } from './output/colour.js';
import type { Common } from './output/outcome.js';

/** Where output goes. */
export interface Streams {
  /** Standard output, with the exit code that will follow. What a command shows while it works comes first, with 3: it has not ended. */
  out(output: string | Uint8Array, exit: ExitCode): Promise<void>;
  /** Standard error. */
  err(line: string): void;
  /** Columns of the terminal that standard output goes to, if it goes to one. */
  readonly columns?: number;
  /** Standard output goes to a terminal: bytes are not written there unasked. */
  readonly terminal?: boolean;
  /** Text for people has colours. */
  readonly colours?: boolean;
}

/** Runs a command line (without node and script) and answers its exit code. Only failures of the streams reject. */
export async function runCli(args: readonly string[], streams: Streams): Promise<ExitCode> {
  let answer: { readonly printed: string | Uint8Array; readonly exit: ExitCode } | undefined;
  let command = '';
  let forms: Forms | undefined;
  const paint = (text: string): string =>
    streams.colours === true && HAS_VERDICTS.has(command) ? painted(text) : text;
  const act: Act = async (options, work) => {
    const { quiet } = options as Partial<Common>;
    forms = formsAsked(options);
    const baseline = baselineAsked(command, options);
    const isText = forms.printed === 'text';
    const outcome = await work({
      json: !isText,
      quiet: quiet === true,
      show: (text) => (!isText || quiet === true ? Promise.resolve() : streams.out(paint(text), 3)),
      note: (line) => {
        if (quiet !== true) streams.err(`${line}\n`);
      },
      complain: (error) => {
        complain(error, streams);
      },
    });
    const { printed, exit } = answered(outcome, {
      ...{ command, forms, quiet: quiet === true, baseline },
      ...('allow' in options && { allow: options.allow as Allowed }),
    });
    if (typeof printed !== 'string' && streams.terminal === true && outcome.binaryAsked !== true)
      throw new InputError('standard output is a terminal: name a file with -o, or ask for text with --hex');
    answer = { printed: isText && typeof printed === 'string' ? paint(printed) : printed, exit };
  };
  let help = '';
  try {
    if (args.length === 0) throw new InputError('no command; see swansong --help');
    const program = await declare(args, act);
    tame(program, streams.columns ?? WIDE, (text) => {
      help += text;
    });
    program.hook('preAction', (_, action) => {
      command = pathOf(action);
    });
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError && error.exitCode === 0)) {
      const { exit, trouble } = complain(error, streams);
      await streams.out(answeredTrouble(trouble, exit, forms ?? formsGuessed(args), command), exit);
      return exit;
    }
  }
  if (answer !== undefined) {
    await streams.out(answer.printed, answer.exit);
    return answer.exit;
  }
  await streams.out(help, 0);
  return 0;
}

/** Commands whose text has verdicts; that of others is text to be read back. */
const HAS_VERDICTS: ReadonlySet<string> = new Set([
  ...Object.keys(JUDGEMENTS),
  'run',
  'contracts check',
  'agree',
]);

/** `rules check`: the names of a command and of those above it, without the program's. */
function pathOf(command: Command): string {
  const above = command.parent;
  return above === null || above.parent === null ? command.name() : `${pathOf(above)} ${command.name()}`;
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
  for (const load of wantedFor(name)) (await load())(program, act);
  return program;
}

/** The version is told without any command; completions are made of all. */
function wantedFor(name: string): readonly (() => Promise<Define>)[] {
  if (name === '-V' || name === '--version') return [];
  return Object.hasOwn(COMMANDS, name) && name !== 'completion' ? [COMMANDS[name]!] : Object.values(COMMANDS);
}

/** Makes commander throw rather than exit, for the program and all commands below it, hands on what it prints, and adds to the help of each. */
function tame(command: Command, columns: number, print: (text: string) => void): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({ writeOut: print, writeErr: () => {}, getOutHelpWidth: () => columns });
  if (command.parent !== null && command.commands.length === 0)
    command.addHelpText('after', belowHelp(pathOf(command)));
  for (const child of command.commands) tame(child, columns, print);
}

/** Says in one line what is wrong. A bug of swansong's own says nothing about what was asked: that is unknown. */
function complain(error: unknown, { err }: Streams): { readonly exit: ExitCode; readonly trouble: Trouble } {
  const known = error instanceof CommanderError || isInput(error);
  const line = `${known ? '' : 'internal error: '}${oneLine(error)}`;
  err(`swansong: ${line}\n`);
  if (!known && process.env.SWANSONG_DEBUG !== undefined && error instanceof Error) err(`${error.stack}\n`);
  return { exit: known ? 2 : 3, trouble: { error: line, ...placeOf(error) } };
}

function placeOf(error: unknown): Place {
  if (error instanceof InputError) return error.place;
  return isInput(error) ? { file: (error as { path: string }).path } : {};
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
