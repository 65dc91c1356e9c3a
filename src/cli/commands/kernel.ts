/** `kernel`: the profile of the running kernel beside the built-in one. */

import { differencesOf, type ProfileDifference } from '../../kernel/profile.js';
import type { KernelDocument } from '../../report/documents.js';
import { table } from '../../report/text/table.js';
import { type Define, withCommon } from '../command.js';
import { KERNEL_HELP, loadProfile } from '../input/kernel-profile.js';

interface Options {
  readonly profile: string;
}

/**
 * Adds `kernel` to the command line. It prints how the profile of the running kernel, or of one that is given, differs from the
 * built-in one.
 */
export const kernel: Define = (program, act) => {
  withCommon(program.command('kernel'))
    .description('what the running kernel has that others of its kind have not, and the other way round')
    .option('--profile <PROFILE>', KERNEL_HELP, 'running')
    .action((options: Options) =>
      act(options, () => {
        const profile = loadProfile(options.profile);
        const differences = differencesOf(profile);
        const { release, digest } = profile;
        const head = `${release}, ${digest.slice(0, 12)}: ${differences.length} differences from the built-in profile\n`;
        return {
          exit: 0,
          text: differences.length === 0 ? head : head + differencesInWords(differences),
          json: { release, digest, differences, profile } satisfies KernelDocument,
        };
      }),
    );
};

/** Types of programs that are named one by one. */
const FEW = 3;

/**
 * The differences as a table. What differs most often is that a function is not there: those come last, by their names alone. Of types of programs
 * only those are named that there are more of or less of.
 */
function differencesInWords(differences: readonly ProfileDifference[]): string {
  const isMissing = ({ what, running }: ProfileDifference): boolean =>
    what.startsWith(TYPES) && running === 'none';
  const rows = differences.filter((one) => !isMissing(one)).map(row);
  const missing = differences.filter(isMissing).map(({ what }) => what.slice(TYPES.length));
  const listed = rows.length === 0 ? '' : table(['what', 'built-in', 'here'], rows);
  return missing.length === 0 ? listed : `${listed}not here (${missing.length}): ${missing.join(' ')}\n`;
}

const TYPES = 'types of ';

function row({ what, builtIn, running }: ProfileDifference): readonly string[] {
  if (!what.startsWith(TYPES)) return [what, builtIn, running];
  const [there, here] = [builtIn, running].map((list) => (list === 'none' ? [] : list.split(' '))) as [
    string[],
    string[],
  ];
  const more = here.filter((type) => !there.includes(type));
  const less = there.filter((type) => !here.includes(type));
  const listed = (word: string, types: readonly string[]): string[] => {
    if (types.length === 0) return [];
    const names = types.slice(0, FEW).join(' ');
    return [`${word} ${names}${types.length > FEW ? ` and ${types.length - FEW} more` : ''}`];
  };
  return [what, `${there.length} types`, [...listed('not', less), ...listed('also', more)].join(', ')];
}
