/**
 * A trace is what the run did: what it says of registers, ledger and broken checks is what the VM has at each step, whether the run is killed or
 * not, in cases and in generated programs; and a long run is told shortly without anything being lost.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { programArbitrary } from '../../generators/program.js';
import { pathOf, prepareProgram, runOptions } from '../../src/campaign/kill/prepared-program.js';
import { REGISTERS } from '../../src/isa/insn.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { boundOf, type Case, parseCase } from '../../src/vm/case/case.js';
import type { Code } from '../../src/vm/state/code.js';
import { EMPTY } from '../../src/vm/state/environment.js';
import { type Trace, traceOf } from '../../src/vm/trace.js';
import { valueInWords } from '../../src/vm/value-words.js';
import { Vm, type VmOptions } from '../../src/vm/vm.js';
import { CORPUS } from '../support/cli.js';
import { seeded } from '../support/seed.js';

const NAMES = Array.from({ length: REGISTERS }, (_, reg) => `r${reg}`);

/** Goes through a trace beside a run of its own, and holds every step against it. */
function hold(code: Code, options: VmOptions, trace: Trace, kill: number | undefined): void {
  const vm = new Vm(code, options);
  const { machine } = vm;
  const state = new Map<string, string>(trace.initial);
  const held = new Set<number>();
  let at = 0;
  for (const step of trace.steps) {
    expect(step.step).toBe(at);
    if (machine.steps === kill && vm.running) vm.kill();
    expect({ slot: step.slot, depth: step.depth }).toEqual({ slot: machine.pc, depth: machine.depth });
    expect(step.killed).toBe(machine.killed);
    const broken = machine.violations.length;
    for (let i = 0; i < step.count && vm.running; i++) {
      if (machine.steps === kill && !machine.killed) vm.kill();
      vm.step();
    }
    at = step.step + step.count;
    for (const [place, word] of step.changes) {
      if (word === null) state.delete(place);
      else state.set(place, word);
    }
    const registers = NAMES.flatMap((name, reg) =>
      (machine.readable & (1 << reg)) === 0 ? [] : [[name, valueInWords(machine, machine.regs[reg]!)]],
    );
    expect([step.step, NAMES.flatMap((name) => (state.has(name) ? [[name, state.get(name)]] : []))]).toEqual([
      step.step,
      registers,
    ]);
    for (const id of step.taken) held.add(id);
    for (const id of step.given) held.delete(id);
    expect([...held].sort()).toEqual(machine.ledger.holds.map(({ id }) => id).sort());
    if (step !== trace.steps.at(-1)) expect(step.broken).toEqual(machine.violations.slice(broken));
  }
  const whole = new Vm(code, options);
  if (kill !== undefined && whole.advance(kill)) whole.kill();
  const result = whole.run();
  expect(trace.result.violations).toEqual(result.violations);
  expect(trace.steps.flatMap((step) => step.broken)).toEqual(result.violations);
  expect({ end: trace.result.end, steps: trace.result.steps }).toEqual({
    end: result.end,
    steps: result.steps,
  });
  // Each is told at the step at which it broke; where the run is given up, at the last one.
  for (const step of trace.steps)
    for (const { step: at, check } of step.broken)
      expect([check, check === 'bound' || (at >= step.step && at < step.step + step.count)]).toEqual([
        check,
        true,
      ]);
  const lost = trace.holds.filter(({ to }) => to === undefined).map(({ id }) => id);
  expect(lost.sort()).toEqual(result.held.map(({ id }) => id).sort());
}

function holdCase(one: Case, rules: RuleSet): void {
  const prepared = prepareProgram(one.program, one.profile, one.kernel ? { kernel: one.kernel } : {});
  if (typeof prepared === 'string') throw new Error(prepared);
  const options = { ...runOptions(prepared, pathOf(prepared, rules)), ...boundOf(one), env: one.env };
  for (const kill of [one.kill, undefined])
    hold(prepared.code, options, traceOf(prepared.code, options, kill), kill);
}

