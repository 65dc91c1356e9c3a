/** The pieces of work of a campaign. The result of each depends only on its description, so any thread may do any of them. */
import type { ProgramConstraints } from '../../../generators/program.js';
import type { KernelProfile } from '../../kernel/profile.js';
import type { DeclaredFunction, Program } from '../../object/program.js';
import { KernelJudge } from '../../oracle/bulk.js';
import type { RuleBundle } from '../../patch/bundle.js';
import { type Invariants, loadInvariants } from '../../patch/invariants.js';
import type { Profile } from '../../verifier/state/profile.js';
import { parseCase } from '../../vm/case/case.js';
import { checkProgram, type ProgramReport } from '../check/check.js';
import { type ReplayedCase, replayFiles } from '../check/replay.js';
import type { Cause } from '../kill/cause.js';
import { loadRuleSets, type NamedRules } from '../naming/rules.js';
import { type SmallCase, shrinkCase } from '../shrink/shrink.js';
import { type JobRunner, openPool } from './pool.js';

/** Settings that all jobs of a campaign share. */
export interface CampaignSetting {
  readonly seed: number;
  /** Names or files of rule sets. */
  readonly rules: readonly string[];
  readonly worlds: number;
  readonly prove: boolean;
  readonly kernel: boolean;
  /** Who loads the programs; `privileged` unless told. */
  readonly loader?: Profile;
  /** The kernel that they are for; the built-in profile unless told. */
  readonly kernelProfile?: KernelProfile;
  /** Functions that no kernel has yet, those of rule files among them. */
  readonly declared?: readonly DeclaredFunction[];
  /** The function that programs are aimed at. */
  readonly aim?: string;
  /** Programs from files, as cases, in place of generated ones. */
  readonly given?: readonly string[];
  /** The file of what must hold of the programs' maps after every run, and the digest of its text. */
  readonly invariants?: { readonly file: string; readonly digest: string };
  /** How cases are killed that are replayed, in place of what each says; see src/strategies. */
  readonly strategy?: string;
  /** Programs are drawn without regard to what those before them reached. */
  readonly unguided?: true;
}

/** What a campaign's programs are drawn from. */
export function constraintsOf({ declared, aim, kernelProfile }: CampaignSetting): ProgramConstraints {
  return {
    ...(declared === undefined ? {} : { declared }),
    ...(aim === undefined ? {} : { aim }),
    ...(kernelProfile?.behaviour.landingPads === true ? { landingPads: true } : {}),
  };
}

/** A piece of work that can be sent to another thread. */
export type Job =
  /** Checks programs `from` (inclusive) to `to` (exclusive). */
  | { readonly kind: 'check'; readonly from: number; readonly to: number }
  /** Shrinks a case found in program `index`. */
  | {
      readonly kind: 'shrink';
      readonly text: string;
      readonly cause: Cause;
      readonly index: number;
      /** -1: not from a world of the campaign, so there is no tree to shrink. */
      readonly world: number;
    }
  /** Replays cases from files. */
  | { readonly kind: 'replay'; readonly files: readonly string[] };

interface Results {
  readonly check: readonly ProgramReport[];
  readonly shrink: SmallCase;
  readonly replay: readonly ReplayedCase[];
}
/** What a piece of work sends back, by its kind. */
export type JobResult<J extends Job = Job> = Results[J['kind']];

/** Threads that do a campaign's jobs. */
export interface Workers {
  /** Jobs that may be under way at once; may grow. */
  readonly width: number;
  /** Jobs go on when the campaign ends, and their results are there at its next start: at the end none is waited for. */
  readonly leaves?: boolean;
  /** Does a job. Rejects when the job throws, or its thread dies. */
  run<J extends Job>(job: J): Promise<JobResult<J>>;
  close(): Promise<void>;
}

