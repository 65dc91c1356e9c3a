/**
 * A killed run can be written as a plain program (support/vm/killed-text.ts): the text until the kill, then the text with insns in place of
 * the stubs. The VM must do the same when it is killed as when it runs that text, and Linux must do with the text what the VM does.
 */
import { describe, expect, test } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { emptyCounts, tallyFor } from '../../../src/campaign/agreement/counts.js';
import { KernelRunner } from '../../../src/campaign/agreement/values/kernel-runner.js';
import { compareValues, RUNNABLE } from '../../../src/campaign/agreement/values.js';
import type { Program } from '../../../src/object/program.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import type { FastPath, RuleSet } from '../../../src/patch/rule.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import sound from '../../../src/patch/sets/sound.js';
import type { Accepted } from '../../../src/verifier/result.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { type RunResult, Vm } from '../../../src/vm/vm.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';
import { update } from '../../support/texts.js';
import { killedText, NoWords, withFlag } from '../../support/vm/killed-text.js';
import { SAMPLES } from '../../support/vm/sample-cases.js';

const RULES: readonly RuleSet[] = [
  sound,
  ...['naive', 'rfc-v1', 'rfc-v3'].map((name) => shippedRuleSet(name)!),
];
const LIMIT = 600;

/** A kill, and the plain program of the run that it comes to. */
interface Killed {
  readonly about: string;
  readonly program: Program;
  readonly path: FastPath;
  /** Insns before the kill. */
  readonly steps: number;
  readonly text: Program;
  readonly options: ConstructorParameters<typeof Vm>[1];
}

/** Kills of a program before the insns that its run comes to, one in `every`, each where the run first comes there. */
function* killsOf(
  name: string,
  program: Program,
  { code, facts }: Accepted,
  rules: RuleSet,
  seed: number,
  every: number,
): Generator<Killed> {
  const path = fastPath(program, facts, rules);
  const options = {
    // The flag's value is there from the start, so that memory is numbered alike in both runs.
    env: { choices: new Map<string, string>(), maps: new Map([['killed', new Map([['00000000', '00']])]]) },
    chooser: seededChooser(seed),
    maxSteps: LIMIT,
    bound: LIMIT,
    // Plain insns cannot make stack unreadable.
    readsUnwritten: true as const,
  };
  const first = new Map<number, number>();
  const run = new Vm(withFlag(program), options);
  for (; run.running && run.machine.steps < LIMIT; run.step())
    if (!first.has(run.machine.pc)) first.set(run.machine.pc, run.machine.steps);
  let count = seed;
  for (const [slot, steps] of first) {
    if (count++ % every !== 0) continue;
    const dead = Array.from({ length: 10 }, (_, reg) => reg).find(
      (reg) => (code.live[slot]! & (1 << reg)) === 0,
    );
    if (dead === undefined) continue;
    try {
      const text = killedText(program, path, slot, dead);
      yield { about: `${name}, ${rules.name}, killed at ${slot}`, program, path, steps, text, options };
    } catch (error) {
      if (!(error instanceof NoWords)) throw error;
    }
  }
}

/** What both runs must have in common. Slots differ, and two checks are about the kill itself. */
function outcome(vm: Vm, { end, r0, violations }: RunResult): unknown {
  const { memory, ledger, choices, records, packet } = vm.machine;
  const regions = Array.from({ length: memory.count }, (_, number) => memory.get(number));
  return {
    end,
    r0,
    broken: violations.flatMap(({ check, function: by, message }) =>
      check === 'acquire' || check === 'bound' || (check === 'return' && by !== undefined)
        ? []
        : [`${check} ${by ?? ''}: ${message.replace(/ at \d+/g, '')}`],
    ),
    held: ledger.holds.map(({ kind, region, offset, by }) => ({ kind, region, offset, by })),
    // All that outlives the run.
    memory: regions.map((region) =>
      region === undefined || ['stack', 'func'].includes(region.kind) || region.name.endsWith(' killed')
        ? undefined
        : [
            region.kind,
            region.alive,
            region.owners,
            Buffer.from(region.bytes.subarray(0, 4096)).toString('hex'),
          ],
    ),
    packet,
    records: records.map(({ sent, ...one }) => ({ ...one, sent: sent && Buffer.from(sent).toString('hex') })),
    choices: [...choices.all],
  };
}

