/**
 * What differs between kernels. Two kernels of one release may differ, by build, configuration and backports, so a profile is asked of the
 * running kernel (`oracle/profile/`) and never looked up by version. Everything here that does not ask for another uses the built-in one.
 */
import { InputError } from '../isa/errors.js';
import { MAX_FRAMES } from '../isa/insn.js';
import { PROG_TYPES, type ProgType } from '../object/program.js';
import { HELPERS, KFUNCS } from './tables/rows.js';

/** How the verifier and the insns of a kernel behave where kernels are known to differ. */
export interface Behaviour {
  /**
   * A kfunc may be given NULL, with a size of 0, for memory that its declaration does not call `__nullable`: where false, every kfunc trusts its
   * pointer arguments (check_kfunc_args of kernel/bpf/verifier.c).
   */
  readonly nullKfuncMemory: boolean;
  /** bpf_rcu_read_lock may be called while an RCU section is open. */
  readonly nestedRcu: boolean;
  /** Frames that calls may be deep (MAX_CALL_FRAMES). */
  readonly frames: number;
  /** A may_goto loop is ended after a time (BPF_MAX_TIMED_LOOPS, 250 ms), not after 2^23 rounds. */
  readonly timedMayGoto: boolean;
}

export interface KernelProfile {
  /** As uname tells it, or `built-in`. */
  readonly release: string;
  /** SHA-256 of the release and the kernel's BTF, in hex; `built-in`. */
  readonly digest: string;
  /** Program types whose programs may name a function, where they are not those of the built-in tables. By name. */
  readonly types: Readonly<Record<string, readonly ProgType[]>>;
  /** Declarations in C that are not those of the built-in tables. By name. */
  readonly prototypes: Readonly<Record<string, string>>;
  readonly behaviour: Behaviour;
}

/** What all known kernels 6.18 have in common: what is accepted under this profile, each of them accepts. */
export const BUILT_IN: KernelProfile = {
  release: 'built-in',
  digest: 'built-in',
  types: {},
  prototypes: {},
  behaviour: { nullKfuncMemory: false, nestedRcu: false, frames: MAX_FRAMES, timedMayGoto: true },
};

const ROWS = new Map([...HELPERS, ...KFUNCS].map((row) => [row.name, row]));

/** Program types whose programs may name the function under a profile; none for a function that there is not. */
export function typesUnder(profile: KernelProfile, name: string): readonly ProgType[] {
  return profile.types[name] ?? ROWS.get(name)?.types ?? [];
}

/** The declaration in C that the built-in tables have of a kfunc; undefined for helpers, whose numbers and types do not change. */
export function builtInPrototype(name: string): string | undefined {
  const row = ROWS.get(name);
  return row === undefined || 'id' in row ? undefined : `${row.ret} ${name}(${row.params.join(', ')})`;
}

/** One way in which a kernel differs from the built-in profile. */
export interface ProfileDifference {
  /** `types of bpf_sk_lookup_tcp`, `prototype of bpf_dynptr_slice`, `behaviour nestedRcu`. */
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
  const { release, digest, types, prototypes, behaviour } = document;
  if (typeof release !== 'string' || typeof digest !== 'string') return bad('with release and digest');
  if (!isRecord(types) || !Object.values(types).every(isTypes)) return bad('with types by function');
  if (!isRecord(prototypes) || !Object.values(prototypes).every((one) => typeof one === 'string'))
    return bad('with prototypes by function');
  if (!isRecord(behaviour)) return bad('with its behaviour');
  for (const [name, value] of Object.entries(BUILT_IN.behaviour))
    if (typeof behaviour[name] !== typeof value) return bad(`whose behaviour ${name} is a ${typeof value}`);
  return document as unknown as KernelProfile;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTypes = (value: unknown): boolean =>
  Array.isArray(value) && value.every((type) => PROG_TYPES.includes(type as ProgType));
