/**
 * Kernel profiles: what is written is read back, what differs is listed and nothing else, what is no profile is refused. And the running
 * kernel's own profile says of functions and behaviour what loads say.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BUILT_IN,
  builtInPrototype,
  declaredOtherwise,
  differencesOf,
  type KernelProfile,
  parseProfile,
  sleepsUnder,
  typesUnder,
} from '../../src/kernel/profile.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';
import { PROG_TYPES } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import { runningProfile } from '../../src/oracle/profile/running.js';
import { parseCase } from '../../src/vm/case/case.js';
import { describeKernel } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

const NAMES = [...HELPERS, ...KFUNCS].map(({ name }) => name);

const profiles: fc.Arbitrary<KernelProfile> = fc.record({
  release: fc.string(),
  digest: fc.string(),
  types: fc.dictionary(fc.constantFrom(...NAMES), fc.subarray([...PROG_TYPES])),
  prototypes: fc.dictionary(fc.constantFrom(...NAMES), fc.string()),
  sleeps: fc.dictionary(fc.constantFrom(...NAMES), fc.boolean()),
  behaviour: fc.record({
    nullKfuncMemory: fc.boolean(),
    lesserKfuncPointers: fc.boolean(),
    nestedRcu: fc.boolean(),
    frames: fc.constantFrom(8, 16),
    mayGoto: fc.boolean(),
    timedMayGoto: fc.boolean(),
    landingPads: fc.boolean(),
    orderedAccess: fc.boolean(),
    signedInsns: fc.boolean(),
    compiled: fc.boolean(),
    privateStack: fc.boolean(),
  }),
});

describe('a profile', () => {
  it('is read back from JSON, also from the document of the command', () => {
    fc.assert(
      fc.property(profiles, fc.boolean(), (profile, wrapped) => {
        const text = JSON.stringify(wrapped ? { release: 'x', profile } : profile);
        expect(JSON.stringify(parseProfile(text, 'f'))).toBe(JSON.stringify(profile));
      }),
      seeded(100),
    );
  });

  it('differs from the built-in one in what it says otherwise, and in nothing else', () => {
    expect(differencesOf(BUILT_IN)).toEqual([]);
    fc.assert(
      fc.property(profiles, (profile) => {
        const { types, prototypes, sleeps, behaviour } = profile;
        const expected = [
          ...Object.keys(types).map((name) => `types of ${name}`),
          ...Object.keys(prototypes).map((name) => `prototype of ${name}`),
          ...Object.keys(sleeps).map((name) => `sleeping of ${name}`),
          ...Object.entries(BUILT_IN.behaviour)
            .filter(([name, value]) => behaviour[name as keyof typeof behaviour] !== value)
            .map(([name]) => `behaviour ${name}`),
        ];
        expect(
          differencesOf(profile)
            .map(({ what }) => what)
            .sort(),
        ).toEqual(expected.sort());
        for (const name of Object.keys(types)) expect(typesUnder(profile, name)).toBe(types[name]);
        for (const name of Object.keys(sleeps)) expect(sleepsUnder(profile, name)).toBe(sleeps[name]);
        for (const name of NAMES) expect(declaredOtherwise(profile, name)).toBe(prototypes[name]);
      }),
      seeded(100),
    );
  });

  it('is refused in one line where it is none', () => {
    const whole = JSON.parse(JSON.stringify(BUILT_IN)) as Record<string, unknown>;
    const broken: readonly unknown[] = [
      [],
      1,
      ...Object.keys(whole).map((key) => ({ ...whole, [key]: undefined })),
      { ...whole, types: { bpf_loop: ['no type'] } },
      { ...whole, prototypes: { bpf_loop: 1 } },
      { ...whole, sleeps: { bpf_loop: 1 } },
      { ...whole, behaviour: { ...BUILT_IN.behaviour, frames: true } },
      ...[0, 7.5, 17].map((frames) => ({ ...whole, behaviour: { ...BUILT_IN.behaviour, frames } })),
    ];
    for (const one of broken)
      expect(() => parseProfile(JSON.stringify(one), 'f.json')).toThrow(/^expected a kernel profile/);
    expect(() => parseProfile('{', 'f.json')).toThrow('expected a kernel profile, as JSON');
  });

  it('knows the types of every function, and declarations of kfuncs alone', () => {
    for (const row of [...HELPERS, ...KFUNCS]) expect(typesUnder(BUILT_IN, row.name)).toEqual(row.types);
    expect(typesUnder(BUILT_IN, 'bpf_none')).toEqual([]);
    // What every object of JavaScript has is the name of no function.
    expect(typesUnder(BUILT_IN, 'constructor')).toEqual([]);
    expect(declaredOtherwise(BUILT_IN, 'toString')).toBeUndefined();
    expect(sleepsUnder(BUILT_IN, 'bpf_copy_from_user')).toBe(true);
    expect(sleepsUnder(BUILT_IN, 'bpf_copy_from_user_str')).toBe(true);
    expect(sleepsUnder(BUILT_IN, 'bpf_loop')).toBe(false);
    expect(builtInPrototype('bpf_map_lookup_elem')).toBeUndefined();
    expect(builtInPrototype('bpf_task_from_pid')).toBe('struct task_struct * bpf_task_from_pid(s32 pid)');
  });
});

describeKernel('the profile of the running kernel', () => {
  const loads = (text: string): boolean => {
    const result = loadProgram(parseCase(text).program, { explain: false });
    if (result.ok) result.close();
    return result.ok;
  };

  it('tells what loads tell', () => {
    const { behaviour } = runningProfile();
    const nested =
      'main:\ncall bpf_rcu_read_lock\ncall bpf_rcu_read_lock\ncall bpf_rcu_read_unlock\ncall bpf_rcu_read_unlock\nr0 = 0\nexit\n';
    expect(loads(`.type tc\n${nested}`)).toBe(behaviour.nestedRcu);
    const functions = Array.from(
      { length: 8 },
      (_, i) => `f${i}:\n${i < 7 ? `call f${i + 1}\n` : ''}r0 = 0\nexit\n`,
    );
    expect(loads(`.type tc\nmain:\ncall f0\nr0 = 0\nexit\n${functions.join('')}`)).toBe(behaviour.frames > 8);
  });

  it('is the same when it is asked again, and is kept under the digest of its BTF', () => {
    const profile = runningProfile();
    expect(profile.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(runningProfile()).toBe(profile);
  });

  it('lists a function that this kernel has not as one that no program may call', () => {
    for (const [name, types] of Object.entries(runningProfile().types))
      expect([name, types]).not.toEqual([name, PROG_TYPES]);
  });
});
