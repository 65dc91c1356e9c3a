/** Compares ranges of programs, in any thread. */
import { InputError } from '../../isa/errors.js';
import type { KernelProfile } from '../../kernel/profile.js';
import type { Profile } from '../../verifier/state/profile.js';
import type { JobRunner } from '../threads/pool.js';
import type { JudgedFor, OpenComparison } from './comparison.js';
import { COMPARISONS } from './comparisons.js';
import { type Counts, emptyCounts, tallyFor } from './counts.js';

/** What is compared. */
export interface ComparisonSetting {
  /** A name in `COMPARISONS`. */
  readonly comparison: string;
  readonly seed: number;
  /** The loader that programs are judged for; both of them unless told. */
  readonly loader?: Profile;
  /** What the kernel is; the running one's profile unless told. */
  readonly kernelProfile?: KernelProfile;
}

/** Programs `from` (inclusive) to `to` (exclusive). */
export interface ProgramRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Compares the programs of a range one after the other and counts what agrees and what differs. `close` gives back what it holds of
 * the kernel.
 */
export class ComparisonRunner implements JobRunner<ProgramRange, Counts> {
  private constructor(
    private readonly seed: number,
    private readonly open: OpenComparison,
  ) {}

  /** Throws InputError for an unknown comparison, and for a kernel that cannot be asked. */
  static async open({
    comparison,
    seed,
    loader,
    kernelProfile,
  }: ComparisonSetting): Promise<ComparisonRunner> {
    const make = COMPARISONS[comparison];
    if (make === undefined)
      throw new InputError(`no comparison '${comparison}': there is ${Object.keys(COMPARISONS).join(', ')}`);
    const judged: JudgedFor = {
      ...(loader === undefined ? {} : { profiles: [loader] }),
      ...(kernelProfile === undefined ? {} : { kernel: kernelProfile }),
    };
    return new ComparisonRunner(seed, make(judged));
  }

  async do({ from, to }: ProgramRange): Promise<Counts> {
    const counts = emptyCounts();
    const tally = tallyFor(counts);
    for (let index = from; index < to; index++) await this.open.compare(this.seed, index, tally);
    return counts;
  }

  close(): void {
    this.open.close();
  }
}
