/**
 * Kernel profiles: the differences between kernels. Two kernels of the same release may differ in build, configuration and backports. So
 * a profile is made by asking the running kernel (`oracle/profile/`), and never by version. Code that is not given a profile uses the
 * built-in one.
 */
import { InputError } from '../isa/errors.js';
import { MAX_FRAMES, MOST_FRAMES } from '../isa/insn.js';
import { PROG_TYPES, type ProgType } from '../object/program.js';
import { HELPERS, KFUNCS } from './tables/rows.js';

/** How long the may_gotos of one frame may go on where they are ended by time: a quarter of a second (bpf_check_timed_may_goto). */
export const MAY_GOTO_MS = 250;

/** How the verifier and the insns of a kernel behave where kernels are known to differ. */
export interface Behaviour {
  /**
   * A kfunc may be given NULL, with a size of 0, for memory that its declaration does not call `__nullable`: where false, every kfunc trusts its
   * pointer arguments (check_kfunc_args of kernel/bpf/verifier.c).
   */
  readonly nullKfuncMemory: boolean;
  /**
   * A kfunc that is marked neither KF_TRUSTED_ARGS nor KF_RCU takes a pointer to a kernel struct that is less than trusted, unless it is
   * untrusted: where false, every kfunc wants trusted ones.
   */
  readonly lesserKfuncPointers: boolean;
  /** bpf_rcu_read_lock may be called while an RCU section is open. */
  readonly nestedRcu: boolean;
  /** Frames that calls may be deep (MAX_CALL_FRAMES), `MOST_FRAMES` at the most. */
  readonly frames: number;
  /** The kernel knows may_goto. */
  readonly mayGoto: boolean;
  /** A may_goto loop is ended after a time (BPF_MAX_TIMED_LOOPS, 250 ms), not after 2^23 rounds. */
  readonly timedMayGoto: boolean;
  /** It knows unwind_goto and unwind_exit: a subprogram may be left so that its caller goes on in a landing pad (Linux 7.4). */
  readonly landingPads: boolean;
  /** It knows load_acquire and store_release. */
  readonly orderedAccess: boolean;
  /** It knows the insns of the fourth version of the standard: signed loads, moves and divisions, bswap, far jumps. */
  readonly signedInsns: boolean;
  /** The kernel has a JIT. Without it there are no callbacks, and no tail calls in programs with functions. */
  readonly compiled: boolean;
  /** Large frames of tracing programs do not lie on the kernel's stack (bpf_enable_priv_stack). */
  readonly privateStack: boolean;
}

/** How one kernel differs from the built-in tables. The built-in profile itself differs in nothing. */
export interface KernelProfile {
  /** As uname tells it, or `built-in`. */
  readonly release: string;
  /** SHA-256 of the release and the kernel's BTF, in hex; `built-in`. */
  readonly digest: string;
  /** Program types whose programs may name a function, where they are not those of the built-in tables. By name. */
  readonly types: Readonly<Record<string, readonly ProgType[]>>;
  /** Declarations in C that are not those of the built-in tables. By name. */
  readonly prototypes: Readonly<Record<string, string>>;
  /** Whether a function may sleep (KF_SLEEPABLE, might_sleep), where the built-in tables have it otherwise. By name. */
  readonly sleeps: Readonly<Record<string, boolean>>;
  readonly behaviour: Behaviour;
}

/** The common part of all known 6.18 kernels: each of them accepts what is accepted under this profile. */
export const BUILT_IN: KernelProfile = {
  release: 'built-in',
  digest: 'built-in',
  types: {},
  prototypes: {},
  sleeps: {},
  behaviour: {
    nullKfuncMemory: false,
    lesserKfuncPointers: false,
    nestedRcu: false,
    frames: MAX_FRAMES,
    mayGoto: true,
    timedMayGoto: true,
    landingPads: false,
    orderedAccess: true,
    signedInsns: true,
    compiled: true,
    privateStack: true,
  },
};

/** What any known kernel accepts of the functions of the built-in tables, this one accepts. */
export const LAXEST: KernelProfile = {
  ...BUILT_IN,
  release: 'laxest',
  digest: 'laxest',
  behaviour: {
    ...BUILT_IN.behaviour,
    nullKfuncMemory: true,
    lesserKfuncPointers: true,
    nestedRcu: true,
    frames: MOST_FRAMES,
    landingPads: true,
  },
};

/** `6.18.44 (2e366f6dd3d1)`, or `built-in`. */
export function profileName({ release, digest }: KernelProfile): string {
  return release === digest ? release : `${release} (${digest.slice(0, 12)})`;
}

const ROWS = new Map([...HELPERS, ...KFUNCS].map((row) => [row.name, row]));

