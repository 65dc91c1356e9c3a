/**
 * The document of `--json` of every command, by the command's name. `docs/schema` is made of these types (`npm run schemas`), and every
 * document that a property sees is held against it. Members are added, never renamed.
 */
import type { AgreementState } from '../campaign/agreement/run.js';
import type { ProgramReport } from '../campaign/check/check.js';
import type { ShownByCase, UnclearCase } from '../campaign/check/prune.js';
import type { ReplayedCase } from '../campaign/check/replay.js';
import type { Worked } from '../campaign/queue/work.js';
import type { Strength } from '../campaign/strength.js';
import type { LeftOutProgram } from '../design/job.js';
import type { KernelProfile, ProfileDifference } from '../kernel/profile.js';
import type { ExportedProgram } from '../live/export.js';
import type { PollingCost } from '../live/run/polling-cost.js';
import type { Session } from '../live/run/session.js';
import type { WatchTotals } from '../live/watch/watcher.js';
import type { Skipped } from '../object/load.js';
import type { ProgType } from '../object/program.js';
import type { Warning } from '../patch/lint.js';
import type { Skeleton } from '../patch/skeleton.js';
import type { Point } from '../policy/simulate/sweep.js';
import type { KeptCall } from '../smt/kept-calls.js';
import type { Compared } from '../smt/rule/decided-since.js';
import type { SolverStats } from '../smt/solver.js';
import type { Profile } from '../verifier/state/profile.js';
import type { Check, Violation } from '../vm/state/trap.js';
import type { RunResult } from '../vm/vm.js';
import type { Agreement } from './campaign/comparison.js';
import type { KilledRun, Step } from './campaign/run.js';
import type { Summary } from './campaign/summary.js';
import type { Changes } from './compare/change.js';
import type { ComparedWithBaseline } from './compare/judged.js';
import type { CostInDocument, EstimateRow } from './design/costs.js';
import type { DesignRow } from './design/design.js';
import type { PolicyRow } from './design/policies.js';
import type { Trouble } from './document.js';
import type { PageCase, PageData } from './page/shape.js';
import type { CertificateRow } from './programs/certificates.js';
import type { GapClass, GapRow } from './programs/gap.js';
import type { ProofSummary } from './programs/proofs.js';
import type { LeftOut, UnreadableFile, VerdictRow } from './programs/verdicts.js';
import type { CheckedFunction, ListedFunction } from './rules/contracts.js';
import type { Checked, RuleAction, RuleCounts } from './rules/rules.js';

/** For whom programs were judged. */
export interface ProfileOfDocument {
  /** `running`, `built-in` or a file. */
  readonly kernel: string;
  readonly release: string;
  readonly digest: string;
  /** Null: what each case says itself, `privileged` for everything else. */
  readonly loader: Profile | null;
}

/** A program that was not read, and why. */
export type SkippedProgram = Skipped & { readonly file: string };

/** A document that `--baseline` may have been given to. */
interface Judging {
  /** How it stands beside an earlier run, where one was given. */
  readonly baseline?: ComparedWithBaseline;
}

/** Program proofs: a row for each program, with its bound, and with a witness where it is refuted. */
export interface ProveDocument extends Judging {
  readonly rules: string;
  /** Null: the interrupt came before that was known. */
  readonly profile: ProfileOfDocument | null;
  readonly programs: readonly ProofSummary[];
  readonly skipped: readonly SkippedProgram[];
  /** A person asked to stop before all programs were proven. The others are unknown rows. */
  readonly interrupted?: true;
}

/** What Linux's verifier says of each program in two modes. */
export interface CertifyDocument extends Judging {
  readonly rules: string;
  /** Release of the kernel that judged. */
  readonly kernel: string;
  readonly profile: ProfileOfDocument;
  readonly programs: readonly CertificateRow[];
  /** Programs that were asked for and of which nothing is known. */
  readonly skipped: readonly SkippedProgram[];
}

/** An object whose programs can be killed on a stock kernel: a row for each program. */
export interface ExportDocument {
  readonly rules: string;
  readonly file: string;
  /** What was written; null: nothing, because a program cannot be exported. */
  readonly output: string | null;
  /** Release of the kernel that loaded it; null: none was asked. */
  readonly kernel: string | null;
  /** The section of words, which loaders make a map of, and the variable in it that holds a word for each program. */
  readonly map: string;
  readonly variable: string;
  /** The most insns between polls that were asked for. */
  readonly distance: number;
  /** Words for CPUs, and the rounds between two looks at the clock, where the export has them. */
  readonly perCpu: boolean;
  readonly deadline: number | null;
  /** Runs note when they begin and that they have ended. */
  readonly running: boolean;
  readonly programs: readonly ExportedProgram[];
}

