/**
 * The symbolic engine and the VM walk the same paths: what a model predicts is what happens, what is found to be all paths is all
 * of them, and what is said to be a violation is one.
 */

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { comparisonArbitrary, widthArbitrary } from '../../../generators/arithmetic.js';
import { encodeAll } from '../../../src/isa/encode.js';
import type { BinaryOp, Comparison, Op, Operand, Size, Width } from '../../../src/isa/insn.js';
import type { Program } from '../../../src/object/program.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import type { RuleSet } from '../../../src/patch/rule.js';
import { RULE_SETS } from '../../../src/patch/sets/index.js';
import { Solver } from '../../../src/smt/solver.js';
import { explore } from '../../../src/smt/symbolic/explore.js';
import { follow } from '../../../src/smt/symbolic/follow.js';
import { Inputs } from '../../../src/smt/symbolic/inputs.js';
import { runSymbolically } from '../../../src/smt/symbolic/run.js';
import { type Found, Search } from '../../../src/smt/symbolic/search.js';
import { evaluate } from '../../../src/smt/term/evaluate.js';
import type { Term } from '../../../src/smt/term/term.js';
import { Terms } from '../../../src/smt/term/terms.js';
import { Z3Context } from '../../../src/smt/z3/context.js';
import { type Z3Module, z3Module } from '../../../src/smt/z3/module.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { prepare } from '../../../src/vm/state/code.js';
import type { Environment } from '../../../src/vm/state/environment.js';
import { Vm } from '../../../src/vm/vm.js';
import { seeded } from '../../support/seed.js';

/** Statements over r6 to r9, which start as words of the context, and r0. */
type Statement =
  | {
      readonly kind: 'alu';
      readonly op: BinaryOp;
      readonly width: Width;
      readonly dst: number;
      readonly src: Operand;
    }
  | {
      readonly kind: 'spill';
      readonly size: Size;
      readonly load: Size;
      readonly src: number;
      readonly dst: number;
      readonly slot: number;
      readonly shift: number;
    }
  | { readonly kind: 'end'; readonly op: 'be' | 'bswap'; readonly bits: 16 | 32 | 64; readonly dst: number }
  | {
      readonly kind: 'if';
      readonly op: Comparison;
      readonly width: Width;
      readonly dst: number;
      readonly src: Operand;
      readonly yes: readonly Statement[];
      readonly no: readonly Statement[];
    };

const reg = fc.constantFrom(6, 7, 8, 9);
const imm = fc.oneof(fc.integer({ min: -4, max: 70 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
const operand: fc.Arbitrary<Operand> = fc.oneof(fc.record({ reg }), fc.record({ imm }));
const EASY: readonly BinaryOp[] = [
  'add',
  'sub',
  'or',
  'and',
  'xor',
  'lsh',
  'rsh',
  'arsh',
  'mul',
  'div',
  'mod',
];

const alu: fc.Arbitrary<Statement> = fc
  .record({
    kind: fc.constant('alu' as const),
    op: fc.constantFrom(...EASY),
    width: widthArbitrary,
    dst: reg,
    src: operand,
  })
  // Shift counts by immediate must be below the width: widthArbitrary, and divisors by immediate not 0.
  .map((one) => {
    if (!('imm' in one.src)) return one;
    if (['lsh', 'rsh', 'arsh'].includes(one.op))
      return { ...one, src: { imm: Math.abs(one.src.imm) % one.width } };
    return ['div', 'mod'].includes(one.op) && one.src.imm === 0 ? { ...one, src: { imm: 3 } } : one;
  });
const spill: fc.Arbitrary<Statement> = fc
  .record({
    kind: fc.constant('spill' as const),
    size: fc.constantFrom<Size>(1, 2, 4, 8),
    load: fc.constantFrom<Size>(1, 2, 4, 8),
    src: reg,
    dst: reg,
    slot: fc.constantFrom(8, 16),
    shift: fc.constantFrom<number>(0, 2, 4),
  })
  .map((one) => ({ ...one, shift: Math.min(one.shift, 8 - Math.max(one.size, one.load)) }));
const swap: fc.Arbitrary<Statement> = fc.record({
  kind: fc.constant('end' as const),
  op: fc.constantFrom('be' as const, 'bswap' as const),
  bits: fc.constantFrom<16 | 32 | 64>(16, 32, 64),
  dst: reg,
});

const { block } = fc.letrec<{ block: readonly Statement[]; statement: Statement }>((tie) => ({
  block: fc.array(tie('statement'), { maxLength: 4, depthIdentifier: 'block' }),
  statement: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'block', withCrossShrink: true },
    { weight: 4, arbitrary: alu },
    { weight: 2, arbitrary: spill },
    { weight: 1, arbitrary: swap },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('if' as const),
        op: comparisonArbitrary,
        width: widthArbitrary,
        dst: reg,
        src: operand,
        yes: tie('block'),
        no: tie('block'),
      }),
    },
  ),
}));

