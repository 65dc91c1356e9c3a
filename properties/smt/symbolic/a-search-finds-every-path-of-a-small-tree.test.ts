/**
 * The symbolic search over programs with few inputs: it finds exactly the paths that running all inputs finds, each once, and says that it
 * found all. Forks on numbers, outcomes, loops, iterators, map values, packets and may_goto; shadow memory under every overlap.
 */
import { describe, expect, test } from 'vitest';
import { encodeAll } from '../../../src/isa/encode.js';
import type { AtomicOp, Op, Size } from '../../../src/isa/insn.js';
import type { Program } from '../../../src/object/program.js';
import { openSolver } from '../../../src/smt/solver.js';
import { explore } from '../../../src/smt/symbolic/explore.js';
import { Inputs } from '../../../src/smt/symbolic/inputs.js';
import { runSymbolically } from '../../../src/smt/symbolic/run.js';
import { type Found, Search, type SearchStats } from '../../../src/smt/symbolic/search.js';
import { evaluate } from '../../../src/smt/term/evaluate.js';
import { Terms } from '../../../src/smt/term/terms.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { prepare } from '../../../src/vm/state/code.js';
import type { Environment } from '../../../src/vm/state/environment.js';
import { Vm } from '../../../src/vm/vm.js';
import { callRounds, SOCKET_LOOKUP } from '../../support/texts.js';

interface Walked {
  readonly found: readonly Found[];
  readonly stats: SearchStats;
  readonly exact: boolean;
  /** r0 of each path as its term says. */
  readonly predicted: readonly bigint[];
}

const EMPTY: Environment = { choices: new Map() };

/** All paths from `env` on, as far as 200 runs reach. */
async function walk(program: Program, env: Environment = EMPTY, maxPaths = 200): Promise<Walked> {
  const terms = new Terms();
  const solver = await openSolver(terms);
  const inputs = new Inputs(terms, program);
  const search = new Search(solver, inputs);
  const code = prepare(program);
  const run = (given: Environment) => runSymbolically(code, inputs, given, { maxSteps: 3_000 });
  const found = [...search.paths(run, env, { maxPaths })];
  solver.close();
  const predicted = found.map(({ trace }) =>
    trace.r0 === undefined ? -1n : evaluate(trace.r0, trace.values),
  );
  return { found, stats: search.stats, exact: search.exact, predicted };
}

/** Slots and r0 of a plain run. */
function plain(program: Program, env: Environment): string {
  const vm = new Vm(program, { env });
  const slots: number[] = [];
  while (vm.running) {
    slots.push(vm.machine.pc);
    vm.step();
  }
  return slots.join();
}

const r0Of = (program: Program, env: Environment): bigint => new Vm(program, { env }).run().r0;

/** The search finds the paths that these environments take and no others, each once; and predicts what each returns. */
async function findsJust(
  program: Program,
  all: readonly Environment[],
  start?: Environment,
): Promise<Walked> {
  const walked = await walk(program, start);
  const paths = walked.found.map(({ trace }) => trace.slots.join());
  expect(new Set(paths).size).toBe(paths.length);
  expect([...paths].sort()).toEqual([...new Set(all.map((env) => plain(program, env)))].sort());
  walked.found.forEach(({ env, trace }, i) => {
    expect(plain(program, env)).toBe(trace.slots.join());
    expect(walked.predicted[i]).toBe(r0Of(program, env));
  });
  expect([walked.exact, walked.stats.diverged, walked.stats.unknown, [...walked.stats.gaps]]).toEqual([
    true,
    0,
    0,
    [],
  ]);
  return walked;
}

const withContext = (...bytes: readonly number[]): Environment => ({
  ctx: Uint8Array.from(bytes),
  choices: new Map(),
});
/** Every context whose first byte is any, and whose second is one of a few. */
const contexts = Array.from({ length: 256 }, (_, a) =>
  [0, 1, 127, 128, 255].map((b) => withContext(a, b)),
).flat();

const program = (text: string): Program => parseCase(text).program;
const main = (body: string, before = ''): Program => program(`.type syscall\n${before}\n${body}\n    exit\n`);

