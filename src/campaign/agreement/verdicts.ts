/**
 * Verdicts held against Linux: a generated program and its near misses, each judged by our verifier and by the kernel's, in both
 * capability profiles. A near miss that we accept and Linux refuses is a soundness bug; the other way round a loss of precision.
 */
import { BREAKS, type Mutant, mutantsOf } from '../../../generators/mutant.js';
import { sample } from '../../../generators/sample.js';
import type { Program, ProgType } from '../../object/program.js';
import { KernelJudge } from '../../oracle/bulk.js';
import type { Profile } from '../../verifier/result.js';
import { verify } from '../../verifier/verify.js';
import type { OpenComparison, Tally } from './comparison.js';

export interface VerdictsOptions {
  /** Both unless told. */
  readonly profiles?: readonly Profile[];
  /** Places at which each way to break a program is tried, 1 unless told. */
  readonly places?: number;
  /** Ways to break a program, all unless told. */
  readonly breaks?: readonly string[];
  /** Program types to draw from; all unless told. */
  readonly types?: readonly ProgType[];
  /** Insns that we may walk; as many as Linux unless told. */
  readonly budget?: number;
  /** Count which complaints stand for which: `words: Linux says ..., we say ...`. No difference in them is a difference in verdicts. */
  readonly words?: boolean;
}

/** A program to be judged, and what it is. */
interface Judged {
  readonly program: Program;
  /** `generated`, or the way in which it was broken. */
  readonly way: string;
  readonly about: string;
}

/** Numbers and names that vary from program to program taken out of a complaint, so that alike ones are the same. */
export function kindOfComplaint(message: string): string {
  return message
    .replace(/0x[0-9a-f]+/g, 'N')
    .replace(/-?\d+/g, 'N')
    .replace(/\(N; N\)/g, 'T')
    .slice(0, 160);
}

/** Opens the comparison; holds a few maps of the kernel's until it is closed. Throws InputError where bpf(2) is refused. */
export function openVerdicts(options: VerdictsOptions = {}): OpenComparison {
  const judges = (options.profiles ?? (['privileged', 'strict'] as const)).map((profile) => ({
    profile,
    judge: new KernelJudge({ strictCaps: profile === 'strict' }),
  }));
  const constraints = options.types === undefined ? {} : { types: options.types };
  return {
    compare(seed, index, tally) {
      for (const judged of programsOf(seed, index, constraints, options)) {
        for (const { profile, judge } of judges) compareVerdicts(judge, profile, judged, options, tally);
      }
    },
    close() {
      for (const { judge } of judges) judge.close();
    },
  };
}

function* programsOf(
  seed: number,
  index: number,
  constraints: { readonly types?: readonly ProgType[] },
  options: VerdictsOptions,
): Iterable<Judged> {
  const original = sample(seed, index, constraints);
  yield { program: original.program, way: 'generated', about: `seed ${seed} program ${index}` };
  for (const way of options.breaks ?? BREAKS) {
    for (const [place, mutant] of mutantsOf(original, way, options.places ?? 1, seed + index).entries()) {
      yield { program: mutant.program, way, about: aboutMutant(seed, index, mutant, place) };
    }
  }
}

function aboutMutant(seed: number, index: number, { what, slot }: Mutant, place: number): string {
  return `seed ${seed} program ${index}, ${what} at slot ${slot} (place ${place})`;
}

/**
 * check_kfunc_args of Linux 6.18 dereferences NULL where bpf_wq_init gets, besides a work queue, a map without special fields: the
 * load does not return and the kernel is the worse for it. What we accept has the right map there.
 */
function crashesLinux({ kfuncs, maps }: Program): boolean {
  return kfuncs.includes('bpf_wq_init') && maps.some(({ fields }) => fields.length === 0);
}

function compareVerdicts(
  judge: KernelJudge,
  profile: Profile,
  { program, way, about }: Judged,
  options: VerdictsOptions,
  tally: Tally,
): void {
  const ours = verify(program, {
    profile,
    facts: false,
    ...(options.budget === undefined ? {} : { budget: options.budget }),
  });
  if (!ours.ok && crashesLinux(program)) {
    tally.count(`${profile}: not asked, for it may crash Linux`);
    return;
  }
  const kernel = judge.judge(program);
  if (!kernel.judged) {
    tally.count(`${profile}: not judged`);
    return;
  }
  if (/^verifier bug/.test(kernel.message ?? '') || kernel.errno === 'EFAULT') {
    tally.count(`${profile}: Linux calls it a bug of its own`);
    return;
  }
  const verdict = kernel.accepted ? 'accepted' : 'refused';
  tally.count(way === 'generated' ? `${profile}: generated programs` : `${profile}: near misses`);
  tally.count(`${profile}: ${verdict} by Linux`);
  tally.count(`${profile}, ${program.type}: ${verdict} by Linux`);
  tally.count(`${profile}, ${way}: ${verdict} by Linux`);
  const theirWords = kernel.message ?? '';
  if (ours.ok !== kernel.accepted) {
    const kind = ours.ok
      ? `looser: ${kindOfComplaint(theirWords)}`
      : `stricter: ${kindOfComplaint(ours.message)}`;
    tally.count(`${profile}: ${ours.ok ? 'looser' : 'stricter'}`);
    tally.differ(kind, `${profile}, ${program.type}, ${about}`);
    return;
  }
  if (ours.ok) return;
  const [a, b] = [kindOfComplaint(theirWords), kindOfComplaint(ours.message)];
  tally.count(`${profile}: refused ${a === b ? 'in the same words' : 'in other words'}`);
  if (options.words === true && a !== b) tally.count(`words: Linux says ${a}, we say ${b}`);
}