/** Killed test runs of one program in the kernel. Times in nanoseconds. */
export interface RunKernelDocument extends Session {
  readonly file: string;
  readonly program: string;
  /** Release of the kernel. */
  readonly kernel: string;
  readonly seed: number;
  /** What polling costs, or null where it could not be measured; `pollingReason` says why. */
  readonly polling: PollingCost | null;
  readonly pollingReason: string;
  /** What `prove` promises of killed runs of the original, and how far it may run before it polls. Null where there is no original. */
  readonly promised: PromisedRun | null;
}

/** What watched programs did. */
export interface WatchDocument {
  readonly limits: string;
  /** How long they were watched. */
  readonly seconds: number;
  readonly programs: readonly WatchTotals[];
}

/** What is promised of a killed run. */
export interface PromisedRun {
  readonly verdict: string;
  readonly boundKind: string;
  /** Insns from the kill to the exit; null: no number of insns bounds it. */
  readonly bound: number | null;
  /** Insns to the next poll; -1: not known. */
  readonly longest: number;
  /** Calls that are kept and may take long, with how. */
  readonly kept: readonly KeptCall[];
}

/** Verdicts of our verifier, and with --kernel those of Linux beside them. */
export interface VerifyDocument extends Judging {
  /** Null: the interrupt came before that was known. */
  readonly profile: ProfileOfDocument | null;
  readonly programs: readonly VerdictRow[];
  readonly skipped: readonly LeftOut[];
  readonly broken: readonly UnreadableFile[];
  /** With --kernel: programs by how the two verifiers differ. */
  readonly totals?: Readonly<Partial<Record<GapClass, number>>>;
  readonly gap?: readonly GapRow[];
  /** A person asked to stop before all programs were judged. The others have the verdict `stopped`. */
  readonly interrupted?: true;
}

/** Two documents of one command: what changed between them. */
export interface CompareDocument extends Changes {
  /** The two files, and the command that wrote them. */
  readonly a: string;
  readonly b: string;
  readonly command: string;
}

/** What each case shows today. */
export interface ReplayDocument extends Judging {
  readonly profile: ProfileOfDocument;
  readonly cases: readonly ReplayedCase[];
}

/** Rule proofs: a row for each function and each rule that decides for it. */
export interface RulesCheckDocument extends Judging {
  readonly rules: string;
  readonly functions: readonly Checked[];
  readonly summary: RuleCounts;
  /** With --changed-since: rules whose text changed, and those below a change. */
  readonly changed?: readonly string[];
  readonly below?: readonly string[];
  readonly compared?: Compared & { readonly revision: string };
  readonly warnings: readonly Warning[];
  readonly solver: SolverStats;
}

/** A campaign: counts, findings, disagreements, coverage. */
export interface FuzzDocument extends Judging, Summary {
  readonly profile: ProfileOfDocument;
}

/** What `fuzz --program N --json` prints: all that each witness says of the program, and a case for each cause that breaks a check. */
export interface ProgramDocument extends Omit<ProgramReport, 'index' | 'suspects'>, Judging {
  readonly profile?: ProfileOfDocument;
  readonly seed: number;
  readonly rules: readonly string[];
  readonly program: number;
  /** The program as a text that other commands take. */
  readonly text: string;
  /** What breaks under the rules, one for each cause, each with its case as it was met. */
  readonly findings: readonly {
    readonly check: string;
    readonly rules: string;
    readonly rule: string;
    readonly function: string;
    readonly message: string;
    readonly case: string;
  }[];
}

/** The shipped rule sets and the names of their rules, in order. */
export interface RulesListDocument {
  readonly sets: readonly { readonly name: string; readonly rules: readonly string[] }[];
}

/** What a rule set does to each function, as far as that does not depend on the call site. */
export interface RulesShowDocument {
  readonly rules: string;
  readonly functions: readonly RuleAction[];
}

/** A rule file that was begun, and what is still to be said in it. */
export interface RulesNewDocument extends Skeleton {
  readonly file?: string;
}

/** How much of what could be refused each rule set refuses. */
export interface RulesStrengthDocument {
  readonly programs: number;
  /** Programs that our verifier refuses; they are not counted. */
  readonly refused: number;
  readonly strengths: readonly Strength[];
}

/** What is wrong with a rule set. */
export interface RulesReportDocument {
  readonly rules: string;
  /** What is refuted, each with what would be right. */
  readonly functions: readonly (Checked & { readonly right: string })[];
  readonly summary: RuleCounts;
}

/** Each helper and kfunc: modelled or not. */
export interface ContractsListDocument {
  readonly functions: readonly ListedFunction[];
  readonly summary: { readonly functions: number; readonly modelled: number };
}