function killed({ program, path, steps, options }: Killed): unknown {
  const vm = new Vm(withFlag(program), { ...options, fastPath: path, stopsAtFirst: true });
  vm.advance(steps);
  vm.kill();
  return outcome(vm, vm.run());
}

function plain({ text, options }: Killed): unknown {
  const vm = new Vm(text, options);
  return outcome(vm, vm.run());
}

/** Kills inside functions, nested callbacks and loops; stubs that fill memory; what is given back after the kill. */
const TELLING: Readonly<Record<string, string>> = {
  'a callback inside a callback': `
.type xdp
.map m array key=4 value=8 entries=1
    r6 = 0
    *(u64 *)(r10 -8) = 0
    r1 = 3
    r2 = func outer
    r3 = r10
    r3 += -8
    r4 = 0
    call bpf_loop
    r6 = *(u64 *)(r10 -8)
    r6 *= 1000
    r6 += r0
    r0 = r6
    r0 &= 1
    exit
outer:
    r6 = r2
    r1 = *(u64 *)(r6 +0)
    r1 += 1
    *(u64 *)(r6 +0) = r1
    r1 = 2
    r2 = func inner
    r3 = r6
    r4 = 0
    call bpf_loop
    r1 = *(u64 *)(r6 +0)
    r1 += r0
    *(u64 *)(r6 +0) = r1
    r0 = 0
    exit
inner:
    r6 = r2
    r7 = r1
    call bpf_get_prandom_u32
    r1 = *(u64 *)(r6 +0)
    r1 += 100
    *(u64 *)(r6 +0) = r1
    r0 = 0
    exit`,
  'a function of a function': `
.type syscall
.map m array key=4 value=8 entries=4
    r1 = 3
    call one
    r6 = r0
    r1 = 1
    call one
    r0 += r6
    exit
one:
    r7 = r1
    call two
    r0 += r7
    exit
two:
    r6 = r1
    *(u32 *)(r10 -4) = r6
    *(u64 *)(r10 -16) = 11
${update('m')}
    r7 = r0
    r1 = map m
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    if r0 == 0 goto none
    r1 = *(u64 *)(r0 +0)
    r7 += r1
none:
    r0 = r7
    r0 += 5
    exit`,
  'memory that stubs fill': `
.type tc
    r6 = r1
    *(u64 *)(r10 -16) = -1
    *(u64 *)(r10 -8) = -1
    r2 = 4
    r3 = r10
    r3 += -16
    r4 = 12
    call bpf_skb_load_bytes
    r7 = r0
    r0 = *(u64 *)(r10 -16)
    r1 = *(u64 *)(r10 -8)
    r0 += r1
    r0 += r7
    exit`,
};

const PROGRAMS: readonly (readonly [string, Program])[] = [
  ...[...SAMPLES].map(([name, { program }]) => [name, program] as const),
  ...Object.entries(TELLING).map(([name, text]) => [name, parseCase(text).program] as const),
  ...Array.from({ length: 28 }, (_, index) => [`program ${index}`, sample(21, index).program] as const),
];

const accepted = PROGRAMS.flatMap(([name, program]) => {
  const verdict = verify(program, { budget: 20_000 });
  return verdict.ok ? [[name, program, verdict] as const] : [];
});

describe('the VM does in a killed run what it does in that run’s text', () => {
  for (const rules of RULES) {
    test(`under ${rules.name}`, () => {
      let count = 0;
      for (const [index, [name, program, verdict]] of accepted.entries()) {
        const every = name.startsWith('program') ? 8 : 1;
        for (const one of killsOf(name, program, verdict, rules, index, every)) {
          expect(killed(one), one.about).toEqual(plain(one));
          count++;
        }
      }
      expect(count).toBeGreaterThan(80);
    });
  }
});

describeKnownKernel('Linux does with the text of a killed run what the VM does', () => {
  test('on samples and generated programs, under the sound rules', () => {
    const kernel = new KernelRunner();
    const found = emptyCounts();
    const tally = tallyFor(found);
    try {
      for (const [index, [name, program, verdict]] of accepted.entries()) {
        if (!RUNNABLE.includes(program.type)) continue;
        for (const { about, text } of killsOf(name, program, verdict, sound, index, 9))
          compareValues(kernel, { program: text, about, seed: index, runs: 2 }, tally);
      }
    } finally {
      kernel.close();
    }
    expect(found.differences).toEqual({});
    expect(found.counts['test runs']).toBeGreaterThan(80);
  });
});
