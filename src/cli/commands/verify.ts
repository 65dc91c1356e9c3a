/** `verify FILE...`: our verifier's verdict, and beside it the kernel's; for many programs, where the two differ and why. */

import { givenFunctions } from '../../campaign/rules.js';
import { InputError } from '../../isa/errors.js';
import type { KernelProfile } from '../../kernel/profile.js';
import type { Program } from '../../object/program.js';
import { type Judgement, KernelJudge } from '../../oracle/bulk.js';
import { possibleCpus } from '../../oracle/maps.js';
import type { VerifyDocument } from '../../report/documents.js';
import { verifyExit, worst } from '../../report/exit.js';
import { refusalFields } from '../../report/explanations.js';
import { classify, gapRows, gapTotals } from '../../report/gap.js';
import {
  gapEntries,
  type LeftOut,
  skippedLines,
  type UnreadableFile,
  unreadableLines,
  type VerdictRow,
  verdictsInWords,
} from '../../report/verdicts.js';
import type { Verdict } from '../../verifier/result.js';
import type { Profile } from '../../verifier/state/profile.js';
import { verify as verifyProgram } from '../../verifier/verify.js';
import { type Define, since, withFormats } from '../command.js';
import { type BrokenFile, eachFile, type LoadedProgram, nameFilter } from '../files.js';
import { brokenExit, type JudgeOptions, withJudged } from '../judging.js';
import { type JudgedProfile, judgedFor, judgedProfile } from '../kernel-profile.js';
import type { Common, Outcome } from '../outcome.js';
import { foundFiles, PROGRAM_FILES } from '../paths.js';
import { countBar } from '../progress.js';
import { warmUp } from '../warm-up.js';

interface Options extends JudgeOptions {
  readonly explain?: true;
  readonly kernel?: true;
}

/**
 * Adds `verify` to the command line. With --kernel it also loads each program into the running kernel and compares the two verdicts.
 */
export const verify: Define = (program, act) => {
  const command = withFormats(program.command('verify'))
    .description("verify programs with our verifier, and with the kernel's")
    .option('--kernel', 'ask the kernel as well')
    .option('--explain', 'tell the whole way to each refusal');
  withJudged(command, 'running with --kernel, else built-in').action((files: string[], options: Options) =>
    act(options, async (common) => {
      const declared = await givenFunctions(options.functions);
      return verifyFiles(files, { ...options, declared }, common);
    }),
  );
};

function verifyFiles(paths: readonly string[], options: Options, common: Common): Outcome {
  const files = foundFiles(paths, PROGRAM_FILES);
  const rows: VerdictRow[] = [];
  const skipped: LeftOut[] = [];
  const broken: BrokenFile[] = [];
  const judges = options.kernel ? new Judges() : undefined;
  const judged = judgedProfile(options.profile ?? {}, options.kernel ? 'running' : 'built-in');
  const bar = countBar(common, 'files', files.length);
  try {
    let done = 0;
    for (const loaded of eachFile(files, options, (one) => {
      broken.push(one);
      done++;
    })) {
      bar.show(done, loaded.programs[0]?.file ?? '');
      for (const { name, reason, file, absent } of loaded.skipped)
        skipped.push({ file, name, reason, ...(absent && { absent }) });
      for (const one of loaded.programs) rows.push(row(one, judged, judges));
      done++;
    }
  } finally {
    bar.close();
    judges?.close();
  }
  const wanted = nameFilter(options.prog);
  if (rows.length === 0 && !skipped.some(({ name }) => wanted(name))) throw nothingFound(options, broken);
  const gap = judges === undefined ? undefined : gapEntries(rows, skipped, broken);
  const exits = rows.map((one) => verifyExit(one.verdict, one.kernel?.verdict));
  return {
    // Where all programs were left out, nothing was judged.
    exit: worst([...exits, ...(rows.length === 0 ? ([3] as const) : []), brokenExit(broken)]),
    json: {
      profile: judged.json,
      programs: rows,
      skipped,
      broken: broken.map(({ file, reason }) => ({ file, reason })),
      ...(gap && { totals: gapTotals(gap), gap: gapRows(gap) }),
    } satisfies VerifyDocument,
    text: verdictsInWords(
      rows,
      gap,
      skippedLines(skipped) + unreadableLines(broken),
      options.explain === true,
    ),
  };
}

function nothingFound(options: Options, broken: readonly UnreadableFile[]): InputError {
  const [first] = broken;
  if (first !== undefined) return new InputError(first.reason, { file: first.file });
  return new InputError(`no program is called '${options.prog}'`);
}

function row(one: LoadedProgram, target: JudgedProfile, judges?: Judges): VerdictRow {
  const { file, program } = one;
  const { profile, kernel: kernelProfile, madeFor } = judgedFor(target, one.case);
  const start = performance.now();
  // Beside Linux, what Linux knows of this machine is known to us as well.
  const ours = judged(program, profile, kernelProfile, judges === undefined ? undefined : possibleCpus());
  const ms = since(start);
  // No kernel has the functions that are declared.
  const kernel = program.declared === undefined ? judges?.ask(program, profile) : undefined;
  return {
    file,
    name: program.name,
    type: program.type,
    ...(madeFor === undefined ? {} : { madeFor }),
    ...ours,
    insns: program.insns.length,
    ms,
    ...(kernel && { kernel, class: classify({ ours, kernel }).class }),
  };
}

/** Our verdict. One program that trips over a bug of ours does not keep others from being looked at. */
function judged(
  program: Program,
  profile: Profile,
  kernel: KernelProfile,
  cpus: number | undefined,
): Pick<VerdictRow, 'verdict' | 'message' | 'lines' | 'slot' | 'explanation' | 'walked' | 'states'> {
  let verdict: Verdict;
  try {
    verdict = verifyProgram(program, {
      facts: false,
      explain: true,
      profile,
      kernel,
      ...(cpus !== undefined && { cpus }),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { verdict: 'error', message: `internal error: ${message}`, walked: 0, states: 0 };
  }
  const { walked, states } = verdict;
  if (verdict.ok) return { verdict: 'accepted', message: '', walked, states };
  return { verdict: verdict.reason, ...refusalFields(verdict), walked, states };
}

/** The kernel in both profiles; a judge is only opened when it is asked. */
class Judges {
  private readonly judges = new Map<Profile, KernelJudge>();

  constructor() {
    // Says at once, and before long work, when there is no kernel to ask. What is timed beside each other starts warm.
    warmUp(this.of('privileged'));
  }

  private of(profile: Profile): KernelJudge {
    const judge =
      this.judges.get(profile) ?? new KernelJudge({ strictCaps: profile === 'strict', walked: true });
    this.judges.set(profile, judge);
    return judge;
  }

  ask(program: Program, profile: Profile): NonNullable<VerdictRow['kernel']> {
    const start = performance.now();
    const { accepted, judged, message, walked }: Judgement = this.of(profile).judge(program);
    const verdict = accepted ? 'accepted' : judged ? 'rejected' : 'not judged';
    return { verdict, message: message ?? '', ms: since(start), ...(walked === undefined ? {} : { walked }) };
  }

  close(): void {
    for (const judge of this.judges.values()) judge.close();
  }
}
