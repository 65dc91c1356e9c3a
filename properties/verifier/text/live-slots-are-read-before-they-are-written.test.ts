/**
 * Live stack slots: whatever some path reads before it writes it is live, over random programs of which every path is followed; where addresses
 * are plain nothing else is; and what calls read of the stack, one row a kind of argument.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Op, Size } from '../../../src/isa/insn.js';
import { prepare } from '../../../src/verifier/text/code.js';
import { successors } from '../../../src/verifier/text/successors.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { programOf } from '../../support/kernel/programs.js';
import { seeded } from '../../support/seed.js';

type Slots = ReadonlySet<number>;

/** Slots that are live before an insn. */
function liveAt({ liveStack: [low, high] }: ReturnType<typeof prepare>, at: number): Slots {
  const found = new Set<number>();
  for (let n = 0; n < 64; n++) if (((n < 32 ? low[at]! : high[at]!) >> (n & 31)) & 1) found.add(n);
  return found;
}

const slotsOf = (off: number, size: number): readonly number[] => [
  ...new Set(Array.from({ length: size }, (_, i) => (-(off + i) - 1) >> 3)),
];

interface Access {
  readonly at: number;
  readonly reads: readonly number[];
  readonly writes: readonly number[];
}

/** Every path of at most so many insns, as what it does to the stack; a path ends where an address is no longer known. */
function* paths(
  ops: readonly Op[],
  at: number,
  regs: readonly (number | undefined)[],
  done: readonly Access[],
): Generator<readonly Access[]> {
  const op = ops[at];
  if (op === undefined || done.length > 16) {
    yield done;
    return;
  }
  const next = [...regs];
  let [reads, writes]: [readonly number[], readonly number[]] = [[], []];
  if (op.kind === 'mov') next[op.dst] = 'reg' in op.src ? regs[op.src.reg] : undefined;
  else if (op.kind === 'alu' && 'imm' in op.src)
    next[op.dst] =
      regs[op.dst] === undefined ? undefined : regs[op.dst]! + (op.op === 'sub' ? -1 : 1) * op.src.imm;
  else if (op.kind === 'ldx') {
    const base = regs[op.src];
    if (base !== undefined) reads = slotsOf(base + op.off, op.size);
    next[op.dst] = undefined;
  } else if (op.kind === 'st' || op.kind === 'stx') {
    const base = regs[op.dst];
    if (base !== undefined && op.size === 8 && (base + op.off) % 8 === 0) writes = slotsOf(base + op.off, 8);
  }
  const access = [...done, { at, reads, writes }];
  const to = successors(op, at);
  if (to.length === 0) yield access;
  for (const slot of to) yield* paths(ops, slot, next, access);
}

/** By insn, what some path reads before it writes it in full. */
function needed(ops: readonly Op[]): readonly Slots[] {
  const found = ops.map(() => new Set<number>());
  const regs = Array.from({ length: 11 }, (_, n) => (n === 10 ? 0 : undefined));
  for (const path of paths(ops, 0, regs, [])) {
    let live = new Set<number>();
    for (const { at, reads, writes } of [...path].reverse()) {
      live = new Set([...[...live].filter((slot) => !writes.includes(slot)), ...reads]);
      for (const slot of live) found[at]!.add(slot);
    }
  }
  return found;
}

const exit: Op[] = [{ kind: 'mov', width: 64, dst: 0, src: { imm: 0 } }, { kind: 'exit' }];
const size = fc.constantFrom<Size>(8, 8, 4, 2, 1);
const off = fc.constantFrom(-8, -16, -24, -32);
const inside = fc.constantFrom(0, 0, 4, 6);
const through = (base: fc.Arbitrary<number>): fc.Arbitrary<Op> =>
  fc
    .tuple(fc.constantFrom('ldx', 'st', 'ldx', 'stx'), size, base, off, inside)
    .map(([kind, s, reg, o, i]): Op => {
      const place = o + (i % s === 0 && i + s <= 8 ? i : 0);
      if (kind === 'ldx') return { kind: 'ldx', size: s, signed: false, dst: 0, src: reg, off: place };
      return kind === 'st'
        ? { kind: 'st', size: s, dst: reg, imm: 1, off: place }
        : { kind: 'stx', size: s, dst: reg, src: 0, off: place };
    });
