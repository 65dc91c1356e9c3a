/**
 * What a symbolic run assumes on its way (branches taken, values relied on, ranges) is true of the values that the run itself had, and its r0 as
 * a term is the r0 of the VM: over generated programs, killed and not, and over every helper that moves a packet's ends.
 */
import { describe, expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import type { Program } from '../../../src/object/program.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import { RULE_SETS } from '../../../src/patch/sets/index.js';
import { Inputs } from '../../../src/smt/symbolic/inputs.js';
import { type RunOptions, runSymbolically } from '../../../src/smt/symbolic/run.js';
import type { Trace } from '../../../src/smt/symbolic/trace.js';
import { evaluate } from '../../../src/smt/term/evaluate.js';
import { Terms } from '../../../src/smt/term/terms.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { prepare } from '../../../src/vm/state/code.js';
import type { Environment } from '../../../src/vm/state/environment.js';
import { Vm } from '../../../src/vm/vm.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 41);

function traced(program: Program, env: Environment, options: Partial<RunOptions> = {}): Trace {
  return runSymbolically(prepare(program), new Inputs(new Terms(), program), env, {
    maxSteps: 3000,
    ...options,
  });
}

/** Events whose assumption does not hold for what the run had. */
function broken(trace: Trace): readonly unknown[] {
  return trace.events.filter(
    (event) => event.kind !== 'choice' && evaluate(event.holds, trace.values) !== 1n,
  );
}

describe('terms of a run have the values of the run', () => {
  it('of generated programs, in several environments, killed and not', () => {
    const seen = { events: 0, killed: 0, terms: 0 };
    const rules = RULE_SETS.find(({ name }) => name === 'sound')!;
    for (let index = 0; index < 150; index++) {
      const { program } = sample(SEED, index, { maxInsns: 80 });
      const verdict = verify(program);
      if (!verdict.ok) continue;
      const patched = { facts: verdict.facts, fastPath: fastPath(program, verdict.facts, rules) };
      for (let k = 0; k < 3; k++) {
        const { env } = runEnvironment(program, SEED, index, k);
        const usual = traced(program, env);
        const at = Math.floor((usual.slots.length * (k + 1)) / 4);
        const killed = traced(program, env, { ...patched, killAt: (step) => step === at });
        for (const trace of [usual, killed]) {
          expect([index, k, broken(trace)]).toEqual([index, k, []]);
          seen.events += trace.events.length;
        }
        seen.killed += killed.slots.length > at ? 1 : 0;
        for (const { r0, slots, values, result } of [usual, killed]) {
          if (r0 === undefined || slots.length >= 3000) continue;
          seen.terms += r0.op === 'const' ? 0 : 1;
          expect([index, k, evaluate(r0, values)]).toEqual([index, k, result.r0]);
        }
      }
    }
    expect(seen.events).toBeGreaterThan(1000);
    expect(seen.killed).toBeGreaterThan(300);
    expect(seen.terms).toBeGreaterThan(2);
  });

  it.each(['bpf_map_pop_elem', 'bpf_map_peek_elem'])('of memory that a stub of %s fills', (name) => {
    for (const set of ['queue', 'stack'].flatMap((type) => RULE_SETS.map((rules) => ({ type, rules })))) {
      // What the stub writes over came from outside; what it leaves alone still does.
      const { program } = parseCase(`.type tc
.license GPL
.map q ${set.type} key=0 value=8 entries=4
 r6 = *(u32 *)(r1 +8)
 *(u64 *)(r10 -8) = r6
 *(u64 *)(r10 -16) = r6
 r1 = map q
 r2 = r10
 r2 += -8
 call ${name}
 r0 = *(u64 *)(r10 -8)
 r2 = *(u64 *)(r10 -16)
 r0 <<= 32
 r0 |= r2
 exit
`);
      const verdict = verify(program);
      if (!verdict.ok) throw new Error(verdict.message);
      const path = fastPath(program, verdict.facts, set.rules);
      const env = { choices: new Map(), ctxFields: new Map([['mark', 5n]]) };
      const trace = traced(program, env, {
        facts: verdict.facts,
        fastPath: path,
        killAt: (step) => step === 2,
      });
      const where = [set.rules.name, path.stubs.size];
      expect([...where, broken(trace)]).toEqual([...where, []]);
      expect([...where, evaluate(trace.r0!, trace.values)]).toEqual([...where, trace.result.r0]);
      expect([...where, trace.r0!.op === 'const']).toEqual([...where, false]);
    }
  });

  const moving: readonly (readonly [name: string, type: 'xdp' | 'tc', call: string])[] = [
    ...[-8, -3, 0, 5, 64].map(
      (delta) => [`tail by ${delta}`, 'xdp', `r2 = ${delta}\n call bpf_xdp_adjust_tail`] as const,
    ),
    ...[-8, -3, 0, 5, 14].map(
      (delta) => [`head by ${delta}`, 'xdp', `r2 = ${delta}\n call bpf_xdp_adjust_head`] as const,
    ),
    ...[10, 64, 100].map(
      (length) => [`tail to ${length}`, 'tc', `r2 = ${length}\n r3 = 0\n call bpf_skb_change_tail`] as const,
    ),
    ...[0, 4, 8].map(
      (room) => [`head room of ${room}`, 'tc', `r2 = ${room}\n r3 = 0\n call bpf_skb_change_head`] as const,
    ),
    ['pulled', 'tc', 'r2 = 40\n call bpf_skb_pull_data'],
  ];

  it.each(moving)('of a packet that was moved: %s', (_, type, call) => {
    const [data, end] = type === 'xdp' ? [0, 4] : [76, 80];
    for (const need of [1, 9, 14, 33, 40, 48, 60, 63, 64, 65, 69, 72, 100]) {
      // The bounds are asked both ways round, and the distance between them is told.
      const { program } = parseCase(`.type ${type}
 r6 = r1
 ${call}
 r2 = *(u32 *)(r6 +${data})
 r3 = *(u32 *)(r6 +${end})
 r4 = r3
 r4 -= r2
 r5 = r2
 r5 += ${need}
 if r5 > r3 goto short
 r0 = *(u8 *)(r2 +${need - 1})
short:
 if r3 > r5 goto longer
 r4 += 1
longer:
 r0 = r4
 exit
`);
      for (const length of [14, 40, 64, 70]) {
        const packet = Uint8Array.from({ length }, (__, i) => i + 1);
        const trace = traced(program, { packet, choices: new Map() });
        expect([need, length, broken(trace)]).toEqual([need, length, []]);
        const vm = new Vm(program, { env: { packet, choices: new Map() } });
        while (vm.running) vm.step();
        expect([need, length, evaluate(trace.r0!, trace.values)]).toEqual([need, length, vm.result().r0]);
      }
    }
  });

  it('of numbers that are counted below zero and above, whatever the bounds', () => {
    for (const start of [-3, -1, 0, 2, 0x7fff_fffe])
      for (const end of [-4, -2, 0, 1, 3, 0x7fff_ffff]) {
        const { program } = parseCase(`.type tc
 r2 = *(u32 *)(r1 +8)
 r3 = *(u32 *)(r1 +48)
 w2 &= 1
 w3 &= 1
 w2 += ${start}
 w3 += ${end}
 r1 = r10
 r1 += -8
 call bpf_iter_num_new
 r6 = 0
next:
 r1 = r10
 r1 += -8
 call bpf_iter_num_next
 if r0 == 0x0 goto done
 r6 += 1
 if r6 < 12 goto next
done:
 r1 = r10
 r1 += -8
 call bpf_iter_num_destroy
 r0 = r6
 exit
`);
        for (const bits of [0, 1, 2, 3]) {
          const ctxFields = new Map([
            ['mark', BigInt(bits & 1)],
            ['cb', BigInt(bits >> 1)],
          ]);
          const trace = traced(program, { ctxFields, choices: new Map() });
          expect([start, end, bits, broken(trace)]).toEqual([start, end, bits, []]);
          const vm = new Vm(program, { env: { ctxFields, choices: new Map() } });
          while (vm.running) vm.step();
          expect(trace.result.r0).toBe(vm.result().r0);
        }
      }
  });
});

describe('an environment that is made of values', () => {
  it('gives a run these values, whatever was in it before', () => {
    const seen = { runs: 0, changed: 0 };
    for (let index = 0; index < 160; index++) {
      const { program } = sample(SEED, index, { maxInsns: 60 });
      const { env } = runEnvironment(program, SEED, index, 1);
      const inputs = new Inputs(new Terms(), program);
      const run = (given: Environment) =>
        runSymbolically(prepare(program), inputs, given, { maxSteps: 2000 });
      const trace = run(env);
      const again = run(inputs.environment(trace.values, trace.result.env));
      expect([index, again.slots]).toEqual([index, trace.slots]);
      expect([index, again.values]).toEqual([index, trace.values]);
      seen.runs++;
      // Bytes of packet, context and maps may be anything: the next run reads what they were set to.
      for (const factor of [0n, 37n, 255n]) {
        const values = new Map(
          [...trace.values].map(([name, value]): [string, bigint] =>
            /^(packet|ctx|map .*)\[/.test(name) ? [name, (value * factor + factor) & 0xffn] : [name, value],
          ),
        );
        const other = run(inputs.environment(values, trace.result.env));
        for (const [name, value] of other.values)
          if (/^(packet|ctx|map .*)\[/.test(name) && values.has(name)) {
            expect([index, name, value]).toEqual([index, name, values.get(name)]);
            seen.changed++;
          }
      }
    }
    expect(seen.runs).toBe(160);
    expect(seen.changed).toBeGreaterThan(500);
  });
});
