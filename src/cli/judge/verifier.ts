/** Verifies programs with our verifier and, where it is asked for, with the kernel's. */
import { givenFunctions } from '../../campaign/naming/rules.js';
import type { KernelProfile } from '../../kernel/profile.js';
import type { Program } from '../../object/program.js';
import { type Judgement, KernelJudge } from '../../oracle/bulk.js';
import { possibleCpus } from '../../oracle/maps.js';
import { refusalFields } from '../../report/programs/explanations.js';
import { replacedOf } from '../../report/programs/extensions.js';
import { classify } from '../../report/programs/gap.js';
import { hotInWords, hotLines } from '../../report/programs/hot-lines.js';
import type { VerdictRow } from '../../report/programs/verdicts.js';
import { Places } from '../../verifier/explain/place.js';
import type { Verdict } from '../../verifier/result.js';
import type { Profile } from '../../verifier/state/profile.js';
import { prepare } from '../../verifier/text/code.js';
import { INSN_BUDGET, verify as verifyProgram } from '../../verifier/verify.js';
import { since } from '../command.js';
import type { LoadedProgram } from '../input/files.js';
import type { JudgeOptions } from '../input/judging.js';
import { type JudgedProfile, judgedFor, judgedProfile } from '../input/kernel-profile.js';
import { warmUp } from '../measure/warm-up.js';
import type { Judge, Judged, JudgeSetting, Opened } from './judge.js';
import { ProgramFiles } from './program-files.js';

/** What `verify` may be told of the work on each program. */
export interface VerifyingOptions extends JudgeOptions {
  readonly explain?: true;
  readonly kernel?: true;
  readonly hot?: true;
  readonly effort?: number;
}

/** Makes the rows of `verify`. */
export class Verifier implements Judge<VerdictRow> {
  readonly profile: JudgedProfile['json'];

  private constructor(
    private readonly files: ProgramFiles,
    private readonly target: JudgedProfile,
    private readonly judges: Judges | undefined,
    private readonly options: Pick<VerifyingOptions, 'effort' | 'hot'>,
  ) {
    this.profile = target.json;
  }

  /** Throws InputError for files that cannot be used, and where there is no kernel to ask. */
  static async open({ files, options: given }: JudgeSetting): Promise<Verifier> {
    const options = given as VerifyingOptions;
    const declared = await givenFunctions(options.functions);
    const judges = options.kernel ? new Judges() : undefined;
    const target = judgedProfile(options.profile ?? {}, options.kernel ? 'running' : 'built-in');
    return new Verifier(new ProgramFiles(files, { ...options, declared }), target, judges, options);
  }

  open(file: number): Opened {
    return this.files.open(file);
  }

  judge(file: number, program: number): Judged<VerdictRow> {
    const row = this.row(this.files.program(file, program));
    return { row, below: row.hot === undefined ? '' : hotInWords(`${row.file}:${row.name}`, row.hot) };
  }

  close(): void {
    this.judges?.close();
  }

  private row(one: LoadedProgram): VerdictRow {
    const { judges, options } = this;
    const { file, program } = one;
    const { profile, kernel: kernelProfile, madeFor } = judgedFor(this.target, one.case);
    const start = performance.now();
    // Beside Linux, what Linux knows of this machine is known to us as well.
    const ours = judged(
      program,
      profile,
      kernelProfile,
      judges === undefined ? undefined : possibleCpus(),
      options,
    );
    const ms = since(start);
    // No kernel has the functions that are declared.
    const kernel = program.declared === undefined ? judges?.ask(program, profile) : undefined;
    return {
      file,
      name: program.name,
      type: program.type,
      ...(madeFor === undefined ? {} : { madeFor }),
      ...replacedOf(program),
      ...ours,
      insns: program.insns.length,
      ms,
      ...(kernel && { kernel, class: classify({ ours, kernel }).class }),
    };
  }
}

/** Our verdict. One program that trips over a bug of ours does not keep others from being looked at. */
function judged(
  program: Program,
  profile: Profile,
  kernel: KernelProfile,
  cpus: number | undefined,
  { effort, hot }: Pick<VerifyingOptions, 'effort' | 'hot'>,
): Pick<
  VerdictRow,
  'callbacks' | 'hot' | 'verdict' | 'message' | 'lines' | 'slot' | 'explanation' | 'walked' | 'states'
> {
  let verdict: Verdict;
  try {
    verdict = verifyProgram(program, {
      facts: false,
      explain: true,
      tally: hot === true,
      profile,
      kernel,
      ...(cpus !== undefined && { cpus }),
      ...(effort !== undefined && { budget: Math.min(effort, INSN_BUDGET) }),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { verdict: 'error', message: `internal error: ${message}`, walked: 0, states: 0 };
  }
  const { walked, states } = verdict;
  const lines = hotOf(program, verdict);
  if (verdict.ok) {
    const callbacks = callbacksOf(program, verdict.later);
    return { verdict: 'accepted', message: '', walked, states, ...callbacks, ...lines };
  }
  return { verdict: verdict.reason, ...refusalFields(verdict), walked, states, ...lines };
}

/** The callbacks that run later, by their first slots. */
function callbacksOf(
  { subprogs, insns }: Program,
  later: ReadonlySet<number>,
): Pick<VerdictRow, 'callbacks'> {
  const callbacks = subprogs.flatMap(({ name, start }, at) =>
    later.has(start) ? [{ callback: name, insns: (subprogs[at + 1]?.start ?? insns.length) - start }] : [],
  );
  return callbacks.length === 0 ? {} : { callbacks };
}

function hotOf(program: Program, { walkedAt }: Verdict): Pick<VerdictRow, 'hot'> {
  if (walkedAt === undefined) return {};
  const places = new Places(program, prepare(program));
  return { hot: hotLines(places, { verified: walkedAt, patched: new Uint32Array(walkedAt.length) }) };
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
