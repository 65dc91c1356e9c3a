/**
 * The small choices that generators are made of take each of their values, chances are about what they say, and nothing beyond comes out.
 * What takes programs apart puts them together again; where values live while others are computed, they do not overlap.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binaryArbitrary, comparisonArbitrary, widthArbitrary } from '../../generators/arithmetic.js';
import {
  oneIn,
  pickArbitrary,
  picksArbitrary,
  sizeArbitrary,
  spillArbitrary,
  testArbitrary,
  touchArbitrary,
  touchesArbitrary,
} from '../../generators/choices.js';
import { Allocator, Elided, type Home } from '../../generators/compile/frame.js';
import { Draft } from '../../generators/edit.js';
import { type Bias, worldArbitrary, worldOf } from '../../generators/environment.js';
import { countFragments, fragment, hollowable, outline, sequence } from '../../generators/fragment.js';
import { imm32Arbitrary, off16Arbitrary, opArbitrary, regArbitrary } from '../../generators/op.js';
import { mix, randomFor } from '../../generators/random.js';
import {
  canBeWrong,
  isWrong,
  ruleArbitrary,
  ruleSetArbitrary,
  wrongRuleArbitrary,
} from '../../generators/rule.js';
import { sample } from '../../generators/sample.js';
import { BINARY_OPS, COMPARISONS } from '../../src/isa/insn.js';
import { contracts } from '../../src/kernel/catalog.js';
import type { Contract, Outcome } from '../../src/kernel/contract.js';
import { imitableOutcomes } from '../../src/kernel/describe.js';
import { progType } from '../../src/kernel/progtypes.js';
import type { Stub } from '../../src/patch/rule.js';
import { shapeOf } from '../support/generators/census.js';
import { seeded } from '../support/seed.js';

const SEED = seeded(1).seed ?? 0;
const draw = <T>(arbitrary: fc.Arbitrary<T>, numRuns = 2000): T[] =>
  fc.sample(arbitrary, { numRuns, seed: SEED });
const sorted = <T>(values: Iterable<T>): T[] => [...new Set(values)].sort();
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('choices', () => {
  it('take each value, and no other', () => {
    expect(sorted(draw(pickArbitrary))).toEqual(upTo(64).sort());
    expect(sorted(draw(picksArbitrary).map(({ length }) => length))).toEqual([5]);
    expect(sorted(draw(picksArbitrary).flat())).toEqual(upTo(64).sort());
    expect(sorted(draw(sizeArbitrary))).toEqual([1, 2, 4, 8]);
    expect(sorted(draw(widthArbitrary))).toEqual([32, 64]);
    expect(sorted(draw(binaryArbitrary))).toEqual([...BINARY_OPS].sort());
    expect(sorted(draw(comparisonArbitrary))).toEqual([...COMPARISONS].sort());
    expect(sorted(draw(testArbitrary).map(({ op }) => op))).toEqual([...COMPARISONS].sort());
    expect(sorted(draw(testArbitrary).map(({ width }) => width))).toEqual([32, 64]);
    expect(sorted(draw(testArbitrary).map(({ inRegister }) => inRegister))).toEqual([false, true]);
    const touches = draw(touchArbitrary);
    expect(sorted(touches.map(({ how }) => how))).toEqual([
      'acquire',
      'atomic',
      'load',
      'loads',
      'release',
      'store',
      'storeimm',
      'variable',
    ]);
    expect(sorted(touches.map(({ op }) => op))).toEqual(['add', 'and', 'cmpxchg', 'or', 'xchg', 'xor']);
    expect(sorted(touches.map(({ fetch }) => fetch))).toEqual([false, true]);
    expect(sorted(touches.map(({ size }) => size))).toEqual([1, 2, 4, 8]);
    expect(sorted(draw(touchesArbitrary).map(({ length }) => length))).toEqual([0, 1, 2, 3]);
  });

  it('are made about as often as they say', () => {
    for (const n of [2, 3, 4, 5, 8]) {
      const often = draw(oneIn(n), 4000).filter((yes) => yes).length / 4000;
      expect([n, often > 0.6 / n, often < 1.6 / n]).toEqual([n, true, true]);
    }
    const spilt = draw(spillArbitrary, 4000).filter((yes) => yes).length;
    expect(spilt > 0 && spilt < 4000).toBe(true);
  });

  it('test against small numbers, middling ones and any', () => {
    const against = draw(testArbitrary, 4000).map((test) => test.against);
    expect(against.every((n) => Number.isInteger(n) && n >= -(2 ** 31) && n < 2 ** 31)).toBe(true);
    for (const n of upTo(17)) expect([n, against.includes(n)]).toEqual([n, true]);
    expect(against.some((n) => n < 0 && n >= -4096)).toBe(true);
    expect(against.some((n) => n > 4096)).toBe(true);
    expect(against.some((n) => n < -4096)).toBe(true);
  });
});

describe('single operations', () => {
  const ops = draw(opArbitrary, 30_000);

  it('are of every shape', () => {
    const shapes = new Set(ops.map(shapeOf));
    const each = (...parts: readonly (readonly unknown[])[]): string[] =>
      parts
        .reduce<string[]>((all, part) => all.flatMap((a) => part.map((b) => `${a} ${b}`)), [''])
        .map((s) => s.trim());
    const expected = [
      ...each(['alu'], BINARY_OPS, [32, 64], ['constant', 'register']),
      ...each(['mov'], [32, 64], ['constant', 'register']),
      ...each(['movsx'], [8, 16, 32], [64]),
      ...each(['movsx'], [8, 16], [32]),
      ...each(['neg'], [32, 64]),
      ...each(['end'], ['le', 'be', 'bswap'], [16, 32, 64]),
      ...each(['ld_imm64'], ['imm', 'map_fd', 'map_fd_value', 'btf_id', 'func', 'map', 'map_value']),
      ...each(['ldx', 'stx', 'st', 'load_acquire', 'store_release'], [1, 2, 4, 8]),
      ...each(['ldx'], [1, 2, 4], ['signed']),
      ...each(['atomic'], ['add', 'or', 'and', 'xor'], [4, 8], ['', 'fetch']),
      ...each(['atomic'], ['xchg', 'cmpxchg'], [4, 8], ['fetch']),
      ...each(['ld_packet'], [1, 2, 4], ['', 'indirect']),
      ...each(['ja'], ['', 'long']),
      ...each(['jmp'], COMPARISONS, [32, 64], ['constant', 'register']),
      ...each(['call'], ['helper', 'kfunc', 'subprog']),
      ...each(['addr_space_cast', 'may_goto', 'unwind_goto', 'exit', 'unwind_exit']),
    ];
    expect(sorted(shapes)).toEqual(sorted(expected));
  });

  it('have fields over their whole ranges', () => {
    expect(sorted(draw(regArbitrary))).toEqual(upTo(11).sort());
    const offs = draw(off16Arbitrary, 4000);
    expect([Math.min(...offs), Math.max(...offs)]).toEqual([-0x8000, 0x7fff]);
    const imms = draw(imm32Arbitrary, 4000);
    expect([Math.min(...imms), Math.max(...imms)]).toEqual([-(2 ** 31), 2 ** 31 - 1]);
    for (const n of [-16, -1, 0, 1, 64, 0xffff, 1 << 16]) expect([n, imms.includes(n)]).toEqual([n, true]);
  });
});

describe('random numbers', () => {
  it('differ between seeds and places, and use all bits', () => {
    const at = (seed: number, index: number): number =>
      randomFor(seed, index).nextInt(-(2 ** 31), 2 ** 31 - 1);
    const firsts = upTo(3000).map((index) => at(SEED, index));
    expect(new Set(firsts).size).toBeGreaterThan(2990);
    expect(new Set(upTo(3000).map((seed) => at(seed, 7))).size).toBeGreaterThan(2990);
    for (let bit = 0; bit < 32; bit++) {
      const ones = firsts.filter((n) => ((n >>> bit) & 1) === 1).length;
      expect([bit, ones > 1300, ones < 1700]).toEqual([bit, true, true]);
    }
    expect(mix(1, 0)).not.toBe(mix(0, 1));
    const random = randomFor(SEED, 1);
    const drawn = upTo(3000).map(() => random.nextInt(0, 9));
    for (const n of upTo(10)) expect(drawn.filter((one) => one === n).length).toBeGreaterThan(200);
    const [one, two] = [randomFor(3, 4), randomFor(3, 4)];
    expect(upTo(50).map(() => one.nextInt())).toEqual(upTo(50).map(() => two.nextInt()));
  });
});

describe('worlds', () => {
  it('are of every bias, with packets short, as headers, and long', () => {
    const made = draw(worldArbitrary('tc'), 600);
    expect(sorted(made.map(({ bias }) => bias))).toEqual(['any', 'lucky', 'mostly', 'unlucky']);
    const lengths = made.map(({ packet }) => packet.length);
    expect([Math.min(...lengths), Math.max(...lengths) <= 1514]).toEqual([14, true]);
    expect(lengths.some((n) => n > 14 && n <= 80)).toBe(true);
    expect(lengths.some((n) => n > 80)).toBe(true);
    expect(
      Math.max(...draw(worldArbitrary('tc', { maxPacket: 40 }), 300).map(({ packet }) => packet.length)),
    ).toBeLessThanOrEqual(40);
    expect(
      sorted(draw(worldArbitrary('xdp', { maxPacket: 2 }), 50).map(({ packet }) => packet.length)),
    ).toEqual([14]);
    for (const type of ['xdp', 'tc', 'cgroup_sysctl'] as const) {
      const sizes = draw(worldArbitrary(type), 300).map(({ ctx }) => ctx.length);
      expect([type, Math.max(...sizes) <= progType(type).size, new Set(sizes).size > 1]).toEqual([
        type,
        true,
        true,
      ]);
    }
    expect(sorted(draw(worldArbitrary('xdp', { biases: ['any'] }), 50).map(({ bias }) => bias))).toEqual([
      'any',
    ]);
  });

  it('end calls as their bias says', () => {
    const choices = (bias: Bias): number[] => {
      const { chooser } = worldOf({ seed: 5, bias, packet: new Uint8Array(14), ctx: new Uint8Array(0) });
      return upTo(400).map((n) => chooser.index(`call#${n}`, 4));
    };
    const share = (bias: Bias): number => choices(bias).filter((n) => n === 3).length / 400;
    expect(new Set(choices('lucky')).size).toBe(1);
    expect(new Set(choices('unlucky')).size).toBe(1);
    expect(choices('lucky')[0]).not.toBe(choices('unlucky')[0]);
    expect(sorted(choices('any'))).toEqual([0, 1, 2, 3]);
    expect(share('any') > 0.15 && share('any') < 0.35).toBe(true);
    // Three of four well, and a quarter of the others too.
    expect(share('mostly') > 0.72 && share('mostly') < 0.9).toBe(true);
    expect(sorted(choices('mostly'))).toEqual([0, 1, 2, 3]);
  });

  it('are what was asked for', () => {
    const packet = Uint8Array.from(upTo(20));
    const of = (ctx: Uint8Array) => worldOf({ seed: 1, bias: 'any', packet, ctx }).env;
    expect(of(new Uint8Array(0)).ctx).toBeUndefined();
    expect(of(new Uint8Array([7])).ctx).toEqual(new Uint8Array([7]));
    expect(of(new Uint8Array(0)).packet).toEqual(packet);
    expect(of(new Uint8Array(0)).choices.size).toBe(0);
  });
});

/** Whether the stub leaves what this outcome leaves, said once more. */
function same(stub: Stub, o: Outcome): boolean {
  const wantsWrites = o.effects.flatMap((e) => (e.kind === 'write' ? [e.arg] : []));
  const wantsSlots = o.effects.flatMap((e) => (e.kind === 'init_dynptr' ? [e.arg] : []));
  if (wantsWrites.some((arg) => !stub.writes.includes(arg))) return false;
  if (JSON.stringify(sorted(wantsSlots)) !== JSON.stringify(sorted(stub.slots.map(({ arg }) => arg))))
    return false;
  if (o.r0.kind === 'void') return true;
  if (stub.r0 === 'void' || o.r0.kind === 'pointer') return false;
  const [min, max] = o.r0.kind === 'null' ? [0n, 0n] : [o.r0.min, o.r0.max];
  return min <= stub.r0 && stub.r0 <= max;
}