/** What one function takes, and what may come of a call. */
export interface ContractsShowDocument {
  readonly name: string;
  readonly kind: 'helper' | 'kfunc';
  /** Number of a helper. */
  readonly id?: number;
  readonly flags: readonly string[];
  /** Types of programs that may call it. */
  readonly types: readonly ProgType[];
  readonly sleeps: boolean;
  readonly needsRcu: boolean;
  readonly gpl: boolean;
  readonly args: readonly string[];
  readonly outcomes: readonly { readonly name: string; readonly does: string }[];
  /** Outcomes that a stub may imitate. */
  readonly stubs: readonly string[];
  /** Its declaration in C. */
  readonly prototype?: string;
  /** How it is in other types of programs. */
  readonly variants: readonly { readonly types: readonly ProgType[]; readonly args: readonly string[] }[];
}

/** What the running kernel says of each contract. */
export interface ContractsCheckDocument {
  readonly functions: readonly CheckedFunction[];
  readonly summary: {
    readonly functions: number;
    readonly modelled: number;
    readonly confirmed: number;
    readonly contradicted: number;
    readonly unreachable: number;
  };
  /** Release of the kernel that was asked; null: bpf(2) is refused. */
  readonly kernel: string | null;
}

/** How swansong and Linux differ on generated programs, by comparison. */
export interface AgreeDocument {
  readonly profile: ProfileOfDocument;
  readonly comparisons: readonly (Agreement & Pick<AgreementState, 'version'>)[];
}

/** One run in the VM, and its killed copies. */
export interface RunDocument {
  readonly file: string;
  readonly name: string;
  readonly profile: ProfileOfDocument;
  /** The kernel that the program's case says, by name, where that counts. */
  readonly madeFor?: string;
  readonly rules: string;
  /** How it is killed, where that is not by the fast path under `rules`. */
  readonly strategy?: string;
  readonly end: RunResult['end'];
  readonly r0: bigint;
  readonly steps: number;
  readonly held: readonly string[];
  readonly checks: readonly Violation[];
  readonly killed: readonly KilledRun[];
  /** Step before which the run of `trace` is killed; null: it is not. */
  readonly traced?: number | null;
  readonly trace?: readonly Step[];
}

/** Ways to stop programs, side by side: the same programs, worlds and points for all of them. */
export interface DesignDocument {
  readonly profile: ProfileOfDocument;
  readonly seed: number;
  /** Programs that were killed, and how many of them were generated. */
  readonly programs: number;
  readonly generated: number;
  readonly worlds: number;
  /** Runs that were killed: one for each program and world. */
  readonly runs: number;
  readonly points: number;
  /** Points at which something is held. */
  readonly holdingPoints: number;
  readonly strategies: readonly DesignRow[];
  /** Programs that our verifier refuses, or that cannot be run here. */
  readonly leftOut: readonly LeftOutProgram[];
  readonly skipped: readonly SkippedProgram[];
  /** Runs without a kill that break a check, and failures whose case does not replay: bugs of swansong. */
  readonly disagreements: readonly LeftOutProgram[];
  readonly interrupted: boolean;
  readonly ms: number;
}

/** What a program of the conformance runner left in r0. */
export interface ConformanceDocument {
  readonly r0: bigint;
}

/** A case that was made smaller: insns before and after, and what it shows. */
export interface ShrinkDocument {
  readonly from: number;
  readonly to: number;
  /** Nothing can be left out any more. */
  readonly minimal: boolean;
  readonly file: string;
  /** The function to blame, where the smaller case has another cause. */
  readonly became?: string;
  readonly check: Check;
  readonly function: string;
  readonly profile: ProfileOfDocument;
  readonly madeFor?: string;
}

/** The cases of a folder that were still shrinking. */
export interface ShrunkFolderDocument {
  readonly cases: readonly {
    readonly file: string;
    readonly from: number;
    readonly to: number;
    readonly minimal: boolean;
    readonly became?: string;
  }[];
}

/** A kernel beside the built-in profile; `profile` is what --profile reads back. */
export interface KernelDocument {
  readonly release: string;
  readonly digest: string;
  readonly differences: readonly ProfileDifference[];
  readonly profile: KernelProfile;
}

/** The page that was written, and all that it shows: the page carries this document. */
export interface ReportDocument extends PageData {
  /** Where it was written; in the page itself only its name. */
  readonly file: string;
  /** Findings: of a campaign one for each rule and check; else cases that break a check. */
  readonly findings: number;
  /** Programs of the campaign; without one, those that were proven. */
  readonly programs: number;
}

/** Cases with their runs, as the page has them. */
export interface ShowDocument {
  readonly cases: readonly PageCase[];
}

/** One assembled file. */
export interface Assembled {
  readonly file: string;
  readonly insns: number;
  /** As hex. */
  readonly bytes: string;
  readonly maps: readonly string[];
  readonly kfuncs: readonly string[];
  readonly output?: string;
}

