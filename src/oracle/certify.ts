/**
 * Certificates: Linux's own verifier, unmodified, judges the two-mode program of a program and a rule set (`patch/two-mode`). If Linux
 * accepts it, Linux has found no patched path, from any termination point, that makes a bad access or exits with something held.
 *
 * The two-mode program can be written in several forms. All of them allow every real run. Some also allow runs that cannot happen, or
 * cost Linux more to walk. So one accepted form is enough, and a refusal counts only if no form is accepted. docs/certificates.md has the
 * details.
 */
import { isOutput } from '../kernel/describe.js';
import type { KernelProfile } from '../kernel/profile.js';
import type { Program } from '../object/program.js';
import { MISSING_KFUNC, MOST_WEAK, withoutWeakKfuncs } from '../object/weak.js';
import type { CallSite } from '../patch/fast-path.js';
import { callSites } from '../patch/fast-path.js';
import type { RuleSet } from '../patch/rule.js';
import type { Origin } from '../patch/two-mode/lines.js';
import type { LeftOut, TwoModeOptions } from '../patch/two-mode/plan.js';
import { type TwoMode, twoMode } from '../patch/two-mode/two-mode.js';
import type { Accepted, Refused } from '../verifier/result.js';
import type { Profile } from '../verifier/state/profile.js';
import { hasPads } from '../verifier/text/pads.js';
import { verify } from '../verifier/verify.js';
import { type LogLine, lastLines } from './last-lines.js';
import { type LoadOptions, type LoadResult, loadProgram } from './load.js';
import { insnsWalked } from './log.js';
import { profileHere } from './profile/running.js';

/** How a two-mode program is written; see `TwoModeOptions`. */
export type Form = Pick<TwoModeOptions, 'points' | 'by' | 'hidesUnwritten'>;

/** What Linux said of a two-mode program, and what that does not cover. */
export interface Certificate {
  /**
   * `refused`: Linux finds fault with a patched path. `inexpressible`: Linux was not asked, or its answer says nothing of the patched
   * paths: no certificate, and no fault either.
   */
  readonly verdict: 'certified' | 'refused' | 'inexpressible';
  /** Why not; '' for a certified program. */
  readonly message: string;
  /** The slot of the program at which Linux refused, if it tells, and what ran there. */
  readonly at?: Origin;
  /** The end of Linux's log, where it refused something. */
  readonly log?: readonly LogLine[];
  /** The explanation of our verifier, if it is the one that refuses the program. */
  readonly refusal?: Refused;
  /** Calls that are kept though the rule set has a stub for them: the certificate says nothing of those stubs. */
  readonly sitesLeftOut: readonly LeftOut[];
  /** Calls that are stubbed in the two-mode program. */
  readonly sitesStubbed: number;
  /** Slots of the two-mode program, 0 if there is none. */
  readonly insns: number;
  /** Insns that Linux walked (`processed N insns`); 0 where it was not asked to tell. */
  readonly walked: number;
  /** The form that was judged last. */
  readonly form?: Form;
  /** Faults that a stub may have caused and that Linux did not check for. */
  readonly notLookedFor: readonly NotLookedFor[];
  /** Weak kfuncs of the program that are absent where the verdict is the worst; undefined: none. */
  readonly absent?: readonly string[];
}

/**
 * `unwritten memory`: a stub leaves output memory on the stack unwritten. Linux lets a loader with CAP_PERFMON read it, and does not
 * accept this program from a loader without.
 */
export type NotLookedFor = 'unwritten memory';

/** For which loader and kernel the program is judged, and in which forms Linux is asked. */
export interface CertifyOptions {
  readonly profile?: Profile;
  /** What the kernel is; the running one's profile unless told. */
  readonly kernel?: KernelProfile;
  /** An accepted verification of the same program in the same profile, if there is one. */
  readonly verified?: Accepted;
  /** Forms to try, in order, until one is accepted; `FORMS` unless told. */
  readonly forms?: readonly Form[];
  /** Explain why our verifier refuses the program, if it does. */
  readonly explain?: boolean;
  /** Ask Linux how many insns it walked; costs a second load of what is accepted. */
  readonly stats?: boolean;
  /** Lends maps, as in `LoadOptions`. */
  readonly lend?: LoadOptions['lend'];
  /** See `TwoModeOptions`. */
  readonly killsInCallbacks?: false;
}

/**
 * The form with a kill before every insn comes first, because it assumes nothing. It needs stack and takes long to walk. The other form
 * needs neither, but its comparison of r10 needs CAP_PERFMON.
 */
export const FORMS: Readonly<Record<Profile, readonly Form[]>> = {
  privileged: [
    { points: 'every', by: 'may_goto' },
    { points: 'needed', by: 'compare' },
  ],
  strict: [
    { points: 'every', by: 'may_goto' },
    { points: 'needed', by: 'may_goto' },
  ],
};

/**
 * Slots of a program above which no kill is written before each insn. Linux puts insns of its own in place of each `may_goto` and moves all
 * that stands behind: 40,000 took it seven minutes.
 */
