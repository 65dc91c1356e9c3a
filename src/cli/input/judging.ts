/** What commands that take programs have in common: their options, and how the programs to be judged are loaded. */
import type { Command } from 'commander';
import { givenFunctions, loadRuleSets, type NamedRules } from '../../campaign/naming/rules.js';
import type { ExitCode } from '../../report/exit.js';
import type { UnreadableFile } from '../../report/programs/verdicts.js';
import { type BrokenFile, type LoadedFiles, type LoadOptions, leftOut, loadPrograms } from './files.js';
import { type ProfileChoice, profileChoice, profileHelp } from './kernel-profile.js';
import { withLoader } from './loader-options.js';
import { FUNCTIONS_HELP, list, type WithFunctions } from './options.js';
import { foundFiles, PROGRAM_FILES } from './paths.js';

export { PROGRAM_FILES } from './paths.js';

/** What `withPrograms` reads. */
export interface ProgramOptions extends LoadOptions, WithFunctions {}

/** What `withJudged` reads. */
export interface JudgeOptions extends ProgramOptions {
  readonly profile?: ProfileChoice;
}

/** Adds the options of `LoadOptions`: which of the programs in the files, and how they are to be read. */
export function withPrograms(command: Command): Command {
  return withLoader(command)
    .option(
      '--prog <NAME>',
      'only programs of this name; * and ? stand for any characters, several between commas',
    )
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

/** Programs to be judged under a rule set. */
export interface Judged extends LoadedFiles {
  readonly rules: NamedRules;
  /** Programs that were asked for and left out, and files that could not be read (their name is ''). */
  readonly unjudged: LoadedFiles['skipped'];
  readonly broken: readonly BrokenFile[];
}

/** Loads the rule set and the programs that a person named. Throws InputError for what cannot be used. */
export async function loadJudged(
  paths: readonly string[],
  options: ProgramOptions & { readonly rules: string },
): Promise<Judged> {
  const [rules] = await loadRuleSets([options.rules]);
  const declared = await givenFunctions(options.functions, rules);
  const loaded = loadPrograms(foundFiles(paths, PROGRAM_FILES), { ...options, declared });
  return { ...loaded, rules: rules!, unjudged: [...leftOut(loaded, options), ...loaded.broken.map(unread)] };
}

/** A file that could not be read, as a program that was left out. */
export const unread = ({ file, reason }: UnreadableFile): LoadedFiles['skipped'][number] => ({
  file,
  name: '',
  section: '',
  reason,
});

/** The exit code that files which could not be read give: of a file that was named itself it is bad input. */
export function brokenExit(broken: readonly BrokenFile[]): ExitCode {
  if (broken.length === 0) return 0;
  return broken.some(({ named }) => named) ? 2 : 3;
}
