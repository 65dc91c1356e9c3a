/** A test run gives back r0, packet, context and maps as the insns say, and what must not be run is not run. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  add,
  alu,
  callHelper,
  exit,
  jmp,
  ldImm64,
  ldMap,
  ldx,
  lsh,
  mov,
  r0,
  r1,
  r2,
  r3,
  r6,
  r10,
  rsh,
  st,
  stx,
  xor,
} from '../../src/isa/build.js';
import type { BinaryOp } from '../../src/isa/insn.js';
import { type Item, label } from '../../src/isa/label.js';
import { PROG_TYPES, type Program, type ProgType } from '../../src/object/program.js';
import { type Loaded, loadProgram } from '../../src/oracle/load.js';
import { possibleCpus } from '../../src/oracle/maps.js';
import { drainRingbuf } from '../../src/oracle/ringbuf.js';
import { refuseToRun, type TestInput, type TestRunResult, testRun } from '../../src/oracle/testrun.js';
import { programOf, rawProgram, smallMap } from '../support/kernel/programs.js';
import { describeKernel, messagesKnown } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

function withLoaded<T>(program: Program, body: (loaded: Loaded) => T): T {
  const loaded = loadProgram(program);
  if (!loaded.ok) throw new Error(`${loaded.errno}: ${loaded.message}\n${loaded.log}`);
  try {
    return body(loaded);
  } finally {
    loaded.close();
  }
}

function run(program: Program, input?: TestInput): TestRunResult & { ok: true } {
  const result = withLoaded(program, (loaded) => testRun(program, loaded, input));
  if (!result.ok) throw new Error(result.message);
  return result;
}

/** 64-bit arithmetic as RFC 9669 defines it. */
const REFERENCE: readonly (readonly [BinaryOp, (a: bigint, b: bigint) => bigint])[] = [
  ['add', (a, b) => a + b],
  ['sub', (a, b) => a - b],
  ['mul', (a, b) => a * b],
  ['div', (a, b) => (b === 0n ? 0n : a / b)],
  ['mod', (a, b) => (b === 0n ? a : a % b)],
  ['or', (a, b) => a | b],
  ['and', (a, b) => a & b],
  ['xor', (a, b) => a ^ b],
];