function compile(statements: readonly Statement[]): readonly Op[] {
  return statements.flatMap((one): readonly Op[] => {
    switch (one.kind) {
      case 'alu':
        return [one];
      case 'end':
        return [one];
      case 'spill':
        return [
          { kind: 'st', size: 8, dst: 10, off: -one.slot, imm: -1 },
          { kind: 'stx', size: one.size, dst: 10, src: one.src, off: -one.slot + one.shift },
          { kind: 'ldx', size: one.load, signed: false, dst: one.dst, src: 10, off: -one.slot },
        ];
      default: {
        const yes = compile(one.yes);
        const no = compile(one.no);
        const jump: Op = {
          kind: 'jmp',
          op: one.op,
          width: one.width,
          dst: one.dst,
          src: one.src,
          off: no.length + 1,
        };
        return [jump, ...no, { kind: 'ja', off: yes.length, long: false }, ...yes];
      }
    }
  });
}

const load = (dst: number, size: Size, off: number): Op => ({
  kind: 'ldx',
  size,
  signed: false,
  dst,
  src: 1,
  off,
});

/** Loads words of a syscall program's context, does the statements, and returns something of all registers. */
function programOf(statements: readonly Statement[]): Program {
  const mix = (src: number): Op => ({ kind: 'alu', op: 'xor', width: 64, dst: 0, src: { reg: src } });
  const ops: readonly Op[] = [
    load(6, 8, 0),
    load(7, 4, 8),
    load(8, 1, 13),
    load(9, 2, 20),
    { kind: 'mov', width: 64, dst: 0, src: { imm: 0 } },
    ...compile(statements),
    ...[6, 7, 8, 9].map(mix),
    { kind: 'exit' },
  ];
  return {
    name: 'random',
    type: 'syscall',
    insns: encodeAll(ops),
    maps: [],
    kfuncs: [],
    subprogs: [{ name: 'main', start: 0, linkage: 'global' }],
    localTypes: [],
  };
}

/** What the program's context holds. */
const context = fc.uint8Array({ minLength: 24, maxLength: 24 });

let z3: Z3Module;
beforeAll(async () => {
  z3 = await z3Module();
});

/** All paths of a program, as far as 40 runs reach. */
function walk(
  program: Program,
  terms: Terms,
  ctx: Uint8Array,
): { readonly found: readonly Found[]; readonly search: Search } {
  const asked = new Z3Context(z3);
  const solver = new Solver(terms, asked, { rlimit: 200_000 });
  const inputs = new Inputs(terms, program);
  const search = new Search(solver, inputs);
  const code = prepare(program);
  const run = (env: Environment) => runSymbolically(code, inputs, env, { maxSteps: 1_000 });
  const found = [...search.paths(run, { ctx, choices: new Map() }, { maxPaths: 40 })];
  asked.close();
  return { found, search };
}

/** Slots and r0 of a plain run. */
function plain(
  program: Program,
  env: Environment,
): { readonly slots: readonly number[]; readonly r0: bigint } {
  const vm = new Vm(program, { env });
  const slots: number[] = [];
  while (vm.running) {
    slots.push(vm.machine.pc);
    vm.step();
  }
  return { slots, r0: vm.result().r0 };
}