describe('a trace is what the run did', () => {
  const files = readdirSync(CORPUS).filter((name) => name.endsWith('.bpf'));
  const cases = files.map((name) => parseCase(readFileSync(join(CORPUS, name), 'utf8'), name));

  it('in every third case of the corpus, killed and not', () => {
    expect(cases.length).toBeGreaterThan(100);
    for (const one of cases.filter((_, i) => i % 3 === 0)) holdCase(one, shippedRuleSet(one.rules!)!);
  });

  it('in generated programs, killed anywhere', () => {
    fc.assert(
      fc.property(programArbitrary(), fc.nat(300), ({ program: generated }, kill) => {
        const one = { program: generated, profile: 'privileged' as const, env: EMPTY, comments: [] };
        const prepared = prepareProgram(generated, 'privileged');
        if (typeof prepared === 'string') return;
        for (const rules of ['rfc-v1', 'sound']) holdCase({ ...one, kill }, shippedRuleSet(rules)!);
      }),
      seeded(12),
    );
  });
});

describe('a long run', () => {
  const loop = (rounds: number, body = ''): Case =>
    parseCase(
      `.type xdp\n.map locked array key=4 value=24 entries=1 spin_lock@0\nmain:\n    r6 = 0\nL:\n    r6 += 1\n    r7 = r6\n    r7 &= 7\n    if r6 < ${rounds} goto L\n${body}    r0 = 0\n    exit\n`,
    );
  const lock =
    '    r1 = mapvalue locked\n    call bpf_spin_lock#93\n    r1 = mapvalue locked\n    call bpf_spin_unlock#94\n';

  it('is told shortly, step by step around the kill and around all that happens', () => {
    const one = loop(3000, lock);
    const prepared = prepareProgram(one.program, 'privileged');
    if (typeof prepared === 'string') throw new Error(prepared);
    const options = { ...runOptions(prepared, pathOf(prepared, shippedRuleSet('rfc-v1')!)), env: EMPTY };
    const kill = 6001;
    const trace = traceOf(prepared.code, options, kill);
    hold(prepared.code, options, trace, kill);
    expect(trace.result.steps).toBeGreaterThan(10_000);
    expect(trace.steps.length).toBeLessThan(500);
    expect(trace.steps.reduce((sum, { count }) => sum + count, 0)).toBe(trace.result.steps);
    const alone = (step: number): boolean => trace.steps.some((one) => one.step === step && one.count === 1);
    for (const step of [0, kill - 1, kill, kill + 1, trace.result.steps - 1])
      expect([step, alone(step)]).toEqual([step, true]);
    const [broken] = trace.result.violations;
    expect(broken).toMatchObject({ check: 'misuse', function: 'bpf_spin_unlock' });
    expect(alone(broken!.step)).toBe(true);
  });

  it('is told step by step around what breaks far from everything else', () => {
    const again = `${lock}    r6 = 0\nM:\n    r6 += 1\n    r7 = r6\n    r7 &= 7\n    if r6 < 3000 goto M\n`;
    const one = loop(3000, again);
    const prepared = prepareProgram(one.program, 'privileged');
    if (typeof prepared === 'string') throw new Error(prepared);
    const options = { ...runOptions(prepared, pathOf(prepared, shippedRuleSet('rfc-v1')!)), env: EMPTY };
    const trace = traceOf(prepared.code, options, 0);
    hold(prepared.code, options, trace, 0);
    const [broken] = trace.result.violations;
    const told = trace.steps.find(({ step }) => step === broken!.step);
    expect(told).toMatchObject({ count: 1, slot: broken!.slot, broken: [broken] });
    expect(trace.steps.length).toBeLessThan(500);
  });

  it('that does not end within its bound breaks it', () => {
    const one = { ...loop(3000), kill: 10, bound: 100 };
    holdCase(one, shippedRuleSet('sound')!);
  });
});