describe('paths by numbers', () => {
  test.each([1, 2, 3, 4, 5])('%i bits looked at one by one make 2^n paths', async (n) => {
    const looks = Array.from(
      { length: n },
      (_, i) => `    r2 = r6\n    r2 &= ${1 << i}\n    if r2 == 0 goto +1\n    r0 += ${1 << i}`,
    );
    const one = main(`    r6 = *(u8 *)(r1 +0)\n    r0 = 0\n${looks.join('\n')}`);
    expect((await findsJust(one, contexts)).found.length).toBe(1 << n);
  });

  test.each(['==', '!=', '>', '>=', '<', '<=', 's>', 's>=', 's<', 's<=', '&'])(
    '%s, of 64 and 32 bits, against a register and a number',
    async (op) => {
      for (const r of ['r', 'w']) {
        const one = main(
          `    r6 = *(s8 *)(r1 +0)\n    r7 = *(s8 *)(r1 +1)\n    r0 = 0\n    if ${r}6 ${op} ${r}7 goto +1\n    r0 = 1\n    if ${r}6 ${op} -5 goto +1\n    r0 += 2`,
        );
        await findsJust(one, contexts.concat(Array.from({ length: 256 }, (_, a) => withContext(a, a))));
      }
    },
  );

  test('two calls that tell of the same CPU never differ', async () => {
    const one = main(
      '    call bpf_get_smp_processor_id\n    r6 = r0\n    call bpf_get_smp_processor_id\n    if r0 == r6 goto +1\n    r6 = 7\n    r0 = 0',
    );
    const cpus = Array.from({ length: 4 }, (_, cpu) => ({
      choices: new Map([['bpf_get_smp_processor_id#1', String(cpu)]]),
    }));
    expect((await findsJust(one, cpus)).found.length).toBe(1);
  });

  test('a loop that the input bounds', async () => {
    const one = main(
      '    r6 = *(u8 *)(r1 +0)\n    r6 &= 7\n    r0 = 0\nagain:\n    if r0 == r6 goto out\n    r0 += 1\n    goto again\nout:\n    r0 += 3',
    );
    expect((await findsJust(one, contexts)).found.length).toBe(8);
  });

  test('a product, a quotient and a remainder', async () => {
    const some = Array.from({ length: 4_096 }, (_, n) => withContext(n & 63, n >> 6));
    for (const op of ['*', '/', '%', 's/', 's%']) {
      const one = main(
        `    r6 = *(u8 *)(r1 +0)\n    r7 = *(u8 *)(r1 +1)\n    r0 = 0\n    r6 ${op}= r7\n    if r6 == 3 goto +1\n    r0 = 1`,
      );
      await findsJust(one, some);
    }
  });
});

