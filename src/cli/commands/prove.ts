/** `prove FILE...`: the program proof of each program under a rule set. */

import type { ProveDocument } from '../../report/documents.js';
import { PROOF_EXIT, worst } from '../../report/exit.js';
import {
  belowProofLine,
  leftOutRow,
  lostRow,
  type ProofRow,
  ProofTable,
  proofSummary,
} from '../../report/programs/proofs.js';
import { MOST_ENTRIES } from '../../vm/state/fill.js';
import { type Define, withFormats } from '../command.js';
import { COSTS_HELP } from '../input/costs-file.js';
import { brokenExit, withJudged } from '../input/judging.js';
import { HOT_HELP, type WithLimits, withLimits } from '../input/limits.js';
import { integer } from '../input/options.js';
import { interruptedInWords, judgeAll } from '../judge/drive.js';
import type { ProveOptions } from '../judge/prover.js';
import type { Common, Outcome } from '../output/outcome.js';

interface Options extends ProveOptions, WithLimits {}

/** Adds `prove` to the command line. It exits with 1 if a program is refuted, and with 3 if one is unknown and none is refuted. */
export const prove: Define = (program, act) => {
  const command = withFormats(program.command('prove'))
    .description('prove that programs can be killed anywhere')
    .option('--rules <RULES>', 'rule set, by name or file', 'sound')
    .option('--rlimit <N>', "bound of one question to Z3, in Z3's units", integer(1))
    .option('--runs <N>', 'runs that the search for a counterexample may make (300)', integer(1))
    .option('--budget <N>', 'insns to walk after a kill at the most (1000000)', integer(1))
    .option(
      '--fill <N>',
      'entries of hash maps and tries where the search wants them full (2)',
      integer(0, MOST_ENTRIES),
    )
    .option('--cost', 'also tell the time to die, in nanoseconds')
    .option('--costs <FILE>', COSTS_HELP)
    .option(
      '--explain',
      'tell each insn with its C line, what becomes of each call and why, and the worst place to be killed at; and the whole way to each refusal',
    )
    .option(
      '--bounds',
      'with --json, also tell of each insn: its bound and its source line, and the worst way',
    )
    .option('--hot', HOT_HELP)
    .option('--out <DIR>', 'write witnesses there, as cases');
  withJudged(withLimits(command), 'built-in').action((files: string[], options: Options) =>
    act(options, (common) => proveFiles(files, options, common)),
  );
};

async function proveFiles(paths: readonly string[], options: Options, common: Common): Promise<Outcome> {
  const table = new ProofTable();
  const unjudged: ProofRow[] = [];
  const show = (row: ProofRow, below: string): Promise<void> =>
    common.show(table.add(row) + belowProofLine(row, options.explain === true) + below);
  const done = await judgeAll<ProofRow>(
    { command: 'prove', paths, options },
    {
      lost: ({ loss, ...one }) => lostRow(one, loss, options),
      leftOut: (one) => {
        const row = leftOutRow(one);
        unjudged.push(row);
        return show(row, '');
      },
      show: ({ row, below }) => show(row, below),
    },
    common,
  );
  const { broken, skipped, interrupted } = done;
  const rows = [...done.rows, ...unjudged];
  return {
    exit: worst([
      ...rows.map(({ verdict }) => PROOF_EXIT[verdict]),
      brokenExit(broken),
      ...(interrupted === undefined ? [] : [3 as const]),
    ]),
    json: {
      rules: options.rules,
      profile: done.profile ?? null,
      programs: options.bounds === true ? rows : rows.map(proofSummary),
      skipped,
      ...(interrupted !== undefined && { interrupted: true }),
    } satisfies ProveDocument,
    text: interruptedInWords(interrupted),
  };
}
