/** What the commands have in common: how they are declared, and how long work shows its progress. */
import { type Command, Option } from 'commander';
import { InputError } from '../isa/errors.js';
import { didYouMean } from '../isa/nearest.js';
import { FORMATS } from '../report/formats/form.js';
import { formsOf } from './output/answer.js';
import type { Common, Outcome } from './output/outcome.js';

/** Runs a command's work and takes its outcome; `options` are those of the command line, the common ones among them. */
export type Act = (options: object, work: (common: Common) => Outcome | Promise<Outcome>) => Promise<void>;

/** Adds one command to the program. */
export type Define = (program: Command, act: Act) => void;

/** Adds the options that all commands take. */
export function withCommon(command: Command): Command {
  return command
    .option('--json', 'print one JSON document and nothing else')
    .option('--quiet', 'print nothing for people, only exit');
}

function formatOption(): Option {
  const help = `${FORMATS.join(', ')}; FORMAT=FILE writes a file; several between commas`;
  const option = new Option('--format <FORMATS>', help).argParser(formsOf);
  // For completions; `formsOf` refuses others.
  option.argChoices = [...FORMATS];
  return option;
}

/** Adds the form of the answer, besides the common options. */
export const withForm = (command: Command): Command => withCommon(command).addOption(formatOption());

/** Adds the options of commands that judge, besides the common ones: the form of the answer, and an earlier run to compare with. */
export function withFormats(command: Command): Command {
  return withForm(command).option(
    '--baseline <FILE>',
    'document of an earlier run (--json): the exit code tells only what is new since then',
  );
}

/**
 * Adds a command that only has commands below it. Throws InputError, when it is called without one of them, that says which there are.
 */
export function commandOfCommands(program: Command, name: string, description: string): Command {
  const command = program
    .command(name)
    .description(description)
    .argument('[COMMAND]')
    .allowUnknownOption()
    .allowExcessArguments();
  return command.action((given: string | undefined) => {
    const names = command.commands.map((one) => one.name());
    if (given === undefined) throw new InputError(`${name}: choose one of ${names.join(', ')}`);
    throw new InputError(
      `${name}: there is no '${given}', choose one of ${names.join(', ')}${didYouMean(given, names)}`,
    );
  });
}

/** Milliseconds since `start`, in hundredths. */
export function since(start: number): number {
  return Math.round((performance.now() - start) * 100) / 100;
}
