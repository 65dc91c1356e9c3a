/**
 * The check of runs against the verifier's facts can fail, in every part. Runs of small programs fit one of the states at each insn; with one thing
 * changed in that state they fit no more, whichever thing it is: a number, what a pointer is and where it points, a byte of the stack, what lies in a slot,
 * the open frames, what is held, what is linked. What may be so, is what a second plain reading of the run says.
 */
import { expect, it } from 'vitest';
import { prepareProgram } from '../../src/campaign/kill/prepared-program.js';
import { constant, type Scalar, unknown } from '../../src/verifier/scalar/scalar.js';
import { pointerReg, scalarReg } from '../../src/verifier/state/regs.js';
import {
  BYTE,
  type ByteKind,
  type Frame,
  type Ref,
  type Reg,
  type RegType,
  type Slot,
  type State,
} from '../../src/verifier/state/state.js';
import { parseCase } from '../../src/vm/case/case.js';
import { FactCheck, stateAdmits } from '../../src/vm/facts.js';
import { regionOf } from '../../src/vm/state/address.js';
import { defaultChooser, failingChooser } from '../../src/vm/state/chooser.js';
import type { MachineState } from '../../src/vm/state/machine.js';
import type { RegionKind } from '../../src/vm/state/memory.js';
import { Vm } from '../../src/vm/vm.js';
import { SAMPLES } from '../support/vm/sample-cases.js';
import { STATE_CASES } from '../support/vm/state-cases.js';

/** Spills of every size, zeroes, links, frames with saved registers, a packet that was looked at, pointers with variable offsets. */
const MORE = [
  `.type tc
.map m array key=4 value=64 entries=1
    r6 = r1
    r7 = 5
    r8 = 300
    *(u64 *)(r10 -16) = 0
    *(u64 *)(r10 -24) = r6
    call bpf_get_prandom_u32
    *(u8 *)(r10 -25) = r0
    *(u16 *)(r10 -34) = r0
    *(u32 *)(r10 -44) = r0
    *(u64 *)(r10 -56) = r0
    r9 = r0
    r9 += 4
    r1 = r0
    r2 = r10
    r2 += -16
    call inner
    r1 = *(u32 *)(r10 -44)
    *(u32 *)(r10 -4) = 0
    r1 = map m
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    r7 = r0
    if r0 == 0 goto out
    r8 &= 31
    r7 += r8
    r3 = *(u8 *)(r7 +0)
out:
    r2 = *(u32 *)(r6 +76)
    r3 = *(u32 *)(r6 +80)
    r4 = r2
    r4 += 14
    if r4 > r3 goto end
    r5 = *(u8 *)(r2 +13)
end:
    r0 = 0
    exit
inner:
    r6 = r2
    r7 = r1
    *(u64 *)(r10 -8) = r6
    call bpf_ktime_get_ns
    r1 = *(u64 *)(r6 +0)
    r0 = 0
    exit
`,
].map((text) => parseCase(text).program);

/** What a region may be to the verifier: every kind of pointer that may point there. */
const MAY_BE: Readonly<Record<RegionKind, readonly RegType[]>> = {
  ctx: ['ctx'],
  map: ['map_ptr'],
  map_value: ['map_value', 'mem'],
  map_key: ['map_key'],
  stack: ['stack', 'mem', 'map_key'],
  packet: ['packet', 'packet_meta', 'packet_end', 'mem'],
  sock: ['sock', 'sock_common', 'tcp_sock', 'xdp_sock', 'btf'],
  mem: ['mem', 'flow_keys', 'buffer'],
  record: ['record', 'mem'],
  btf: ['btf', 'sock', 'sock_common', 'tcp_sock', 'xdp_sock'],
  object: ['object', 'btf'],
  func: ['func'],
} as Readonly<Record<RegionKind, readonly RegType[]>>;
const POINTERS = [...new Set(Object.values(MAY_BE).flat())];

