/** `completion bash | zsh | fish`: a script for a shell, made of the commands and options that there are. */

import { type Define, withCommon } from '../command.js';
import { completionFor, SHELLS, type Shell } from '../completion.js';
import { oneOf } from '../input/options.js';

/** Adds `completion` to the command line. All other commands must have been added to the same program. */
export const completion: Define = (program, act) => {
  withCommon(program.command('completion'))
    .description('print a script that completes command lines in a shell')
    .argument('<SHELL>', SHELLS.join(', '), oneOf<Shell>(SHELLS))
    .action((shell: Shell, options) =>
      act(options, () => {
        const script = completionFor(shell, program);
        return { exit: 0, json: { shell, script }, text: script };
      }),
    );
};