/** Program types whose programs may name the function under a profile; none for a function that there is not. */
export function typesUnder(profile: KernelProfile, name: string): readonly ProgType[] {
  return ownOf(profile.types, name) ?? ROWS.get(name)?.types ?? [];
}

/** The declaration in C that the built-in tables have of a kfunc; undefined for helpers, whose numbers and types do not change. */
export function builtInPrototype(name: string): string | undefined {
  const row = ROWS.get(name);
  return row === undefined || 'id' in row ? undefined : `${row.ret} ${name}(${row.params.join(', ')})`;
}

/** Whether the built-in tables say that a function may sleep. */
export function builtInSleeps(name: string): boolean {
  const row = ROWS.get(name);
  if (row === undefined) return false;
  return 'id' in row ? row.marks.includes('sleeps') : row.flags.includes('KF_SLEEPABLE');
}

/** Whether a function may sleep under a profile. */
export function sleepsUnder(profile: KernelProfile, name: string): boolean {
  return ownOf(profile.sleeps, name) ?? builtInSleeps(name);
}

/** How the kernel of the profile declares a function, where that is not how its contract knows it. */
export function declaredOtherwise(profile: KernelProfile, name: string): string | undefined {
  return ownOf(profile.prototypes, name);
}

/** A text may use any name, also those of JavaScript's own object properties, so names are looked up as own properties only. */
const ownOf = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

/** One way in which a kernel differs from the built-in profile. */
export interface ProfileDifference {
  /** `types of bpf_sk_lookup_tcp`, `prototype of bpf_dynptr_slice`, `sleeping of bpf_task_from_vpid`, `behaviour nestedRcu`. */
  readonly what: string;
  readonly builtIn: string;
  readonly running: string;
}

/** How a profile differs from the built-in one, in order of name. */
export function differencesOf(profile: KernelProfile): readonly ProfileDifference[] {
  const byName = <T>(record: Readonly<Record<string, T>>): readonly [string, T][] =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const list = (types: readonly ProgType[]): string => (types.length === 0 ? 'none' : types.join(' '));
  return [
    ...byName(profile.types).map(([name, types]) => ({
      what: `types of ${name}`,
      builtIn: list(ROWS.get(name)?.types ?? []),
      running: list(types),
    })),
    ...byName(profile.prototypes).map(([name, declared]) => ({
      what: `prototype of ${name}`,
      builtIn: builtInPrototype(name) ?? 'none',
      running: declared,
    })),
    ...byName(profile.sleeps).map(([name, sleeps]) => ({
      what: `sleeping of ${name}`,
      builtIn: `${builtInSleeps(name)}`,
      running: `${sleeps}`,
    })),
    ...byName({ ...profile.behaviour }).flatMap(([name, running]) => {
      const builtIn = BUILT_IN.behaviour[name as keyof Behaviour];
      return running === builtIn
        ? []
        : [{ what: `behaviour ${name}`, builtIn: `${builtIn}`, running: `${running}` }];
    }),
  ];
}

/** Reads a profile from JSON as `swansong kernel --json` prints it. Throws InputError, with the file, where it is something else. */
export function parseProfile(text: string, file: string): KernelProfile {
  const bad = (expected: string): never => {
    throw new InputError(`expected a kernel profile, ${expected}`, { file });
  };
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return bad('as JSON');
  }
  const document = isRecord(read) && isRecord(read.profile) ? read.profile : read;
  if (!isRecord(document)) return bad('an object');
  const { release, digest, types, prototypes, sleeps, behaviour } = document;
  if (typeof release !== 'string' || typeof digest !== 'string') return bad('with release and digest');
  if (!isRecord(types) || !Object.values(types).every(isTypes)) return bad('with types by function');
  if (!isRecord(prototypes) || !Object.values(prototypes).every((one) => typeof one === 'string'))
    return bad('with prototypes by function');
  if (!isRecord(sleeps) || !Object.values(sleeps).every((one) => typeof one === 'boolean'))
    return bad('with what sleeps by function');
  if (!isRecord(behaviour)) return bad('with its behaviour');
  for (const [name, value] of Object.entries(BUILT_IN.behaviour))
    if (typeof behaviour[name] !== typeof value) return bad(`whose behaviour ${name} is a ${typeof value}`);
  const { frames } = behaviour;
  if (!Number.isInteger(frames) || (frames as number) < 1 || (frames as number) > MOST_FRAMES)
    return bad(`whose behaviour frames is from 1 to ${MOST_FRAMES}`);
  return document as unknown as KernelProfile;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTypes = (value: unknown): boolean =>
  Array.isArray(value) && value.every((type) => PROG_TYPES.includes(type as ProgType));