const plus = (num: Scalar, by: bigint): Scalar => constant(BigInt.asUintN(64, num.value + by));

/** Changes to what is known of one value, each with a name, after which the value cannot be that. `value`: what it is in the run. */
function* wrongRegs(reg: Reg, value: bigint, machine: MachineState): Iterable<readonly [string, Reg]> {
  if (reg.type === 'uninit') return;
  if (reg.type === 'scalar') {
    yield ['a number', scalarReg(constant(BigInt.asUintN(64, value + 1n)))];
    yield ['the upper half of a number', scalarReg(constant(BigInt.asUintN(64, value + (1n << 32n))))];
    if (value === 0n) yield ['a pointer that is NULL', pointerReg('ctx')];
    return;
  }
  if (value === 0n) {
    yield [
      'a pointer that is NULL',
      { ...reg, nullable: false, id: 0, ...(reg.type === 'btf' ? { trust: 'trusted' } : {}) },
    ];
    return;
  }
  yield ['a pointer for a number', scalarReg(constant(7n))];
  const sure = reg.type !== 'btf' || reg.trust === 'trusted' || reg.trust === 'rcu';
  const kind = machine.memory.get(regionOf(value))?.kind;
  if (!sure || kind === undefined) return;
  for (const type of POINTERS)
    if (!MAY_BE[kind].includes(type)) yield [`a ${kind} for ${type}`, pointerReg(type, { trust: 'trusted' })];
  if (reg.type === 'mem' || reg.type === 'func') return;
  if (reg.type === 'packet_end') {
    yield ['the end of the packet', pointerReg('packet', { num: constant(0n) })];
    return;
  }
  yield [
    `where a ${reg.type} points`,
    { ...reg, off: reg.off + 8, ...(reg.range > 0 ? { range: reg.range + 8 } : {}) },
  ];
  yield [`where a ${reg.type} points, by its variable part`, { ...reg, num: plus(reg.num, 1n << 20n) }];
  if (reg.map >= 0) yield ['which map', { ...reg, map: reg.map + 1 }];
  if (reg.type === 'stack') yield ['which stack', { ...reg, frame: reg.frame + 1 }];
  if (reg.type === 'packet')
    yield ['how much of the packet', { ...reg, num: constant(0n), off: 0, range: 5000 }];
}

const withFrame = (state: State, index: number, change: (frame: Frame) => Partial<Frame>): State => ({
  ...state,
  frames: state.frames.map((frame, i) => (i === index ? { ...frame, ...change(frame) } : frame)),
});

/** What a register of an open frame holds in the run; undefined if nobody wrote it. */
function heldBy(machine: MachineState, depth: number, reg: number): bigint | undefined {
  if (depth === machine.depth) return ((machine.readable >> reg) & 1) === 1 ? machine.regs[reg] : undefined;
  const above = machine.frames[depth + 1]!;
  return reg >= 6 && ((above.savedReadable >> reg) & 1) === 1 ? above.saved[reg - 6] : undefined;
}

