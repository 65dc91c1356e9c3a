/** What commands that take programs have in common: their options, and how the programs to be judged are loaded. */
import type { Command } from 'commander';
import { givenFunctions, loadRuleSets, type NamedRules } from '../campaign/rules.js';
import { PROG_TYPES, type ProgType } from '../object/program.js';
import { type LoadedFiles, type LoadOptions, leftOut, loadPrograms } from './files.js';
import { type ProfileChoice, profileChoice, profileHelp } from './kernel-profile.js';
import { FUNCTIONS_HELP, list, oneOf, type WithFunctions } from './options.js';
import { filesBelow } from './paths.js';

/** What `withPrograms` reads. */
export interface ProgramOptions extends LoadOptions, WithFunctions {}

/** What `withJudged` reads. */
export interface JudgeOptions extends ProgramOptions {
  readonly profile?: ProfileChoice;
}

/** Adds the options of `LoadOptions`: which of the programs in the files, and how they are to be read. */
export function withPrograms(command: Command): Command {
  return command
    .option('--prog <NAME>', 'only the program of this name')
    .option('--type <TYPE>', 'type of programs in raw insns', oneOf<ProgType>(PROG_TYPES))
    .option('--functions <FILES>', FUNCTIONS_HELP, list)
    .option('--btf <FILE>', 'BTF of the kernel that CO-RE relocations are for');
}

/** Adds the files that a command judges and the options of `JudgeOptions`; `usual` is the kernel profile without `--profile`. */
export function withJudged(command: Command, usual: string): Command {
  return withPrograms(
    command
      .argument('FILE...', 'objects, cases, raw insns, folders of them, or - for standard input')
      .option('--profile <PROFILE>', profileHelp(usual), profileChoice),
  );
}

/** Endings of the files that are looked for in folders. */
export const PROGRAM_FILES: readonly string[] = ['.o', '.bpf', '.bin'];

/** Programs to be judged under a rule set. */
export interface Judged extends LoadedFiles {
  readonly rules: NamedRules;
  /** Programs that were asked for and left out. */
  readonly unjudged: LoadedFiles['skipped'];
}

/** Loads the rule set and the programs that a person named. Throws InputError for what cannot be used. */
export async function loadJudged(
  paths: readonly string[],
  options: ProgramOptions & { readonly rules: string },
): Promise<Judged> {
  const [rules] = await loadRuleSets([options.rules]);
  const declared = await givenFunctions(options.functions, rules);
  const loaded = loadPrograms(filesBelow(paths, PROGRAM_FILES), { ...options, declared });
  return { ...loaded, rules: rules!, unjudged: leftOut(loaded, options) };
}