/** Of one file its own members, too. */
export interface AsmDocument extends Partial<Assembled> {
  readonly programs: readonly Assembled[];
}

/** Programs as text that can be assembled again. */
export interface DisasmDocument {
  readonly programs: readonly {
    readonly file: string;
    readonly name: string;
    readonly type: ProgType;
    readonly insns: number;
    readonly text: string;
  }[];
  readonly skipped: readonly SkippedProgram[];
}

/** Which cases of a folder stay, and which show the same as one that stays. */
export interface PruneDocument {
  readonly kept: readonly ShownByCase[];
  /** `sameAs`: the case that stays in its place. */
  readonly dropped: readonly (ShownByCase & { readonly sameAs: string })[];
  /** Cases that stay because they do not replay, so that nobody knows what they show. */
  readonly unclear: readonly UnclearCase[];
  /** Whether files were removed: not with --dry-run. */
  readonly removed: boolean;
}

/** A script that a shell reads to complete command lines. */
export interface CompletionDocument {
  readonly shell: string;
  readonly script: string;
}

/** Campaigns that were joined. `missing`: programs that none of them did, from the first of each pair up to before the second. */
export interface MergeDocument extends Summary {
  readonly missing: readonly (readonly [number, number])[];
}

/** What a worker computed. */
export interface WorkerDocument extends Worked {
  readonly ms: number;
}

/** The time of insns and functions on the running kernel. */
export interface CostsMeasureDocument {
  /** Release of the kernel that ran them. */
  readonly kernel: string;
  readonly costs: readonly CostInDocument[];
  /** Rounds that took many times as long as the others of their function: they were interrupted, and left out. Nanoseconds. */
  readonly outliers: readonly { readonly name: string; readonly ns: number }[];
  /** What the kernel did not run, and why. */
  readonly left: readonly { readonly name: string; readonly reason: string }[];
  readonly ms: number;
  /** The file that was written. */
  readonly file?: string;
}

/** The rows of the shipped table of costs, or of the one that was named. */
export interface CostsShowDocument {
  readonly costs: readonly CostInDocument[];
}

/** How long programs may run. */
export interface CostsEstimateDocument {
  readonly profile: ProfileOfDocument;
  readonly contended: boolean;
  readonly programs: readonly EstimateRow[];
  readonly skipped: readonly SkippedProgram[];
}

/** Programs under the limits of a policy. */
export interface PolicyCheckDocument {
  readonly policy: string;
  readonly rules: string;
  readonly profile: ProfileOfDocument;
  readonly contended: boolean;
  readonly programs: readonly PolicyRow[];
  readonly skipped: readonly SkippedProgram[];
}

/** Hooks under load. Times are nanoseconds. */
export interface PolicySimulateDocument {
  readonly policy: string;
  readonly rules: string;
  readonly seed: number;
  readonly duration: number;
  /** A point for each combination of the values that are swept. */
  readonly series: readonly Point[];
  /** The files that were written. */
  readonly files: readonly string[];
}

/** The document of each command. */
export interface Documents {
  readonly fuzz: FuzzDocument | ProgramDocument;
  readonly worker: WorkerDocument;
  readonly merge: MergeDocument;
  readonly prove: ProveDocument;
  readonly certify: CertifyDocument;
  readonly export: ExportDocument;
  readonly 'run-kernel': RunKernelDocument;
  readonly watch: WatchDocument;
  readonly verify: VerifyDocument;
  readonly compare: CompareDocument;
  readonly replay: ReplayDocument;
  readonly 'rules list': RulesListDocument;
  readonly 'rules show': RulesShowDocument;
  readonly 'rules check': RulesCheckDocument;
  readonly 'rules new': RulesNewDocument;
  readonly 'rules strength': RulesStrengthDocument;
  readonly 'rules report': RulesReportDocument;
  readonly 'contracts list': ContractsListDocument;
  readonly 'contracts show': ContractsShowDocument;
  readonly 'contracts check': ContractsCheckDocument;
  readonly agree: AgreeDocument;
  readonly run: RunDocument | ConformanceDocument;
  readonly design: DesignDocument;
  readonly shrink: ShrinkDocument | ShrunkFolderDocument;
  readonly kernel: KernelDocument;
  readonly report: ReportDocument;
  readonly show: ShowDocument;
  readonly asm: AsmDocument;
  readonly disasm: DisasmDocument;
  readonly prune: PruneDocument;
  readonly 'costs measure': CostsMeasureDocument;
  readonly 'costs show': CostsShowDocument;
  readonly 'costs estimate': CostsEstimateDocument;
  readonly 'policy check': PolicyCheckDocument;
  readonly 'policy simulate': PolicySimulateDocument;
  readonly completion: CompletionDocument;
  /** Of any command, where there is no answer. */
  readonly error: Trouble;
}