/** States like one that a run is in, each with one thing changed that is not so in the run. */
function* wrongStates(state: State, machine: MachineState): Iterable<readonly [string, State]> {
  yield ['one frame more', { ...state, frames: [...state.frames, state.frames.at(-1)!] }];
  if (state.frames.length > 1) yield ['one frame less', { ...state, frames: state.frames.slice(0, -1) }];
  yield ['how the callee left', { ...state, ...(state.unwound ? {} : { unwound: true as const }) }];
  yield ['RCU sections', { ...state, rcu: state.rcu + 1 }];
  if (state.rcu > 0) yield ['fewer RCU sections', { ...state, rcu: state.rcu - 1 }];
  yield ['preemption', { ...state, preempt: state.preempt + 1 }];
  if (state.preempt > 0) yield ['less preemption', { ...state, preempt: state.preempt - 1 }];
  for (const kind of ['pointer', 'irq', 'spin_lock', 'res_spin_lock', 'res_spin_lock_irqsave'] as const) {
    const more: Ref = { id: 9_999, kind, at: 0 };
    yield [`one ${kind} more`, { ...state, refs: [...state.refs, more] }];
    const first = state.refs.findIndex((ref) => ref.kind === kind);
    const isNull = kind === 'pointer' && isOnlyNull(state, state.refs[first]?.id ?? 0, machine);
    if (first >= 0 && !isNull)
      yield [`one ${kind} less`, { ...state, refs: state.refs.filter((_, i) => i !== first) }];
  }
  for (const [index, frame] of state.frames.entries()) {
    yield ['which function', withFrame(state, index, () => ({ subprog: frame.subprog + 1 }))];
    yield ['called from where', withFrame(state, index, () => ({ callsite: frame.callsite + 1 }))];
    const current = index === state.frames.length - 1;
    for (let number = current ? 0 : 6; number < 10; number++) {
      const reg = frame.regs[number]!;
      const value = heldBy(machine, index, number);
      const set = (one: Reg): State =>
        withFrame(state, index, ({ regs }) => ({ regs: regs.with(number, one) }));
      if (value === undefined)
        yield [
          current ? 'a register nobody wrote' : 'a saved register nobody wrote',
          set(scalarReg(unknown)),
        ];
      else {
        const gone = machine.memory.get(regionOf(value));
        if (gone !== undefined && !gone.alive)
          yield [
            'a pointer to what is gone',
            set(pointerReg(MAY_BE[gone.kind][0]!, { trust: 'trusted', num: unknown })),
          ];
        for (const [what, wrong] of wrongRegs(reg, value, machine)) yield [what, set(wrong)];
        if (!current)
          for (const [what, wrong] of wrongRegs(reg, value, machine))
            yield [`${what.split(' ').slice(0, 2).join(' ')} of a caller`, set(wrong)];
      }
    }
    yield* wrongLinks(state, index, machine);
    yield* wrongSlots(state, index, machine);
  }
}

/** Two numbers that are linked and differ; pointers of which one is NULL; one that may be NULL and is linked to nothing. */
function* wrongLinks(state: State, index: number, machine: MachineState): Iterable<readonly [string, State]> {
  const { regs, stack } = state.frames[index]!;
  const known = regs.flatMap((reg, number) => {
    const value = heldBy(machine, index, number);
    return value === undefined || reg.type === 'uninit' || number === 10 ? [] : [{ number, reg, value }];
  });
  const both = (a: number, one: Reg, b: number, other: Reg): State =>
    withFrame(state, index, () => ({ regs: regs.with(a, one).with(b, other) }));
  const number = (off: number, size = 64): Reg => ({ ...scalarReg(unknown), id: 77, off, size });
  for (const a of known)
    for (const b of known) {
      if (a.number >= b.number) continue;
      const apart = Number(BigInt.asIntN(31, b.value - a.value));
      if (a.value !== b.value)
        yield ['numbers that are equal', both(a.number, number(0), b.number, number(0))];
      yield ['numbers so far apart', both(a.number, number(0), b.number, number(apart + 1))];
      if ((a.value === 0n) === (b.value === 0n) || a.reg.type === b.reg.type) continue;
      const [zero, some] = a.value === 0n ? [a, b] : [b, a];
      if (some.reg.type === 'scalar') continue;
      const pointer: Reg = { ...some.reg, nullable: true, id: 78 };
      yield ['NULL together', both(zero.number, pointer, some.number, pointer)];
    }
  for (const { number: at, reg } of known)
    if (reg.type !== 'scalar')
      yield [
        'NULL by no id',
        withFrame(state, index, () => ({ regs: regs.with(at, { ...reg, nullable: true, id: 0 }) })),
      ];
  const spilled = stack.findIndex(
    (slot) => slot?.bytes.every((byte) => byte === BYTE.spill) && slot.reg?.type === 'scalar',
  );
  if (spilled < 0) return;
  const view = machine.memory.get(machine.stackOf(index))!.view;
  const value = view.getBigUint64(512 - 8 * (spilled + 1), true);
  const other = known.find((one) => one.value !== value);
  if (other === undefined) return;
  yield [
    'a spill that is equal',
    withFrame(state, index, () => ({
      regs: regs.with(other.number, number(0)),
      stack: stack.with(spilled, { ...stack[spilled]!, reg: number(0) }),
    })),
  ];
}