test('a run in the environment that a model gives takes the predicted path to the predicted r0', () => {
  fc.assert(
    fc.property(block, context, (statements, ctx) => {
      const program = programOf(statements);
      const { found, search } = walk(program, new Terms(), ctx);
      expect(search.stats.diverged).toBe(0);
      for (const { trace, env } of found) {
        const run = plain(program, env);
        expect(run.slots).toEqual(trace.slots);
        expect(evaluate(trace.r0!, trace.values)).toBe(run.r0);
      }
      // No path is walked twice.
      expect(new Set(found.map(({ trace }) => trace.slots.join())).size).toBe(found.length);
    }),
    seeded(60),
  );
});

test('a search that says it is exact has seen the path of every input', () => {
  const inputs = fc.array(fc.oneof(fc.uint8Array({ minLength: 24, maxLength: 24 })), {
    minLength: 5,
    maxLength: 5,
  });
  let exact = 0;
  fc.assert(
    fc.property(block, inputs, (statements, contents) => {
      const program = programOf(statements);
      const { found, search } = walk(program, new Terms(), contents[0]!);
      if (!search.exact) return;
      exact += 1;
      const paths = new Set(found.map(({ trace }) => trace.slots.join()));
      for (const ctx of contents)
        expect(paths).toContain(plain(program, { ctx, choices: new Map() }).slots.join());
    }),
    seeded(60),
  );
  expect(exact).toBeGreaterThan(20);
});

class WrongAdd extends Terms {
  override add(a: Term, b: Term): Term {
    return a.op === 'const' || b.op === 'const' ? super.add(a, b) : this.or(a, b);
  }
}
class WrongExtension extends Terms {
  override zext(bits: number, a: Term): Term {
    return a.width === 32 ? this.sext(bits, a) : super.zext(bits, a);
  }
}

test.each([
  ['adds', WrongAdd],
  ['extends', WrongExtension],
])('an engine that %s wrongly is noticed', (_what, Wrong) => {
  const outcome = fc.check(
    fc.property(block, context, (statements, ctx) => {
      const program = programOf(statements);
      const { found, search } = walk(program, new Wrong(), ctx);
      return (
        search.stats.diverged === 0 &&
        found.every(({ trace, env }) => evaluate(trace.r0!, trace.values) === plain(program, env).r0)
      );
    }),
    seeded(200),
  );
  expect(outcome.failed).toBe(true);
});

const named = (name: string): RuleSet => RULE_SETS.find((rules) => rules.name === name)!;

function patched(text: string, rules: string) {
  const { program } = parseCase(text);
  const verdict = verify(program);
  if (!verdict.ok) throw new Error(`insn ${verdict.slot}: ${verdict.message}`);
  return { program, facts: verdict.facts, fastPath: fastPath(program, verdict.facts, named(rules)) };
}

const LOCK = `
.type xdp
.map m array key=4 value=16 entries=1 spin_lock@0
    *(u32 *)(r10 - 4) = 0
    r1 = map m
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    if r0 == 0 goto out
    r6 = r0
    r1 = r6
    call bpf_spin_lock
    r1 = r6
    call bpf_spin_unlock
out:
    r0 = 2
    exit
`;

/** Reserves a record only when a byte of the packet is 77, and releases it differently for two kinds of packet. */
const RECORD = `
.type xdp
.map rb ringbuf entries=4096
    r2 = *(u32 *)(r1 + 0)
    r3 = *(u32 *)(r1 + 4)
    r4 = r2
    r4 += 20
    if r4 > r3 goto out
    r7 = *(u8 *)(r2 + 19)
    r8 = *(u16 *)(r2 + 12)
    if r7 != 77 goto out
    r1 = map rb
    r2 = 8
    r3 = 0
    call bpf_ringbuf_reserve
    if r0 == 0 goto out
    *(u64 *)(r0 + 0) = r7
    r1 = r0
    r2 = 0
    if r8 == 8 goto drop
    call bpf_ringbuf_submit
    goto out
drop:
    call bpf_ringbuf_discard
out:
    r0 = 2
    exit
`;