const MOST_KILLED_EVERYWHERE = 16_000;

function formsFor({ insns }: Program, { forms, profile = 'privileged' }: CertifyOptions): readonly Form[] {
  const all = forms ?? FORMS[profile];
  const short = all.filter(({ points }) => points !== 'every' || insns.length <= MOST_KILLED_EVERYWHERE);
  return short.length > 0 ? short : all;
}

/**
 * Has Linux judge `program` under `rules`: as kernels load it that have all its weak kfuncs, and as those do that lack some. Throws InputError
 * where bpf(2) cannot be called, and for rules whose own code fails.
 */
export function certify(program: Program, rules: RuleSet, options: CertifyOptions = {}): Certificate {
  const present = certifyAsLoaded(program, rules, options);
  if (program.weakKfuncs === undefined || present.verdict === 'refused') return present;
  const others = withoutWeakKfuncs(program);
  if (others === undefined)
    return { ...present, verdict: 'inexpressible', message: `it has more than ${MOST_WEAK} weak kfuncs` };
  const { verified: _, ...rest } = options;
  let worst = present;
  for (const { absent, program: without } of others) {
    const one = certifyAsLoaded(without, rules, rest);
    if (ORDER.indexOf(one.verdict) <= ORDER.indexOf(worst.verdict) || isNotLoaded(one)) continue;
    worst = { ...one, message: `without ${absent.join(', ')}: ${one.message}`, absent };
  }
  return worst;
}

const ORDER: readonly Certificate['verdict'][] = ['certified', 'inexpressible', 'refused'];

/** No kernel that lacks the kfuncs takes the program, for it calls one of them without having asked. */
const isNotLoaded = ({ message }: Certificate): boolean => message.includes(`#${MISSING_KFUNC}`);

/** Has Linux judge a program whose weak kfuncs are all there. */
function certifyAsLoaded(program: Program, rules: RuleSet, options: CertifyOptions): Certificate {
  const profile = options.profile ?? 'privileged';
  const verified =
    options.verified ??
    verify(program, {
      profile,
      kernel: options.kernel ?? profileHere(),
      explain: options.explain === true,
    });
  if (!verified.ok)
    return { ...nothing(`our verifier does not accept it: ${verified.message}`), refusal: verified };
  if (hasPads(verified.code))
    return nothing('a two-mode program has no words for landing pads, which leave a function early');
  const sites = callSites(program, verified.facts, rules);
  let refused: Certificate | undefined;
  let inexpressible: Certificate | undefined;
  for (const form of formsFor(program, options)) {
    const judged = judge(program, verified, sites, form, { ...options, profile });
    if (judged.verdict === 'certified') return withUnwritten(program, sites, judged, verified, options);
    if (judged.verdict === 'refused') refused = judged;
    else inexpressible ??= judged;
  }
  const plain = refused === undefined ? undefined : load(program, { ...options, profile }, 0);
  if (plain?.ok === false) {
    const log = lastLines(plain.log, program, verified.code, asItIs(program));
    return { ...nothing(`Linux refuses the program itself: ${plain.message}`), log };
  }
  if (plain?.ok === true) plain.close();
  return refused ?? inexpressible ?? nothing('no form was tried');
}

/** For the program itself every insn is its own origin. */
const asItIs = ({ insns }: Program): Origin[] => insns.map((_, slot) => ({ mode: 'normal', slot }));

function nothing(message: string): Certificate {
  return {
    verdict: 'inexpressible',
    message,
    sitesLeftOut: [],
    sitesStubbed: 0,
    insns: 0,
    walked: 0,
    notLookedFor: [],
  };
}

/**
 * A program whose stubs leave memory unwritten is judged once more: as if its loader could not read such memory, where Linux takes the
 * program from that loader; or else with such memory made unreadable, as far as that goes.
 */
function withUnwritten(
  program: Program,
  sites: readonly CallSite[],
  certified: Certificate,
  verified: Accepted,
  options: CertifyOptions,
): Certificate {
  if (verified.profile === 'strict' || !sites.some(leavesUnwritten)) return certified;
  const strict = { ...options, profile: 'strict' } as const;
  const plain = load(program, strict, 0);
  if (plain.ok) {
    plain.close();
    const again = judge(program, verified, sites, { points: 'needed', by: 'may_goto' }, strict);
    if (again.verdict === 'refused' && UNWRITTEN.test(again.message)) {
      return { ...again, message: `${again.message} (a loader without CAP_PERFMON)` };
    }
    if (again.verdict === 'certified') return certified;
  }
  const hidden = { points: 'needed', by: 'compare', hidesUnwritten: true } as const;
  const again = judge(program, verified, sites, hidden, { ...options, profile: 'privileged' });
  if (again.verdict === 'refused' && UNWRITTEN.test(again.message)) {
    return { ...again, message: `${again.message} (what a stub leaves unwritten made unreadable)` };
  }
  return { ...certified, notLookedFor: ['unwritten memory'] };
}