function* wrongSlots(state: State, index: number, machine: MachineState): Iterable<readonly [string, State]> {
  const { stack } = state.frames[index]!;
  const region = machine.memory.get(machine.stackOf(index))!;
  const all = Array.from({ length: 64 }, (_, at) => stack[at]);
  const set = (at: number, slot: Slot): State =>
    withFrame(state, index, () => ({ stack: all.with(at, slot) }));
  const bytesWith = (kind: ByteKind, at: number): readonly ByteKind[] =>
    Array.from({ length: 8 }, (_, i) => (i === at ? kind : BYTE.invalid));
  for (const at of [0, 1, 2, 3, 4, 5, 6, 63]) {
    const slot = all[at];
    const offset = 512 - 8 * (at + 1);
    for (let i = 0; i < 8; i++) {
      const written = region.shadow?.[offset + i] !== 0;
      if (written && region.bytes[offset + i] !== 0)
        yield ['a zero byte', set(at, { bytes: bytesWith(BYTE.zero, i) })];
      if (written) continue;
      yield ['a zero byte that nobody wrote', set(at, { bytes: bytesWith(BYTE.zero, i) })];
      if (machine.memory.strict)
        yield ['a byte that nobody wrote', set(at, { bytes: bytesWith(BYTE.misc, i) })];
    }
    const whole = Array.from({ length: 8 }, (_, i) => region.shadow?.[offset + i] !== 0).every((one) => one);
    if (whole) {
      const value = region.view.getBigUint64(offset, true);
      for (const size of [1, 2, 4, 8])
        for (const first of size === 4 ? [0, 4] : [0]) {
          const bytes = Array.from({ length: 8 }, (_, i) =>
            i >= first && i < first + size ? BYTE.spill : BYTE.misc,
          );
          const low = BigInt.asUintN(8 * size, value >> BigInt(8 * first));
          const wrong = [low + 1n, low ^ (1n << BigInt(8 * size - 1))];
          for (const one of wrong)
            yield [
              `a spill of ${size} bytes`,
              set(at, { bytes, reg: scalarReg(constant(BigInt.asUintN(64, one))) }),
            ];
        }
      const spilled = slot?.reg;
      if (spilled !== undefined && slot!.bytes.every((byte) => byte === BYTE.spill))
        for (const [what, wrong] of wrongRegs(spilled, value, machine))
          yield [`${what.split(' ').slice(0, 2).join(' ')} in a slot`, set(at, { ...slot!, reg: wrong })];
    }
    const object = region.objects?.get(offset);
    const none: ByteKind[] = Array.from({ length: 8 }, () => BYTE.invalid);
    const iter = { type: 'num', state: 'active', ref: 0, depth: 0, first: true, rcu: false } as const;
    if (object?.kind !== 'dynptr')
      yield ['a dynptr', set(at, { bytes: none, dynptr: { type: 'local', id: 1, ref: 0, first: true } })];
    if (object?.kind !== 'irq')
      yield ['a saved IRQ state', set(at, { bytes: none, irq: { ref: 1, by: 'native' } })];
    if (object?.kind !== 'iter') yield ['an iterator', set(at, { bytes: none, iter })];
    else {
      yield [
        'an iterator over something else',
        set(at, { bytes: none, iter: { ...iter, type: object.type === 'num' ? 'bits' : 'num' } }),
      ];
      if (object.state === 'active')
        yield [
          'a drained iterator',
          set(at, { bytes: none, iter: { ...iter, type: object.type, state: 'drained' } }),
        ];
    }
  }
}