describe('exploration of killed programs', () => {
  test('finds the lock that rfc-v1 skips, and replays it', async () => {
    const { program, ...rest } = patched(LOCK, 'rfc-v1');
    const found = await explore(program, { ...rest, kill: 'any' });
    expect(found.verdict).toBe('violated');
    const [{ violation, env, killStep }] = found.findings as [(typeof found.findings)[number]];
    expect([violation.check, violation.function]).toEqual(['misuse', 'bpf_spin_unlock']);
    const vm = new Vm(program, { env, ...rest });
    vm.advance(killStep!);
    vm.kill();
    expect(vm.run().violations.map(({ check, slot }) => [check, slot])).toContainEqual([
      violation.check,
      violation.slot,
    ]);
  });

  test('walks every path of a sound fast path and finds it safe', async () => {
    for (const text of [LOCK, RECORD]) {
      const { program, ...rest } = patched(text, 'sound');
      const found = await explore(program, { ...rest, kill: 'any' });
      expect([found.verdict, found.findings, found.gaps]).toEqual(['safe', [], []]);
    }
  });

  test('finds the packet that leads to a call, and both ways behind it', async () => {
    const { program, facts } = patched(RECORD, 'sound');
    const reached = new Set<string>();
    for (const stub of [18, 20]) {
      // A fast path that leaves out one of the two releases.
      const stubs = new Map([[stub, { r0: 'void' as const, writes: [], slots: [] }]]);
      const found = await explore(program, { facts, fastPath: { rules: 'leaky', stubs }, kill: stub });
      const [first] = found.findings;
      expect(first?.violation.check).toBe('leak');
      expect(first!.env.packet?.[19]).toBe(77);
      reached.add(`${first!.env.packet![12]},${first!.env.packet![13]}`);
    }
    expect(reached).toContain('8,0');
    expect(reached.size).toBe(2);
  });
});

describe('a path that is asked for', () => {
  const pathTo = (slots: readonly number[]) => ({ path: slots.map((slot) => ({ slot })) });

  test('is found when some input takes it', async () => {
    const { program } = patched(RECORD, 'sound');
    const straight = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 20, 21, 22];
    const answer = await follow(program, pathTo(straight));
    expect(answer.verdict).toBe('feasible');
    if (answer.verdict === 'feasible') expect(plain(program, answer.env).slots).toEqual(straight);
  });

  test('is refused when its branches contradict each other', async () => {
    const { program } = parseCase(`
.type syscall
    r6 = *(u32 *)(r1 + 0)
    if r6 > 10 goto big
    r0 = 0
    if r6 == 12 goto odd
    exit
odd:
    r0 = 1
    exit
big:
    r0 = 2
    exit
`);
    expect((await follow(program, pathTo([0, 1, 2, 3, 4]))).verdict).toBe('feasible');
    expect((await follow(program, pathTo([0, 1, 2, 3, 5, 6]))).verdict).toBe('infeasible');
    expect((await follow(program, pathTo([0, 1, 7, 8]))).verdict).toBe('feasible');
  });

  test('may go through an index that is not known', async () => {
    const indexed = (mask: number, wanted: number): Program =>
      parseCase(`
.type syscall
    r6 = *(u8 *)(r1 + 0)
    r6 &= ${mask}
    *(u64 *)(r10 - 8) = 0x04030201
    r2 = r10
    r2 += -8
    r2 += r6
    r0 = *(u8 *)(r2 + 0)
    if r0 == ${wanted} goto found
    exit
found:
    r0 = 1
    exit
`).program;
    const found = pathTo([0, 1, 2, 3, 4, 5, 6, 7, 9, 10]);
    expect((await follow(indexed(3, 3), found)).verdict).toBe('feasible');
    expect((await follow(indexed(3, 9), found)).verdict).toBe('infeasible');
    expect((await follow(indexed(7, 9), found)).verdict).toBe('infeasible');
    // Beyond a few values it is not said that there is none. (The stack ends before the larger ones.)
    expect((await follow(indexed(15, 9), found)).verdict).toBe('unknown');
  });

  test('may name outcomes and a kill', async () => {
    const { program, ...rest } = patched(RECORD, 'sound');
    const path = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 21, 22].map((slot) =>
      slot === 12 ? { slot, outcome: 'null' } : { slot },
    );
    expect((await follow(program, { path }, rest)).verdict).toBe('feasible');
    const killed = path.map(({ slot }) => ({ slot }));
    expect((await follow(program, { path: killed, killAt: 9 }, rest)).verdict).toBe('feasible');
    const through = [...killed.slice(0, 13), { slot: 14 }];
    expect((await follow(program, { path: through, killAt: 9 }, rest)).verdict).toBe('infeasible');
  });
});