/** Linux's complaints of a read of stack that was never written, by the program and by a helper. */
const UNWRITTEN = /invalid (indirect )?read from stack/;

/** Whether a stub does not write memory that the call would have written. */
function leavesUnwritten({ contract, action }: CallSite): boolean {
  if (action.kind !== 'stub') return false;
  const { writes } = action.stub;
  return contract.args.some((arg, i) => isOutput(arg) && !writes.includes(i));
}

/** The two-mode program in one form. Stubs that turn out to depend on how the program was killed are left out. */
function judge(
  program: Program,
  verified: Accepted,
  sites: readonly CallSite[],
  form: Form,
  options: CertifyOptions & { readonly profile: Profile },
): Certificate {
  const keep = new Set<number>();
  const { killsInCallbacks } = options;
  for (;;) {
    const made = twoMode(program, verified, sites, {
      ...form,
      keep,
      ...(killsInCallbacks === undefined ? {} : { killsInCallbacks }),
    });
    const common = {
      sitesLeftOut: made.leftOut,
      sitesStubbed: made.stubbed,
      insns: made.program.insns.length,
      form,
      notLookedFor: [],
    };
    if (made.stubbed === 0 && made.leftOut.length > 0) {
      const names = [...new Set(made.leftOut.map((site) => site.function))].join(', ');
      const message = `no stub can be expressed: ${names}`;
      return { verdict: 'inexpressible', message, walked: 0, ...common };
    }
    const result = loadTwoMode(made.program, options);
    const walked = insnsWalked(result.log) ?? 0;
    if (result.ok) {
      result.close();
      return { verdict: 'certified', message: '', walked, ...common };
    }
    const at = result.insn === undefined ? undefined : made.origins[result.insn];
    if (at?.mode === 'guard') {
      keep.add(guarded(made, result));
      continue;
    }
    const verdict = saysNothing(result) ? 'inexpressible' : 'refused';
    const where = at === undefined || at.slot < 0 || verdict === 'inexpressible' ? '' : `${place(at)}: `;
    const message = `${where}${result.message}`;
    const log = lastLines(result.log, program, verified.code, made.origins);
    return { verdict, message, walked, log, ...common, ...(at === undefined ? {} : { at }) };
  }
}

/** A program that is too large is not loaded again with a log: a log of a million insns takes seconds and tells nothing new. */
function loadTwoMode(program: Program, options: CertifyOptions & { readonly profile: Profile }): LoadResult {
  const brief = load(program, options, options.stats === true ? 4 : 0, false);
  if (brief.ok || brief.stage !== 'program') return brief;
  if (brief.errno === 'E2BIG') return { ...brief, message: 'too large for Linux to walk (E2BIG)' };
  return load(program, options, 0, true);
}

function load(
  program: Program,
  options: CertifyOptions & { readonly profile: Profile },
  logLevel: 0 | 4,
  explain = true,
): LoadResult {
  return loadProgram(program, {
    logLevel,
    explain,
    strictCaps: options.profile === 'strict',
    ...(options.lend === undefined ? {} : { lend: options.lend }),
  });
}

const WORDS: Readonly<Record<Origin['mode'], string>> = {
  normal: 'before the kill, insn',
  switch: 'at the kill before insn',
  patched: 'after the kill, insn',
  stub: 'after the kill, the stub at insn',
  guard: 'after the kill, insn',
};

function place({ mode, slot }: Origin): string {
  return `${WORDS[mode]} ${slot}`;
}

/** The stub whose guard was reached: the last one on the way there. */
function guarded({ origins }: TwoMode, { log }: { readonly log: string }): number {
  const walked = [...log.matchAll(/^(\d+): \([0-9a-f]{2}\)/gm)].map((match) => Number(match[1]));
  const last = walked.map((insn) => origins[insn]).findLast((origin) => origin?.mode === 'stub');
  if (last === undefined) throw new Error('a guard was reached without a stub');
  return last.slot;
}

/** Complaints about the size or the shape of the two-mode program, which say nothing of what it does. */
const TOO_MUCH = new RegExp(
  [
    'BPF program is too large',
    'The sequence of \\d+ jumps is too complex',
    'combined stack size of',
    'stack depth .* exceeds',
    'stack size of .* Too large',
    'the call stack of \\d+ frames is too deep',
    'too many subprograms',
    'tail_calls are not allowed when call stack',
    // Without CAP_PERFMON Linux masks pointer arithmetic for each insn, and refuses an insn that is reached with two different masks.
    'prohibited for !root',
    // A function whose address is taken, but that is called nowhere, is cut away before its address is filled in.
    'verifier bug: No program to jit',
    'E2BIG',
    'ENOMEM',
  ].join('|'),
);

function saysNothing({ stage, message, errno }: Extract<LoadResult, { ok: false }>): boolean {
  return stage !== 'program' || errno === 'E2BIG' || errno === 'ENOMEM' || TOO_MUCH.test(message);
}