describe('rules', () => {
  it('are called wrong where no outcome is like the stub', () => {
    const wrong = (c: Contract, stub: Stub): boolean => !imitableOutcomes(c).some((o) => same(stub, o));
    const made = [...draw(ruleArbitrary(), 1500), ...draw(wrongRuleArbitrary(), 500)];
    for (const { contract, stub } of made)
      expect([contract.name, stub, isWrong(contract, stub)]).toEqual([
        contract.name,
        stub,
        wrong(contract, stub),
      ]);
    expect(new Set(made.map(({ stub }) => String(stub.r0))).size).toBeGreaterThan(20);
    for (const edge of ['void', 0n, 1n, -1n, -22n, -(1n << 63n), (1n << 63n) - 1n])
      expect([edge, made.some(({ stub }) => stub.r0 === edge)]).toEqual([edge, true]);
    // The ends of the ranges of every function that has one.
    for (const c of contracts()) {
      for (const o of imitableOutcomes(c)) {
        if (o.r0.kind !== 'scalar') continue;
        for (const r0 of [o.r0.min, o.r0.max, o.r0.min - 1n, o.r0.max + 1n]) {
          const stub: Stub = { r0, writes: [0, 1, 2, 3, 4], slots: [] };
          expect([c.name, r0, isWrong(c, stub)]).toEqual([c.name, r0, wrong(c, stub)]);
        }
      }
    }
  });

  it('write where there is memory, and clear where there is a dynptr', () => {
    for (const { contract, stub } of draw(ruleArbitrary(), 1500)) {
      const kinds = (args: readonly number[]): (string | undefined)[] =>
        args.map((arg) => contract.args[arg]?.kind);
      for (const kind of kinds(stub.writes)) expect(['mem', 'map_value']).toContain(kind);
      for (const kind of kinds(stub.slots.map(({ arg }) => arg))) expect(kind).toBe('dynptr');
    }
    expect(draw(ruleArbitrary(), 1500).some(({ stub }) => stub.writes.length > 0)).toBe(true);
    expect(draw(ruleArbitrary(), 1500).some(({ stub }) => stub.slots.length > 0)).toBe(true);
  });

  it('are wrong for each function that can be stubbed wrongly', () => {
    const possible = contracts().filter(canBeWrong);
    expect(possible.length).toBeGreaterThan(contracts().length / 2);
    for (const { contract, stub } of draw(wrongRuleArbitrary(['bpf_ringbuf_query', 'bpf_probe_read']), 100))
      expect([contract.name, isWrong(contract, stub)]).toEqual([contract.name, true]);
    for (const set of draw(ruleSetArbitrary(), 100)) {
      const names = set.rules.map(({ name }) => name);
      expect(names.at(-1)).toBe('everything else runs');
      expect(names.length >= 2 && names.length <= 7).toBe(true);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('programs that are taken apart', () => {
  it('are the same when they are put together', () => {
    for (let index = 0; index < 150; index++) {
      const { program } = sample(SEED, index);
      const again = new Draft(program).link(program.name);
      expect(again.insns).toEqual(program.insns);
      expect(again.subprogs).toEqual(program.subprogs);
    }
  });

  it('keep where their jumps go when insns come and go', () => {
    let tried = 0;
    for (let index = 0; index < 60; index++) {
      const { program } = sample(SEED, index);
      const draft = new Draft(program);
      const [at] = draft.find((op) => op.kind === 'exit');
      if (at === undefined) continue;
      const slot = draft.slotAt(at);
      draft.items.splice(at, 0, { kind: 'mov', width: 64, dst: 0, src: { imm: 1 } });
      expect(draft.slotAt(at)).toBe(-1);
      const longer = draft.link(program.name);
      expect(longer.insns.length).toBe(program.insns.length + 1);
      const back = new Draft(longer);
      const [added] = back.find((_, each) => each === slot);
      back.items.splice(added!, 1);
      expect(back.link(program.name).insns).toEqual(program.insns);
      tried++;
    }
    expect(tried).toBeGreaterThan(50);
  });

  it('keep the target of a jump that is replaced', () => {
    for (let index = 0; index < 60; index++) {
      const { program } = sample(SEED, index);
      const draft = new Draft(program);
      for (const at of draft.find((op) => op.kind === 'jmp')) {
        const op = draft.opAt(at)!;
        draft.replace(at, op.kind === 'jmp' ? { ...op, off: 99 } : op);
      }
      expect(draft.link(program.name).insns).toEqual(program.insns);
    }
  });
});

describe('homes', () => {
  it('do not overlap, are within the frame, and are free again when they are given back', () => {
    const moves = fc.array(
      fc.record({
        what: fc.constantFrom('home', 'spill', 'stack', 'back', 'undo'),
        bytes: fc.integer({ min: 1, max: 40 }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(moves, fc.constantFrom(64, 96, 128, 224), (list, limit) => {
        const allocator = new Allocator(limit);
        const live: { readonly home?: Home; readonly from: number; readonly bytes: number }[] = [];
        const claim = (from: number, bytes: number, home?: Home): void => {
          const words = 8 * Math.max(1, Math.ceil(bytes / 8));
          expect([from % 8 === 0, from >= -limit, from + words <= 0]).toEqual([true, true, true]);
          for (const other of live) {
            const apart = from + words <= other.from || other.from + 8 * Math.ceil(other.bytes / 8) <= from;
            expect(apart || 'reg' in (other.home ?? {})).toBe(true);
          }
          live.push({ from, bytes: words, ...(home === undefined ? {} : { home }) });
        };
        for (const { what, bytes } of list) {
          try {
            if (what === 'stack') claim(allocator.stack(bytes), bytes);
            else if (what === 'back') {
              const last = live.pop();
              if (last?.home !== undefined) allocator.release(last.home);
              else if (last !== undefined) allocator.releaseStack(last.from, last.bytes);
            } else if (what === 'undo') {
              const undo = allocator.save();
              allocator.home(false);
              undo();
            } else {
              const home = allocator.home(what === 'spill');
              if ('reg' in home) {
                expect(
                  live.some(
                    (one) => one.home !== undefined && 'reg' in one.home && one.home.reg === home.reg,
                  ),
                ).toBe(false);
                expect([6, 7, 8, 9]).toContain(home.reg);
                live.push({ home, from: 0, bytes: 0 });
              } else claim(home.slot, 8, home);
            }
          } catch (error) {
            if (!(error instanceof Elided)) throw error;
          }
        }
        // All that was given back can be had again.
        for (const one of live.splice(0).reverse()) {
          if (one.home !== undefined) allocator.release(one.home);
          else allocator.releaseStack(one.from, one.bytes);
        }
        const registers = [0, 1, 2, 3].map(() => allocator.home(false));
        expect(registers).toEqual([6, 7, 8, 9].map((reg) => ({ reg })));
      }),
      seeded(400),
    );
    const whole = new Allocator(64);
    expect(whole.stack(64)).toBe(-64);
    expect(() => whole.stack(1)).toThrow(Elided);
    whole.releaseStack(-64, 64);
    expect(() => whole.home(true)).toThrow(Elided);
    expect(whole.stack(9)).toBe(-16);
    expect(whole.stack(8)).toBe(-24);
  });
});

describe('fragments', () => {
  it('are counted and outlined with what is nested in them', () => {
    const leaf = fragment('leaf', [], () => {});
    const tree = [fragment('a', [leaf, sequence([leaf])], () => {}), leaf];
    expect(countFragments(tree)).toBe(5);
    expect(outline(tree)).toBe('a\n  leaf\n  sequence\n    leaf\nleaf\n');
    const drawn = draw(hollowable(fc.constant(tree[0]!)), 4000).map(({ name }) => name);
    const hollow = drawn.filter((name) => name === 'sequence').length;
    expect(hollow > 0 && hollow < 400).toBe(true);
    expect(draw(hollowable(fc.constant(leaf)), 1000).every(({ name }) => name === 'leaf')).toBe(true);
  });
});
