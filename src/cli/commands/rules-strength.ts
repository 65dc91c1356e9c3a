/** `rules strength`: how much of what could be refused each rule set refuses, over functions and over the call sites of programs. */

import type { Command } from 'commander';
import { loadRuleSets } from '../../campaign/naming/rules.js';
import { strengthOf } from '../../campaign/strength.js';
import { RULE_SETS } from '../../patch/sets/index.js';
import type { RulesStrengthDocument } from '../../report/documents.js';
import { strengthInWords } from '../../report/rules/rules.js';
import { verify } from '../../verifier/verify.js';
import { type Act, withCommon } from '../command.js';
import { loadPrograms } from '../input/files.js';
import { list } from '../input/options.js';
import { filesBelow, PROGRAM_FILES } from '../input/paths.js';
import type { Common, Outcome } from '../output/outcome.js';
import { countBar } from '../output/progress.js';

interface StrengthOptions {
  readonly rules?: readonly string[];
  readonly btf?: string;
}

/** Adds `strength` to the command `rules`. */
export function defineStrength(command: Command, act: Act): void {
  withCommon(command.command('strength'))
    .description('how much of what could be refused rule sets refuse')
    .argument('[FILE...]', 'objects and cases whose call sites are counted, or folders of them')
    .option(
      '--rules <RULES>',
      'rule sets between commas, by name or file; the shipped ones unless told',
      list,
    )
    .option('--btf <FILE>', 'BTF of the kernel that CO-RE relocations are for')
    .action((paths: string[], options: StrengthOptions) =>
      act(options, (common) => measure(paths, options, common)),
    );
}

async function measure(paths: readonly string[], options: StrengthOptions, common: Common): Promise<Outcome> {
  const sets = await loadRuleSets(options.rules ?? RULE_SETS.map(({ name }) => name));
  const btf = options.btf === undefined ? {} : { btf: options.btf };
  const files = filesBelow(paths, PROGRAM_FILES);
  const loaded = files.length === 0 ? [] : loadPrograms(files, btf).programs;
  const programs = loaded.flatMap(({ program }) => {
    const verified = verify(program);
    return verified.ok ? [{ program, verified }] : [];
  });
  const bar = countBar(common, 'rule sets', sets.length);
  const rows = [];
  try {
    for (const { rules } of sets) {
      rows.push(await strengthOf(rules, programs));
      bar.show(rows.length);
    }
  } finally {
    bar.close();
  }
  const counts = { programs: programs.length, refused: loaded.length - programs.length };
  return {
    exit: 0,
    json: { ...counts, strengths: rows } satisfies RulesStrengthDocument,
    text: strengthInWords(rows, counts),
  };
}
