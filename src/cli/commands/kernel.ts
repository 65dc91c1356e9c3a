/** `kernel`: the profile of the running kernel beside the built-in one. */
import { differencesOf } from '../../kernel/profile.js';
import { table } from '../../report/table.js';
import { type Define, withCommon } from '../command.js';
import { KERNEL_HELP, loadProfile } from '../kernel-profile.js';

interface Options {
  readonly profile: string;
}

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
        const rows = differences.map(({ what, builtIn, running }) => [what, builtIn, running]);
        return {
          exit: 0,
          text: rows.length === 0 ? head : head + table(['what', 'built-in', 'here'], rows),
          json: { release, digest, differences, profile },
        };
      }),
    );
};
