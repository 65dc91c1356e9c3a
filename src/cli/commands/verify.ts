/** `verify FILE...`: our verifier's verdict, and beside it the kernel's; for many programs, where the two differ and why. */

import type { VerifyDocument } from '../../report/documents.js';
import { verifyExit, worst } from '../../report/exit.js';
import { gapRows, gapTotals } from '../../report/programs/gap.js';
import {
  gapEntries,
  gapInWords,
  lostVerdict,
  skippedLines,
  unreadableLines,
  type VerdictRow,
  VerdictTable,
} from '../../report/programs/verdicts.js';
import { type Define, withFormats } from '../command.js';
import { brokenExit, withJudged } from '../input/judging.js';
import { HOT_HELP, type WithLimits, withLimits } from '../input/limits.js';
import { interruptedInWords, judgeAll } from '../judge/drive.js';
import type { VerifyingOptions } from '../judge/verifier.js';
import type { Common, Outcome } from '../output/outcome.js';

interface Options extends VerifyingOptions, WithLimits {}

/**
 * Adds `verify` to the command line. With --kernel it also loads each program into the running kernel and compares the two verdicts.
 */
export const verify: Define = (program, act) => {
  const command = withFormats(program.command('verify'))
    .description("verify programs with our verifier, and with the kernel's")
    .option('--kernel', 'ask the kernel as well')
    .option('--explain', 'tell the whole way to each refusal')
    .option('--hot', HOT_HELP);
  withJudged(withLimits(command), 'running with --kernel, else built-in').action(
    (files: string[], options: Options) => act(options, (common) => verifyFiles(files, options, common)),
  );
};

async function verifyFiles(paths: readonly string[], options: Options, common: Common): Promise<Outcome> {
  const table = new VerdictTable(options.kernel === true, options.explain === true);
  const done = await judgeAll<VerdictRow>(
    { command: 'verify', paths, options },
    {
      lost: ({ loss, ...one }) => lostVerdict(one, loss, options),
      // They stand below the table.
      leftOut: async () => {},
      show: ({ row, below }) => common.show(table.add(row) + below),
    },
    common,
  );
  const { rows, broken, interrupted } = done;
  const skipped = done.skipped.map(({ file, name, reason, absent }) => ({
    ...{ file, name, reason },
    ...(absent && { absent }),
  }));
  const gap = options.kernel === true ? gapEntries(rows, skipped, broken) : undefined;
  const exits = rows.map((one) => verifyExit(one.verdict, one.kernel?.verdict));
  return {
    // Where all programs were left out, nothing was judged.
    exit: worst([
      ...exits,
      ...(rows.length === 0 || interrupted !== undefined ? ([3] as const) : []),
      brokenExit(broken),
    ]),
    json: {
      profile: done.profile ?? null,
      programs: rows,
      skipped,
      broken: broken.map(({ file, reason }) => ({ file, reason })),
      ...(gap && { totals: gapTotals(gap), gap: gapRows(gap) }),
      ...(interrupted !== undefined && { interrupted: true }),
    } satisfies VerifyDocument,
    text:
      (table.listsAll ? skippedLines(skipped) + unreadableLines(broken) : '') +
      gapInWords(gap) +
      interruptedInWords(interrupted),
  };
}