const pointer = fc.integer({ min: 6, max: 8 });
const moves: fc.Arbitrary<Op> = fc.oneof(
  fc
    .tuple(pointer, fc.constantFrom(10, 6, 7, 8))
    .map(([dst, src]): Op => ({ kind: 'mov', width: 64, dst, src: { reg: src } })),
  fc
    .tuple(pointer, fc.constantFrom('add' as const, 'sub' as const), fc.constantFrom(8, -8))
    .map(([dst, op, imm]): Op => ({ kind: 'alu', op, width: 64, dst, src: { imm } })),
);
const jump = fc.integer({ min: -3, max: 4 });

/** Jumps become such that stay inside. */
function closed(body: readonly (Op | number)[]): readonly Op[] {
  return [
    ...body.map((op, at): Op => {
      if (typeof op !== 'number') return op;
      const target = Math.min(body.length, Math.max(0, at + 1 + op));
      return { kind: 'jmp', op: 'eq', width: 64, dst: 0, src: { imm: 0 }, off: target - at - 1 };
    }),
    ...exit,
  ];
}

describe('live slots', () => {
  it('are at least what some path reads before it writes it', () => {
    const body = fc.array(
      fc.oneof<fc.Arbitrary<Op | number>[]>(through(pointer), through(fc.constant(10)), moves, jump),
      { minLength: 2, maxLength: 8 },
    );
    fc.assert(
      fc.property(body, (parts) => {
        // Before it is an address a register may hold anything; here the frame pointer.
        const ops = [
          ...[6, 7, 8].map((dst): Op => ({ kind: 'mov', width: 64, dst, src: { reg: 10 } })),
          ...closed(parts),
        ];
        const code = prepare(programOf('xdp', ops));
        for (const [at, slots] of needed(ops).entries()) {
          const live = liveAt(code, at);
          for (const slot of slots)
            if (slot >= 0) expect([at, slot, live.has(slot)]).toEqual([at, slot, true]);
        }
      }),
      seeded(150),
    );
  });

  it('and nothing else, where addresses are the frame pointer`s', () => {
    const body = fc.array(through(fc.constant(10)), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(body, fc.nat(6), (parts, at) => {
        const ops = closed([...parts.slice(0, at), 2, ...parts.slice(at)]);
        const code = prepare(programOf('xdp', ops));
        expect(ops.map((_, slot) => liveAt(code, slot))).toEqual(needed(ops));
      }),
      seeded(400),
    );
  });
});