/** Opens `workers` (at least 1) of them. Throws as `Worker.open`. */
export async function openWorkers(setting: CampaignSetting, workers: number): Promise<Workers> {
  const entry = new URL('./thread.js', import.meta.url);
  const open = (): Promise<Worker> => Worker.open(setting);
  // The type of the answer follows from the job's kind, see `Worker.do`.
  return (await openPool<Job, JobResult>({ open, entry, data: setting, workers })) as Workers;
}

/** Does jobs, one after the other. Close it at the end. */
export class Worker implements JobRunner<Job, JobResult> {
  private constructor(
    private readonly setting: CampaignSetting,
    private readonly rules: readonly NamedRules[],
    private readonly judge: KernelJudge | undefined,
    private readonly invariants: Invariants | undefined,
  ) {}

  /**
   * Loads the rule sets. `bundles`: rule files that came as text, and are not read from disk. Throws InputError for rules that cannot be loaded, and
   * for a kernel that cannot be asked.
   */
  static async open(setting: CampaignSetting, bundles: readonly RuleBundle[] = []): Promise<Worker> {
    const rules = await loadRuleSets(setting.rules, setting.declared, true, bundles);
    const judge = setting.kernel ? new KernelJudge({ strictCaps: setting.loader === 'strict' }) : undefined;
    const { invariants } = setting;
    const loaded = invariants === undefined ? undefined : await loadInvariants(invariants.file);
    return new Worker(setting, rules, judge, loaded);
  }

  async do<J extends Job>(job: J): Promise<JobResult<J>>;
  async do(job: Job): Promise<JobResult> {
    switch (job.kind) {
      case 'check':
        return this.check(job.from, job.to);
      case 'shrink':
        return this.shrink(job);
      case 'replay':
        return replayFiles(job.files, {
          loader: this.setting.loader,
          kernel: this.setting.kernelProfile,
          functions: this.setting.declared,
          ...(this.setting.strategy === undefined ? {} : { strategy: this.setting.strategy }),
        });
    }
  }

  close(): void {
    this.judge?.close();
  }

  private async check(from: number, to: number): Promise<readonly ProgramReport[]> {
    const { seed, worlds, prove, loader, kernelProfile, unguided, given } = this.setting;
    const guided = unguided !== true;
    const { judge } = this;
    const constraints = constraintsOf(this.setting);
    const reports: ProgramReport[] = [];
    for (let index = from; index < to; index++) {
      const options = {
        seed,
        worlds,
        prove,
        rules: this.rules,
        loader,
        kernel: kernelProfile,
        constraints,
        guided,
        given,
        invariants: this.invariants,
      };
      reports.push(
        await checkProgram(
          index,
          judge ? { ...options, judge: (program: Program) => judge.judge(program) } : options,
        ),
      );
    }
    return reports;
  }

  private shrink({ text, cause, index, world }: Extract<Job, { kind: 'shrink' }>): SmallCase {
    const one = parseCase(text);
    // By what the set calls itself: its file may have been named from another folder when the case was found.
    const named = this.rules.find(({ rules }) => rules.name === cause.rules);
    if (named === undefined) throw new Error(`no rule set '${cause.rules}' in this campaign`);
    const { judge } = this;
    const target = {
      rules: named,
      profile: one.profile,
      kernel: this.setting.kernelProfile,
      cause,
      invariants: this.invariants,
      ...(judge ? { kernelAccepts: kernelAccepts(judge) } : {}),
    };
    const origin =
      world < 0 || this.setting.given !== undefined
        ? undefined
        : {
            seed: this.setting.seed,
            index,
            world,
            constraints: constraintsOf(this.setting),
            guided: this.setting.unguided !== true,
          };
    return shrinkCase(one, target, origin);
  }
}

/** Whether the kernel accepts a program, or cannot judge it: a kernel that lacks a kfunc says nothing about the program. */
export function kernelAccepts(judge: KernelJudge): (program: Program) => boolean {
  return (program) => {
    const { accepted, judged } = judge.judge(program);
    return accepted || !judged;
  };
}