/** Whether a reference turned out to be NULL: every pointer that owns it is. */
function isOnlyNull({ frames }: State, id: number, machine: MachineState): boolean {
  const values = frames.flatMap(({ regs }, depth) =>
    regs.flatMap((reg, number) => (reg.ref === id && reg.nullable ? [heldBy(machine, depth, number)] : [])),
  );
  return values.length > 0 && values.every((value) => value === undefined || value === 0n);
}

const PROGRAMS = [
  ...MORE,
  ...[...STATE_CASES.values()],
  ...[...SAMPLES.values()].map(({ program }) => program),
];

it('a run that leaves the facts is told', () => {
  const seen = new Map<string, number>();
  for (const [which, program] of PROGRAMS.entries())
    for (const profile of ['privileged', 'strict'] as const) {
      const prepared = prepareProgram(program, profile);
      if (typeof prepared === 'string') continue;
      const { facts } = prepared.verdict;
      for (const chooser of [defaultChooser, failingChooser]) {
        const vm: Vm = new Vm(prepared.code, { facts, chooser, strict: profile === 'strict' });
        const at = new Set<number>();
        for (; vm.running && vm.machine.steps < 200; vm.step()) {
          const machine: MachineState = vm.machine;
          if (at.has(machine.pc) || (chooser === failingChooser && machine.pc % 3 !== 0)) continue;
          at.add(machine.pc);
          const fitting = facts
            .at(machine.pc)
            .map(({ state }) => state)
            .filter((one) => stateAdmits(one, machine) === true);
          expect([which, machine.pc, fitting.length > 0]).toEqual([which, machine.pc, true]);
          const state = fitting[0]!;
          // Of a global function the state knows nothing of the callers.
          if (state.frames.length !== machine.frames.length) continue;
          for (const [what, wrong] of wrongStates(state, machine)) {
            seen.set(what, (seen.get(what) ?? 0) + 1);
            if (stateAdmits(wrong, machine) === true)
              expect.fail(`program ${which}, insn ${machine.pc}: ${what}`);
          }
        }
      }
    }
  expect(TOLD.filter((what) => !seen.has(what))).toEqual([]);
});

it('one state that fits is enough, wherever it comes', () => {
  const prepared = prepareProgram(MORE[0]!, 'privileged');
  if (typeof prepared === 'string') throw new Error(prepared);
  const { facts } = prepared.verdict;
  const vm: Vm = new Vm(prepared.code, { facts });
  for (; vm.running; vm.step()) {
    const machine: MachineState = vm.machine;
    const [{ state } = expect.fail('no state')] = facts.at(machine.pc);
    const wrong: State = { ...state, rcu: 1 };
    const told = (states: readonly State[]): true | string =>
      new FactCheck({
        ...facts,
        at: () => states.map((one) => ({ state: one })),
      } as unknown as typeof facts).admits(machine);
    expect([told([state]), told([wrong, state]), told([state, wrong])]).toEqual([true, true, true]);
    for (const states of [[], [wrong], [wrong, wrong]]) expect(told(states)).not.toBe(true);
  }
});

/** Changes that must have been tried, besides each kind of pointer for each other. */
const TOLD = [
  'a register nobody wrote',
  'a saved register nobody wrote',
  'a number of a caller',
  'a pointer of a caller',
  'a pointer that is NULL',
  'a pointer to what is gone',
  'which map',
  'which stack',
  'how much of the packet',
  'the end of the packet',
  'where a packet points',
  'one frame less',
  'fewer RCU sections',
  'less preemption',
  'one pointer less',
  'one irq less',
  'one spin_lock less',
  'one res_spin_lock less',
  'numbers that are equal',
  'numbers so far apart',
  'NULL together',
  'NULL by no id',
  'a spill that is equal',
  'a zero byte',
  'a byte that nobody wrote',
  'a spill of 1 bytes',
  'a spill of 4 bytes',
  'a number in a slot',
  'an iterator over something else',
  'a drained iterator',
];
