/** The running kernel and the VM, side by side: what a program computes, and what it does to a packet and a context. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyCounts, tallyFor } from '../../src/campaign/agreement/counts.js';
import { openValues, RUNNABLE } from '../../src/campaign/agreement/values.js';
import type { TestInput } from '../../src/oracle/testrun.js';
import { parseCase } from '../../src/vm/case/case.js';
import { HEADROOM } from '../../src/vm/state/packet.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';
import { update } from '../support/texts.js';
import { inKernel, inVm } from '../support/vm/linux.js';
import { tameProgram } from '../support/vm/random-programs.js';

/** Programs of each kind that are compared here, each on this many inputs. */
const PROGRAMS = 40;
const RUNS = 4;
describeKnownKernel('the kernel runs programs as the VM does', () => {
  test('arithmetic, memory, atomics and jumps', () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(tameProgram, (program) => {
        const kernel = inKernel(program);
        if ('refused' in kernel) {
          refused++;
          return;
        }
        accepted++;
        const vm = inVm(program);
        expect(vm.violations).toEqual([]);
        expect(vm.retval).toBe(kernel.retval);
      }),
      seeded(1500),
    );
    expect(accepted).toBeGreaterThan(20 * refused);
  });

  const CASES: readonly (readonly [string, string, TestInput])[] = [
    [
      'packet bytes, in and out',
      `.type xdp
    r6 = *(u32 *)(r1 +0)
    r2 = *(u32 *)(r1 +4)
    r3 = r6
    r3 += 20
    r0 = 1
    if r3 > r2 goto out
    r0 = *(u32 *)(r6 +14)
    r0 = be32 r0
    *(u16 *)(r6 +2) = r0
out:
    exit`,
      { data: Uint8Array.from({ length: 64 }, (_, i) => 7 * i) },
    ],
    [
      'the length of a packet',
      `.type xdp
    r2 = *(u32 *)(r1 +4)
    r0 = *(u32 *)(r1 +0)
    r2 -= r0
    r0 = r2
    exit`,
      { data: new Uint8Array(77) },
    ],
    [
      'an adjusted head',
      `.type xdp
    r6 = r1
    r2 = 8
    call bpf_xdp_adjust_head
    r2 = *(u32 *)(r6 +4)
    r0 = *(u32 *)(r6 +0)
    r2 -= r0
    r0 = r2
    exit`,
      { data: new Uint8Array(64) },
    ],
    [
      'metadata that moves with the head',
      `.type xdp
    r6 = r1
    r2 = -8
    call bpf_xdp_adjust_meta
    r7 = r0
    r2 = *(u32 *)(r6 +8)
    r3 = *(u32 *)(r6 +0)
    r4 = r2
    r4 += 8
    if r4 > r3 goto out
    *(u32 *)(r2 +0) = 1234
    *(u32 *)(r2 +4) = 5678
    r1 = r6
    r2 = 20
    call bpf_xdp_adjust_head
    r7 += r0
    r2 = *(u32 *)(r6 +8)
    r3 = *(u32 *)(r6 +0)
    r4 = r2
    r4 += 8
    if r4 > r3 goto out
    r7 = *(u32 *)(r2 +0)
    r2 = *(u32 *)(r2 +4)
    r7 *= r2
out:
    r0 = r7
    exit`,
      { data: Uint8Array.from({ length: 64 }, (_, i) => 9 * i) },
    ],
    [
      'metadata of lengths that are refused',
      `.type xdp
    r6 = r1
    r2 = -6
    call bpf_xdp_adjust_meta
    r7 = r0
    r1 = r6
    r2 = -300
    call bpf_xdp_adjust_meta
    r7 *= 100
    r7 += r0
    r1 = r6
    r2 = 4
    call bpf_xdp_adjust_meta
    r7 *= 100
    r7 += r0
    r0 = r7
    exit`,
      { data: new Uint8Array(64) },
    ],
    [
      'a tail that shrinks and grows again is clear',
      `.type xdp
    r6 = r1
    r2 = -20
    call bpf_xdp_adjust_tail
    r7 = r0
    r1 = r6
    r2 = 40
    call bpf_xdp_adjust_tail
    r7 += r0
    r1 = r6
    r2 = 4000
    call bpf_xdp_adjust_tail
    r0 += r7
    exit`,
      { data: Uint8Array.from({ length: 64 }, () => 255) },
    ],
    [
      'bytes loaded by a helper, and past the end',
      `.type tc
    r6 = r1
    r2 = 60
    r3 = r10
    r3 += -8
    r4 = 8
    call bpf_skb_load_bytes
    r7 = r0
    r1 = r6
    r2 = 16
    r3 = r10
    r3 += -8
    r4 = 8
    call bpf_skb_load_bytes
    r0 = *(u32 *)(r10 -8)
    r0 += r7
    exit`,
      { data: Uint8Array.from({ length: 64 }, (_, i) => 3 * i) },
    ],
    [
      'map operations',
      `.type syscall
.map h hash key=4 value=8 entries=2
    r6 = 0
    r7 = 0
again:
    *(u32 *)(r10 -4) = r6
    *(u64 *)(r10 -16) = r6
${update('h')}
    r7 *= 100
    r7 += r0
    r6 += 1
    if r6 < 4 goto again
    *(u32 *)(r10 -4) = 1
    r1 = map h
    r2 = r10
    r2 += -4
    call bpf_map_delete_elem
    r7 += r0
    r1 = map h
    r2 = r10
    r2 += -4
    call bpf_map_delete_elem
    r7 *= 100
    r7 += r0
    r0 = r7
    exit`,
      {},
    ],
    [
      'update flags',
      `.type syscall
.map h hash key=4 value=8 entries=2
    *(u32 *)(r10 -4) = 1
    *(u64 *)(r10 -16) = 5
${update('h', 2)}
    r6 = r0
${update('h', 1)}
    r6 *= 100
    r6 += r0
${update('h', 1)}
    r6 *= 100
    r6 += r0
${update('h', 7)}
    r6 *= 100
    r6 += r0
    r0 = r6
    exit`,
      {},
    ],
    [
      'an update that is to take a lock, where there is none',
      `.type syscall
.map a array key=4 value=8 entries=2
    r6 = 0
    r7 = 0
again:
    *(u32 *)(r10 -4) = 9
    *(u64 *)(r10 -16) = 5
    r1 = map a
    r2 = r10
    r2 += -4
    if r6 == 0 goto update
    *(u32 *)(r10 -4) = 1
update:
    r3 = r10
    r3 += -16
    r4 = 4
    call bpf_map_update_elem
    r7 *= 100
    r7 += r0
    r6 += 1
    if r6 < 2 goto again
    r0 = r7
    exit`,
      {},
    ],
    [
      'an iterator over numbers',
      `.type syscall
    r1 = r10
    r1 += -8
    r2 = -3
    r3 = 4
    call bpf_iter_num_new
    r6 = r0
loop:
    r1 = r10
    r1 += -8
    call bpf_iter_num_next
    if r0 == 0 goto done
    r1 = *(u32 *)(r0 +0)
    w6 *= 5
    w6 += w1
    goto loop
done:
    r1 = r10
    r1 += -8
    call bpf_iter_num_destroy
    r0 = r6
    exit`,
      {},
    ],
    [
      'an iterator from back to front',
      `.type syscall
    r1 = r10
    r1 += -8
    r2 = 4
    r3 = -3
    call bpf_iter_num_new
    r6 = r0
    r1 = r10
    r1 += -8
    call bpf_iter_num_next
    if r0 == 0 goto done
    r6 = 1
done:
    r1 = r10
    r1 += -8
    call bpf_iter_num_destroy
    r0 = r6
    exit`,
      {},
    ],
    [
      'a context that is written',
      `.type syscall
    r0 = *(u64 *)(r1 +8)
    *(u64 *)(r1 +0) = r0
    *(u8 *)(r1 +15) = 3
    exit`,
      { ctx: Uint8Array.from({ length: 16 }, (_, i) => 17 * i) },
    ],
  ];
  for (const [name, text, input] of CASES) {
    test(name, () => {
      const { program } = parseCase(text);
      const kernel = inKernel(program, input);
      if ('refused' in kernel) throw new Error(kernel.refused);
      const vm = inVm(program, input);
      expect(vm.violations).toEqual([]);
      expect(vm.retval).toBe(kernel.retval);
      if (input.data)
        expect(Buffer.from(vm.packet).toString('hex')).toBe(Buffer.from(kernel.dataOut).toString('hex'));
      if (input.ctx) {
        expect(Buffer.from(vm.ctx.slice(0, input.ctx.length)).toString('hex')).toBe(
          Buffer.from(kernel.ctxOut).toString('hex'),
        );
      }
    });
  }

  test.each(['generated', 'straight'] as const)('%s programs compute the same, in the same world', (kind) => {
    const open = openValues({ kind });
    const found = emptyCounts();
    const tally = tallyFor(found);
    const seed = seeded(0).seed ?? 0;
    try {
      for (let index = 0; index < PROGRAMS; index++) open.compare(seed, index, tally);
    } finally {
      open.close();
    }
    expect(found.differences).toEqual({});
    // What our verifier took, Linux takes.
    expect(
      Object.keys(found.counts).filter((what) => what.includes('refused') && !what.includes('verifier bug')),
    ).toEqual([]);
    // Few are left out, and all types are among them.
    expect(found.counts['test runs']).toBeGreaterThan(0.9 * RUNS * PROGRAMS);
    for (const type of RUNNABLE) expect(found.counts[`test runs: ${type}`], type).toBeGreaterThan(0);
  });

  test('headroom is what the kernel gives a packet', () => {
    const text = (by: number): string => `.type xdp\n    r2 = ${by}\n    call bpf_xdp_adjust_head\n    exit`;
    for (const by of [-HEADROOM - 1, -HEADROOM, -8, 50, 51]) {
      const { program } = parseCase(text(by));
      const kernel = inKernel(program, { data: new Uint8Array(64) });
      if ('refused' in kernel) throw new Error(kernel.refused);
      expect(inVm(program, { data: new Uint8Array(64) }).retval, `${by}`).toBe(kernel.retval);
    }
  });
});