describeKernel('kernel test runs return what the program computes', () => {
  it('64-bit arithmetic, both halves', () => {
    const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    fc.assert(
      fc.property(
        fc.constantFrom(...REFERENCE),
        word,
        fc.oneof(word, fc.constant(0n)),
        ([op, apply], a, b) => {
          const half = (upper: boolean): number =>
            run(
              programOf('xdp', [
                ldImm64(r0, a),
                ldImm64(r1, b),
                alu(op, r0, r1),
                ...(upper ? [rsh(r0, 32)] : []),
                exit(),
              ]),
            ).retval;
          const expected = BigInt.asUintN(64, apply(a, b));
          expect((BigInt(half(true)) << 32n) | BigInt(half(false))).toBe(expected);
        },
      ),
      seeded(200),
    );
  });

  it('the packet afterwards', () => {
    const program = programOf('xdp', [
      ldx(4, r2, r1, 0),
      ldx(4, r3, r1, 4),
      mov(r0, r2),
      add(r0, 14),
      jmp('gt', r0, r3, 'short'),
      ldx(1, r6, r2, 13),
      xor(r6, 0xff),
      stx(1, r2, 13, r6),
      mov(r0, r6),
      exit(),
      label('short'),
      mov(r0, 1000),
      exit(),
    ]);
    withLoaded(program, (loaded) => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 14, maxLength: 1500 }), (data) => {
          const kept = Buffer.from(data);
          const result = testRun(program, loaded, { data });
          if (!result.ok) throw new Error(result.message);
          const expected = Buffer.from(data);
          expected[13] = data[13]! ^ 0xff;
          expect(result.retval).toBe(expected[13]);
          expect(Buffer.from(result.dataOut).equals(expected)).toBe(true);
          expect(Buffer.from(data).equals(kept)).toBe(true);
        }),
        seeded(200),
      );
    });
  });

  it('the context of a syscall program, written in place by the kernel but not in our bytes', () => {
    const program = programOf('syscall', [
      ldx(4, r6, r1, 4),
      lsh(r6, 1),
      stx(4, r1, 0, r6),
      mov(r0, r6),
      exit(),
    ]);
    const ctx = new Uint8Array([1, 2, 3, 4, 21, 0, 0, 0]);
    const result = run(program, { ctx });
    expect(result.retval).toBe(42);
    expect([...result.ctxOut]).toEqual([42, 0, 0, 0, 21, 0, 0, 0]);
    expect([...ctx]).toEqual([1, 2, 3, 4, 21, 0, 0, 0]);
  });

  it('maps: what the user wrote, what the program made of it', () => {
    const increment: Item[] = [
      st(4, r10, -4, 1),
      ldMap(r1, 0),
      mov(r2, r10),
      add(r2, -4),
      callHelper(1),
      jmp('eq', r0, 0, 'none'),
      ldx(8, r1, r0, 0),
      add(r1, 1),
      stx(8, r0, 0, r1),
      mov(r0, 1),
      exit(),
      label('none'),
      mov(r0, 0),
      exit(),
    ];
    for (const type of ['array', 'hash', 'lru_hash', 'percpu_array'] as const) {
      const program = programOf('xdp', increment, { maps: [smallMap(type)] });
      withLoaded(program, (loaded) => {
        const [map] = loaded.maps;
        const key = Buffer.from([1, 0, 0, 0]);
        const value = Buffer.alloc(map!.entrySize);
        const copies = type === 'percpu_array' ? possibleCpus() : 1;
        for (let cpu = 0; cpu < copies; cpu++) value.writeBigUInt64LE(41n, 8 * cpu);
        map!.update(key, value);
        expect(testRun(program, loaded)).toMatchObject({ ok: true, retval: 1 });
        const after = Buffer.from(map!.lookup(key)!);
        const sum = Array.from({ length: copies }, (_, cpu) => after.readBigUInt64LE(8 * cpu));
        expect(sum.reduce((a, b) => a + b)).toBe(41n * BigInt(copies) + 1n);
        const keys = map!.keys().map((found) => Buffer.from(found).readUInt32LE(0));
        expect(keys).toEqual(type.endsWith('array') ? [0, 1, 2, 3] : [1]);
        expect(map!.entries()).toHaveLength(keys.length);
        if (!type.endsWith('array')) {
          expect(map!.delete(key)).toBe(true);
          expect(map!.delete(key)).toBe(false);
          expect(map!.lookup(key)).toBeUndefined();
          expect(testRun(program, loaded)).toMatchObject({ ok: true, retval: 0 });
        }
        expect(() => map!.lookup(Buffer.alloc(3))).toThrow(RangeError);
      });
    }
  });

  it('a ring buffer: what was submitted, in order, without what was discarded', () => {
    const record = (done: 132 | 133, value: number): Item[] => [
      ldMap(r1, 0),
      mov(r2, 12),
      mov(r3, 0),
      callHelper(131),
      jmp('eq', r0, 0, 'full'),
      st(8, r0, 0, value),
      st(4, r0, 8, value + 1),
      mov(r1, r0),
      mov(r2, 0),
      callHelper(done),
    ];
    const program = programOf(
      'xdp',
      [
        ...record(132, 10),
        ...record(133, 20),
        ...record(132, 30),
        mov(r0, 0),
        exit(),
        label('full'),
        mov(r0, 1),
        exit(),
      ],
      { maps: [smallMap('ringbuf')] },
    );
    withLoaded(program, (loaded) => {
      const [map] = loaded.maps;
      expect(drainRingbuf(map!)).toEqual([]);
      // Past the end of the buffer several times, so that records wrap around.
      for (let i = 0; i < 300; i++) {
        expect(testRun(program, loaded)).toMatchObject({ retval: 0 });
        const found = drainRingbuf(map!).map((bytes) => Buffer.from(bytes));
        expect(found.map((bytes) => [bytes.length, bytes.readUInt32LE(0), bytes.readUInt32LE(8)])).toEqual([
          [12, 10, 11],
          [12, 30, 31],
        ]);
      }
      let runs = 0;
      for (;;) {
        const result = testRun(program, loaded);
        if (!result.ok || result.retval !== 0) break;
        runs++;
      }
      // 24 bytes each with its header, three a run, discarded ones included.
      expect(runs).toBe(Math.floor((4096 - 1) / 72));
      expect(drainRingbuf(map!).length).toBeGreaterThanOrEqual(2 * runs);
      expect(testRun(program, loaded)).toMatchObject({ retval: 0 });
    });
  });

  it('a frozen map is a constant to the verifier', () => {
    const maps = [
      {
        ...smallMap('array', '.rodata'),
        maxEntries: 1,
        flags: 1 << 7,
        initial: new Uint8Array([7, 0, 0, 0]),
        frozen: true,
      },
    ];
    // Were the value not known to be 7, the read of the unwritten r2 would be refused.
    const program = programOf(
      'xdp',
      [
        { kind: 'ld_imm64', dst: 1, as: 'map_value', imm: 0, hi: 0 },
        ldx(4, r0, r1, 0),
        jmp('eq', r0, 7, 'seven'),
        mov(r0, r2),
        label('seven'),
        exit(),
      ],
      { maps },
    );
    expect(run(program).retval).toBe(7);
    const thawed = loadProgram({ ...program, maps: [{ ...maps[0]!, frozen: false }] });
    expect(thawed).toMatchObject({ ok: false, errno: 'EACCES', message: 'R2 !read_ok' });
  });

  it('a tail call runs the other program', () => {
    const target = programOf('xdp', [mov(r0, 99), exit()]);
    const caller = programOf('xdp', [ldMap(r2, 0), mov(r3, 2), callHelper(12), mov(r0, 1), exit()], {
      maps: [smallMap('prog_array')],
    });
    withLoaded(target, (callee) =>
      withLoaded(caller, (loaded) => {
        expect(testRun(caller, loaded)).toMatchObject({ retval: 1 });
        loaded.maps[0]!.setProgram(2, callee.fd);
        expect(testRun(caller, loaded)).toMatchObject({ retval: 99 });
      }),
    );
  });

  it.skipIf(!messagesKnown())('input the kernel will not take is an answer, not an exception', () => {
    const packet = programOf('xdp', [mov(r0, 2), exit()]);
    withLoaded(packet, (loaded) => {
      expect(testRun(packet, loaded, { data: new Uint8Array(13) })).toMatchObject({
        ok: false,
        errno: 'EINVAL',
      });
      expect(testRun(packet, loaded, { data: new Uint8Array(1 << 20) })).toMatchObject({ ok: false });
    });
    const trace = programOf('tracepoint', [mov(r0, 0), exit()]);
    withLoaded(trace, (loaded) =>
      expect(testRun(trace, loaded)).toMatchObject({ ok: false, errno: 'EPERM' }),
    );
  });

  it.skipIf(!messagesKnown())('every type that has a test run runs, on a packet or on a context', () => {
    const args = Buffer.from('0100000000000000efbeadde00000000', 'hex');
    const lookup = Buffer.alloc(72);
    lookup.writeUInt32LE(2, 8); // AF_INET
    const ip = Buffer.from('0000000000000000000000000800450000140000000000060000000000000000', 'hex');
    const inputs: Partial<Record<ProgType, { readonly attach?: number; readonly input?: TestInput }>> = {
      xdp: {},
      tc: {},
      action: {},
      socket_filter: {},
      cgroup_skb: {},
      lwt_in: {},
      lwt_out: {},
      lwt_xmit: {},
      flow_dissector: { input: { data: ip } },
      netfilter: { attach: 45, input: { data: Buffer.concat([ip, Buffer.alloc(16)]) } },
      syscall: {},
      raw_tracepoint: { input: { ctx: args } },
      sk_lookup: { attach: 36, input: { ctx: lookup } },
    };
    for (const type of PROG_TYPES) {
      const asked = inputs[type];
      const body = type === 'raw_tracepoint' ? ldx(8, r0, r1, 8) : mov(r0, 1);
      const program: Program = {
        ...programOf(type, [body, exit()]),
        ...(asked?.attach !== undefined && { attach: { type: asked.attach } }),
      };
      if (asked === undefined) {
        expect(refuseToRun(program), type).toBe(`the kernel has no test run for ${type} programs`);
        continue;
      }
      expect(run(program, asked.input).retval, type).toBe(type === 'raw_tracepoint' ? 0xdead_beef : 1);
    }
  });

  it('helpers and kfuncs that reach beyond the program are not run', () => {
    for (const id of [13, 36, 109, 117, 124, 166, 168]) {
      expect(refuseToRun(programOf('xdp', [callHelper(id), exit()]))).toMatch(/^insn 0: bpf_/);
    }
    for (const name of ['crash_kexec', 'bpf_sock_destroy', 'bpf_send_signal_task']) {
      const call: Item = { kind: 'call', target: 'kfunc', imm: 0 };
      expect(refuseToRun(programOf('syscall', [mov(r0, 0), call, exit()], { kfuncs: [name] }))).toContain(
        name,
      );
    }
    expect(refuseToRun(programOf('xdp', [callHelper(5), exit()]))).toBeUndefined();
    // The guard stands before the call: the descriptor is one that no program has.
    const signal = programOf('tc', [mov(r1, 9), callHelper(109), exit()]);
    const nothing: Loaded = { ok: true, fd: -1, maps: [], log: '', logCut: false, close: () => undefined };
    expect(testRun(signal, nothing)).toMatchObject({ ok: false, errno: 'EPERM' });
    expect(testRun(rawProgram('xdp', []), nothing)).toMatchObject({ ok: false, errno: 'EBADF' });
  });
});