/** Each program has one insn before which the live slots are told: that after `here:`. */
const CALLS: Readonly<Record<string, readonly [live: readonly number[] | 'all', text: string]>> = {
  'a key': [
    [0, 1],
    '.type xdp\n.map m hash key=12 value=8 entries=1\n r1 = map m\n r2 = r10\n r2 += -16\nhere:\n call bpf_map_lookup_elem#1\n r0 = 0\n exit',
  ],
  'a value': [
    [1, 3],
    '.type xdp\n.map m array key=4 value=8 entries=1\n r1 = map m\n r2 = r10\n r2 += -16\n r3 = r10\n r3 += -32\n r4 = 0\nhere:\n call bpf_map_update_elem#2\n r0 = 0\n exit',
  ],
  'memory of a constant size': [
    [1, 2, 3],
    '.type tc\n r2 = 0\n r3 = r10\n r3 += -32\n r4 = 20\nhere:\n call bpf_skb_load_bytes#26\n r0 = 0\n exit',
  ],
  'memory of an unknown size': [
    'all',
    '.type tc\n r6 = r1\n call bpf_get_prandom_u32#7\n r4 = r0\n r4 &= 7\n r1 = r6\n r2 = 0\n r3 = r10\n r3 += -32\nhere:\n call bpf_skb_load_bytes#26\n r0 = 0\n exit',
  ],
  'a dynptr': [
    [1, 2],
    '.type xdp\n r1 = r10\n r1 += -24\n r2 = 0\n r3 = 8\nhere:\n call bpf_dynptr_data#203\n r0 = 0\n exit',
  ],
  'an iterator': [[2], '.type xdp\n r1 = r10\n r1 += -24\nhere:\n call bpf_iter_num_next\n r0 = 0\n exit'],
  'an IRQ state': [
    [4],
    '.type xdp\n r1 = r10\n r1 += -40\nhere:\n call bpf_local_irq_restore\n r0 = 0\n exit',
  ],
  'what a callee reads': [
    [1, 5],
    '.type xdp\n r1 = r10\n r1 += -16\n r2 = r10\n r2 += -40\nhere:\n call f\n r0 = 0\n exit\nf:\n r0 = *(u64 *)(r1 +0)\n r0 = *(u32 *)(r2 -8)\n r0 = 0\n exit',
  ],
  'what a callee`s callee reads': [
    [3],
    '.type xdp\n r1 = r10\n r1 += -16\nhere:\n call f\n r0 = 0\n exit\nf:\n r2 = r1\n r2 += -16\n call g\n r0 = 0\n exit\ng:\n r0 = *(u8 *)(r2 +0)\n r0 = 0\n exit',
  ],
  'what a callee gives away': [
    'all',
    '.type xdp\n r2 = r10\n r2 += -40\nhere:\n call f\n r0 = 0\n exit\nf:\n r0 = r2\n exit',
  ],
  'what a callee only writes': [
    [],
    '.type xdp\n r1 = r10\n r1 += -16\nhere:\n call f\n r0 = 0\n exit\nf:\n *(u64 *)(r1 +0) = 1\n r0 = 0\n exit',
  ],
  'what a callback reads of its context': [
    [1],
    '.type xdp\n r1 = 4\n r2 = func f\n r3 = r10\n r3 += -16\n r4 = 0\nhere:\n call bpf_loop#181\n r0 = 0\n exit\nf:\n r0 = *(u64 *)(r2 +0)\n r0 = 0\n exit',
  ],
  'a context that nobody reads': [
    [],
    '.type xdp\n r1 = 4\n r2 = func f\n r3 = r10\n r3 += -16\n r4 = 0\nhere:\n call bpf_loop#181\n r0 = 0\n exit\nf:\n r0 = 0\n exit',
  ],
  'an address that is stored': [
    'all',
    '.type xdp\n r1 = r10\n r1 += -16\nhere:\n *(u64 *)(r10 -8) = r1\n r0 = 0\n exit',
  ],
  'an address that is moved by a number': [
    'all',
    '.type xdp\n r1 = *(u32 *)(r1 +12)\n r1 &= 7\n r2 = r10\nhere:\n r2 += r1\n r0 = *(u8 *)(r2 -16)\n r0 = 0\n exit',
  ],
  'a number that an address is added to': [
    'all',
    '.type xdp\n r1 = *(u32 *)(r1 +12)\n r1 &= 7\n r2 = r10\nhere:\n r1 += r2\n r0 = *(u8 *)(r1 -16)\n r0 = 0\n exit',
  ],
  'an address on one way only': [
    'all',
    '.type xdp\n r2 = r10\n r2 += -16\nhere:\n if r1 == 0x0 goto use\n r2 = 0\nuse:\n r0 = *(u64 *)(r2 +0)\n r0 = 0\n exit',
  ],
  'an address on the other way only': [
    'all',
    '.type xdp\n r2 = 0\nhere:\n if r1 == 0x0 goto use\n r2 = r10\n r2 += -16\nuse:\n r0 = *(u64 *)(r2 +0)\n r0 = 0\n exit',
  ],
  'an atomic operation': [[1], '.type xdp\n r2 = 1\nhere:\n lock *(u64 *)(r10 -16) += r2\n r0 = 0\n exit'],
};

describe('what an insn reads of the stack', () => {
  it.each(Object.entries(CALLS))('%s', (_, [expected, text]) => {
    const { program } = parseCase(text.replace('here:\n', ''));
    const before = text
      .slice(0, text.indexOf('here:'))
      .split('\n')
      .filter((line) => line.startsWith(' '));
    // `map` and `func` take two slots.
    const at = before.reduce((slots, line) => slots + (/= (map|func) /.test(line) ? 2 : 1), 0);
    const live = liveAt(prepare(program), at);
    expect([...live]).toEqual(expected === 'all' ? Array.from({ length: 64 }, (__, n) => n) : expected);
  });
});