describe('paths by what the outside world does', () => {
  const outcomes = (call: string, names: readonly string[]): readonly Environment[] =>
    names.map((name) => ({ choices: new Map([[`${call}#1`, name]]) }));

  test('each outcome of a call', async () => {
    const one = program(`.type tc
${SOCKET_LOOKUP}
    if r0 == 0 goto out
    r1 = r0
    call bpf_sk_release
out:
    r0 = 0
    exit
`);
    const walked = await walk(one);
    expect(walked.found.map(({ trace }) => trace.slots.length).sort()).toEqual([11, 13]);
    expect(walked.exact).toBe(true);
    expect(new Set(walked.found.map(({ trace }) => trace.slots.join()))).toEqual(
      new Set(outcomes('bpf_sk_lookup_tcp', ['null', 'found']).map((env) => plain(one, env))),
    );
  });

  test('numbers that a call returns, of any size', async () => {
    const one = program(
      '.type tc\n    call bpf_get_prandom_u32\n    r6 = r0\n    r0 = 0\n    if r6 > 7 goto +1\n    r0 = 1\n    if r6 == 4294967295 goto +1\n    r0 += 2\n    exit\n',
    );
    const walked = await walk(one);
    expect([walked.found.length, walked.exact]).toEqual([3, true]);
    expect(walked.predicted.map(Number).sort()).toEqual([0, 2, 3]);
  });

  test('bytes that a call writes', async () => {
    const one = program(
      '.type tracepoint\n    r1 = r10\n    r1 += -8\n    r2 = 8\n    r3 = 0\n    call bpf_probe_read_kernel\n    r6 = r0\n    r0 = 0\n    if r6 != 0 goto out\n    r1 = *(u16 *)(r10 -7)\n    if r1 != 0x0201 goto out\n    r0 = 1\nout:\n    exit\n',
    );
    const walked = await walk(one);
    expect(walked.predicted).toContain(1n);
    expect(walked.found.length).toBe(3);
  });

  test('a map value that is there, byte by byte, and a key past the end', async () => {
    const one = program(`.type syscall
.map m array key=4 value=4 entries=2
    r6 = *(u8 *)(r1 +0)
    r6 &= 3
    *(u32 *)(r10 -4) = r6
    r2 = r10
    r2 += -4
    r1 = map m
    call bpf_map_lookup_elem
    r6 = r0
    r0 = 9
    if r6 == 0 goto out
    r0 = 0
    r1 = *(u8 *)(r6 +1)
    if r1 != 7 goto out
    r0 = 1
out:
    exit
`);
    const walked = await walk(one);
    expect(
      walked.predicted
        .map(Number)
        .sort()
        .filter((r0, i, all) => r0 !== all[i - 1]),
    ).toEqual([0, 1, 9]);
    expect(walked.stats.diverged).toBe(0);
    const seven = walked.found.find((_, i) => walked.predicted[i] === 1n)!;
    expect(r0Of(one, seven.env)).toBe(1n);
  });

  test.each([0, 1, 2, 5])('bpf_loop up to %i rounds', async (most) => {
    const one = program(`.type syscall
main:
    r6 = *(u8 *)(r1 +0)
    if r6 > ${most} goto out
    r1 = r6
${callRounds()}
    goto end
out:
    r0 = 77
end:
    exit
round:
    r0 = 0
    exit
`);
    const walked = await walk(one);
    // No round to the most, and more than that.
    expect([walked.found.length, walked.stats.diverged]).toEqual([most + 2, 0]);
    walked.found.forEach(({ env, trace }) => {
      expect(plain(one, env)).toBe(trace.slots.join());
    });
  });

  test('bpf_loop whose callback ends it', async () => {
    const one = program(`.type syscall
main:
    r6 = *(u8 *)(r1 +0)
    *(u64 *)(r10 -8) = r6
    r1 = 3
    r2 = func round
    r3 = r10
    r3 += -8
    r4 = 0
    call bpf_loop
    exit
round:
    r0 = *(u64 *)(r2 +0)
    if r0 == r1 goto stop
    r0 = 0
    exit
stop:
    r0 = 1
    exit
`);
    // Ended in round 0, 1 or 2, or not.
    expect((await walk(one)).found.length).toBe(4);
  });

  test('an iterator over numbers whose end is an input', async () => {
    const one = program(`.type syscall
    r6 = *(u8 *)(r1 +0)
    r6 &= 3
    r1 = r10
    r1 += -8
    r2 = 1
    r3 = r6
    call bpf_iter_num_new
    r7 = 0
again:
    r1 = r10
    r1 += -8
    call bpf_iter_num_next
    if r0 == 0 goto out
    r1 = *(u32 *)(r0 +0)
    r7 += r1
    goto again
out:
    r1 = r10
    r1 += -8
    call bpf_iter_num_destroy
    r0 = r7
    exit
`);
    const walked = await walk(one, withContext(3));
    // A range that ends before it starts, an empty one, 1, and 1 + 2.
    expect(walked.predicted.map(Number).sort()).toEqual([0, 0, 1, 3]);
    expect([walked.stats.diverged, walked.exact]).toEqual([0, true]);
  });

  test('may_goto', async () => {
    const one = program(
      '.type syscall\n    r0 = 0\nagain:\n    may_goto out\n    r0 += 1\n    if r0 != 5 goto again\nout:\n    exit\n',
    );
    const walked = await walk(one);
    // Left after no round to after four, or when the program has made five.
    expect(walked.predicted.map(Number).sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(walked.exact).toBe(true);
  });

  test('the length of a packet, and its bytes', async () => {
    const one = program(`.type xdp
    r2 = *(u32 *)(r1 +4)
    r1 = *(u32 *)(r1 +0)
    r3 = r1
    r3 += 40
    r0 = 0
    if r3 > r2 goto out
    r0 = 1
    r4 = *(u8 *)(r1 +39)
    if r4 == 200 goto out
    r0 = 2
out:
    exit
`);
    const walked = await walk(one);
    expect(walked.predicted.map(Number).sort()).toEqual([0, 1, 2]);
    expect(walked.exact).toBe(true);
    for (const [i, { env }] of walked.found.entries()) expect(r0Of(one, env)).toBe(walked.predicted[i]);
    const short = walked.found.find((_, i) => walked.predicted[i] === 0n)!.env.packet!;
    expect(short.length >= 14 && short.length < 40).toBe(true);
  });

  test.each([
    [14, 1],
    [15, 2],
    [1514, 2],
    [1515, 1],
  ])('packets of 14 to 1514 bytes: %i bytes are there on some of %i paths', async (bytes, paths) => {
    const one = program(
      `.type xdp\n    r2 = *(u32 *)(r1 +4)\n    r3 = *(u32 *)(r1 +0)\n    r3 += ${bytes}\n    r0 = 0\n    if r3 > r2 goto +1\n    r0 = 1\n    exit\n`,
    );
    expect((await walk(one)).found.length).toBe(paths);
  });

  test('packet loads in network order, to the last byte', async () => {
    const one = program(
      '.type tc\n    r6 = r1\n    r0 = *(u16 *)skb[62]\n    if r0 == 0x1234 goto +1\n    r0 = 1\n    exit\n',
    );
    const walked = await walk(one, { packet: new Uint8Array(64), choices: new Map() });
    expect(walked.predicted.map(Number).sort((a, b) => a - b)).toContain(0x1234);
    walked.found.forEach(({ env }, i) => {
      expect(walked.predicted[i]).toBe(r0Of(one, env));
    });
    const wanted = walked.found.find((_, i) => walked.predicted[i] === 0x1234n)!.env.packet!;
    expect([wanted[62], wanted[63]]).toEqual([0x12, 0x34]);
  });

  test.each(['r7', 'r8'])('packet loads at an offset that is an input, which %s knows too', async (known) => {
    const one = program(
      `.type tc\n    r6 = r1\n    call bpf_get_prandom_u32\n    r7 = r0\n    r7 &= 15\n    r8 = r7\n    r0 = *(u8 *)skb[r7 +2]\n    if ${known} > 5 goto +1\n    r0 += 256\n    exit\n`,
    );
    const packet = Uint8Array.from({ length: 64 }, (_, i) => 3 * i + 1);
    const walked = await walk(one, { packet, choices: new Map() });
    expect(walked.found.length).toBeGreaterThan(0);
    walked.found.forEach(({ env, trace }, i) => {
      expect(plain(one, env)).toBe(trace.slots.join());
      expect(walked.predicted[i]).toBe(r0Of(one, env));
    });
    expect(walked.stats.diverged).toBe(0);
  });

  test('a subprogram, whose caller keeps r6 to r9', async () => {
    const one = program(`.type syscall
main:
    r6 = *(u8 *)(r1 +0)
    r9 = *(u8 *)(r1 +1)
    r1 = r9
    call clobber
    r0 += r6
    r0 += r9
    if r6 == 5 goto +1
    r0 += 1000
    exit
clobber:
    r6 = 100
    r9 = 50
    r0 = r1
    if r1 == 3 goto +1
    r0 = 0
    exit
`);
    await findsJust(one, contexts.concat(Array.from({ length: 256 }, (_, a) => withContext(a, 3))));
  });
});

describe('a budget', () => {
  const bits = main(
    `    r6 = *(u8 *)(r1 +0)\n    r0 = 0\n${[1, 2, 4].map((n) => `    r2 = r6\n    r2 &= ${n}\n    if r2 == 0 goto +1\n    r0 += ${n}`).join('\n')}`,
  );

  test('that is spent is said to be', async () => {
    const walked = await walk(bits, EMPTY, 5);
    expect([walked.found.length, walked.exact, walked.stats.cut, walked.stats.paths]).toEqual([
      5,
      false,
      true,
      5,
    ]);
    const enough = await walk(bits, EMPTY, 8);
    expect([enough.found.length, enough.exact, enough.stats.cut]).toEqual([8, true, false]);
  });

  test('counts killed and unkilled runs together', async () => {
    const found = await explore(bits, { kill: 'any', maxPaths: 1_000 });
    expect([found.verdict, found.gaps, found.stats.cut]).toEqual(['safe', [], false]);
    expect(found.worstSteps).toBe(
      Math.max(...Array.from({ length: 8 }, (_, n) => plain(bits, withContext(n)).split(',').length)),
    );
    const none = await explore(bits, { kill: 'none' });
    expect([none.stats.paths, none.worstSteps]).toEqual([8, 0]);
    // From a kill before an insn that all share, all eight paths are walked once more.
    expect((await explore(bits, { kill: 0 })).stats.paths).toBe(8 + 8);
    expect((await explore(bits, { kill: 1 })).stats.paths).toBe(8 + 8);
    const cut = await explore(bits, { kill: 'any', maxPaths: 20 });
    expect([cut.verdict, cut.stats.paths, cut.gaps]).toEqual([
      'unknown',
      20,
      ['the budget of paths is spent'],
    ]);
  });
});

/** A store of one size at each offset over another, then a load of each size at each offset, plain and signed. */
test('shadow memory under every overlap of two stores and a load', async () => {
  const SIZES: readonly Size[] = [1, 2, 4, 8];
  const load = (dst: number, size: Size, off: number): Op => ({
    kind: 'ldx',
    size,
    signed: false,
    dst,
    src: 1,
    off,
  });
  for (const first of SIZES) {
    for (const second of SIZES) {
      for (const shift of [0, 1, 3, 4, 7]) {
        const at = -24 + first - 1;
        const ops: Op[] = [
          load(6, 8, 0),
          load(7, 8, 8),
          { kind: 'st', size: 8, dst: 10, off: -24, imm: -3 },
          { kind: 'st', size: 8, dst: 10, off: -16, imm: 77 },
          { kind: 'st', size: 8, dst: 10, off: -8, imm: 5 },
          { kind: 'stx', size: first, dst: 10, src: 6, off: at },
          // The same term twice, shifted, is not the term.
          { kind: 'stx', size: second, dst: 10, src: first === second ? 6 : 7, off: -24 + shift },
          { kind: 'mov', width: 64, dst: 0, src: { imm: 0 } },
          ...SIZES.flatMap((size) =>
            [0, 1, 2, 5, 8].flatMap((off): readonly Op[] => [
              { kind: 'ldx', size, signed: size < 8 && off % 2 === 1, dst: 2, src: 10, off: -24 + off },
              { kind: 'alu', op: 'mul', width: 64, dst: 0, src: { imm: 31 } },
              { kind: 'alu', op: 'xor', width: 64, dst: 0, src: { reg: 2 } },
            ]),
          ),
          { kind: 'exit' },
        ];
        sameAsVm(ops);
      }
    }
  }
});

test.each(['add', 'or', 'and', 'xor', 'xchg', 'cmpxchg'] as const)(
  'shadow memory under atomic %s',
  (op: AtomicOp) => {
    for (const size of [4, 8] as const) {
      for (const fetch of op === 'xchg' || op === 'cmpxchg' ? [true] : [false, true]) {
        for (const expected of [0, 0x01020304]) {
          sameAsVm([
            { kind: 'ldx', size: 8, signed: false, dst: 6, src: 1, off: 0 },
            { kind: 'ldx', size: 8, signed: false, dst: 7, src: 1, off: 8 },
            { kind: 'stx', size: 8, dst: 10, src: 7, off: -8 },
            { kind: 'mov', width: 64, dst: 0, src: { imm: expected } },
            { kind: 'atomic', op, fetch, size, dst: 10, src: 6, off: -8 },
            { kind: 'alu', op: 'xor', width: 64, dst: 0, src: { reg: 6 } },
            { kind: 'ldx', size: 8, signed: false, dst: 2, src: 10, off: -8 },
            { kind: 'alu', op: 'mul', width: 64, dst: 0, src: { imm: 31 } },
            { kind: 'alu', op: 'xor', width: 64, dst: 0, src: { reg: 2 } },
            { kind: 'exit' },
          ]);
        }
      }
    }
  },
);

/** The term of r0, valued, is the VM's r0. */
function sameAsVm(ops: readonly Op[]): void {
  const one: Program = {
    name: 'made',
    type: 'syscall',
    insns: encodeAll(ops),
    maps: [],
    kfuncs: [],
    subprogs: [{ name: 'main', start: 0, linkage: 'global' }],
    localTypes: [],
  };
  const terms = new Terms();
  const inputs = new Inputs(terms, one);
  const code = prepare(one);
  const contents = [
    [1, 2, 3, 4, 5, 6, 7, 8, 0xf1, 0x82, 0xe3, 0x94, 0xa5, 0xb6, 0xc7, 0xd8],
    [0xff, 0x80, 0x7f, 0, 1, 0xfe, 0x81, 0x55, 4, 3, 2, 1, 0, 0, 0, 0],
  ];
  const [first] = contents;
  const trace = runSymbolically(code, inputs, withContext(...first!), { maxSteps: 1_000 });
  expect(trace.r0?.op).not.toBe('const');
  for (const bytes of contents) {
    const values = new Map(bytes.map((byte, i) => [`ctx[${i}]`, BigInt(byte)]));
    expect(evaluate(trace.r0!, values)).toBe(r0Of(one, withContext(...bytes)));
  }
}
