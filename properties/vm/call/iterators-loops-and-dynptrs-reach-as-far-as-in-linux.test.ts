/** How far iterators count, how often loops call, and which bytes a dynptr reaches: at every bound and next to it, as in Linux. */
import { expect, test } from 'vitest';
import { describeKnownKernel } from '../../support/kernel/skip.js';
import { sameInBoth } from '../../support/vm/linux.js';
import { answer, call, lines, note } from '../../support/vm/text.js';

const MAX_LOOPS = 8 * 1024 * 1024;
const INT_MIN = -0x8000_0000;
const INT_MAX = 0x7fff_ffff;

describeKnownKernel('iterators and loops', () => {
  const numbers = [
    INT_MIN,
    INT_MIN + 1,
    -MAX_LOOPS,
    -1,
    0,
    1,
    2,
    5,
    MAX_LOOPS - 1,
    MAX_LOOPS,
    MAX_LOOPS + 1,
    INT_MAX,
  ];
  const next = (kind: string, slot: number, done: string): string =>
    `${call(`bpf_iter_${kind}_next`, `fp${slot}`)}    if r0 == 0 goto ${done}\n${lines('r0 = *(u32 *)(r0 +0)')}${note}`;

  test('an iterator over numbers', () => {
    const seen = new Set<number>();
    for (const start of numbers) {
      for (const end of numbers) {
        const nexts = next('num', -8, 'done').repeat(3);
        const text = `.type syscall\n${lines('r9 = 0')}${call('bpf_iter_num_new', 'fp-8', `${start}`, `${end}`)}${note}${nexts}done:\n${call('bpf_iter_num_destroy', 'fp-8')}${answer}`;
        seen.add(sameInBoth(text, {}, `${start} to ${end}`));
      }
    }
    expect(seen.size).toBeGreaterThan(12);
  });

  test('an iterator after its end', () => {
    const text = `.type syscall\n${lines('r9 = 0')}${call('bpf_iter_num_new', 'fp-8', '0', '1')}${Array.from({ length: 4 }, (_, i) => `${call('bpf_iter_num_next', 'fp-8')}    if r0 == 0 goto none${i}\n${lines('r0 = 7')}none${i}:\n${note}`).join('')}${call('bpf_iter_num_destroy', 'fp-8')}${answer}`;
    sameInBoth(text);
  });

  test('an iterator over bits', () => {
    const words = '0100000000000080000000000000000000000000000000400300000000000000';
    for (const count of [INT_MIN, -1, 0, 1, 2, 3, 4, 511, 512, 513, INT_MAX]) {
      for (const from of [0, 8, 24]) {
        const text = `.type syscall
.map m array key=4 value=4096 entries=1 initial=${words}
${lines('r9 = 0', '*(u32 *)(r10 -20) = 0')}${call('bpf_map_lookup_elem', 'map m', 'fp-20')}    if r0 == 0 goto out
${lines('r6 = r0', `r6 += ${from}`)}${call('bpf_iter_bits_new', 'fp-16', 'r6', `${count}`)}${note}${next('bits', -16, 'done').repeat(6)}done:
${call('bpf_iter_bits_destroy', 'fp-16')}out:
${answer}`;
        if (8 * count + from <= 4096 || count < 0 || count > 511)
          sameInBoth(text, {}, `${count} words from ${from}`);
      }
    }
  });

  test('a record of so many bytes, with such flags', () => {
    const seen = new Set<number>();
    for (const size of [0, 1, 8, 4072, 4079, 4080, 4081, 4087, 4088, 4089, 4096, 0x3fff_ffff]) {
      for (const flags of [0, 1, 2, 4]) {
        const reserved = `.type syscall
.map rb ringbuf entries=4096
${lines('r9 = 0')}${call('bpf_ringbuf_reserve', 'map rb', `${size}`, `${flags}`)}    if r0 == 0 goto none
${call('bpf_ringbuf_discard', 'r0', '0')}${lines('r0 = 7')}${note}none:\n${answer}`;
        seen.add(sameInBoth(reserved, {}, `${size} bytes, flags ${flags}`));
        const dynptr = `.type syscall
.map rb ringbuf entries=4096
${lines('r9 = 0')}${call('bpf_ringbuf_reserve_dynptr', 'map rb', `${size}`, `${flags}`, 'fp-16')}    if r0 == 0 goto made\n${lines('r0 = 1')}made:\n${note}${call('bpf_ringbuf_discard_dynptr', 'fp-16', '0')}${answer}`;
        sameInBoth(dynptr, {}, `a dynptr of ${size} bytes, flags ${flags}`);
      }
    }
    expect(seen.size).toBe(2);
  });

  // Where Linux writes the loop out as insns, an error of bpf_loop fills only the low half of r0.
  const half = lines('r0 <<= 32', 'r0 s>>= 32');

  test('a loop of so many rounds, which stops early or not', () => {
    const seen = new Set<number>();
    for (const count of [0, 1, 2, 3, MAX_LOOPS, MAX_LOOPS + 1, INT_MIN, -1]) {
      for (const stop of [0, 1, 2]) {
        for (const flags of [0, 1, -1]) {
          const text = `.type syscall
${lines('r9 = 0', '*(u64 *)(r10 -8) = 0')}${call('bpf_loop', `${count}`, 'func round', 'fp-8', `${flags}`)}${half}${note}${lines('r0 = *(u64 *)(r10 -8)')}${note}${answer}round:
${lines('r0 = *(u64 *)(r2 +0)', 'r0 *= 7', 'r0 += r1', 'r0 += 1', '*(u64 *)(r2 +0) = r0', 'r0 = 0')}    if r1 != ${stop} goto out
${lines('r0 = 1')}out:
    exit`;
          seen.add(sameInBoth(text, {}, `${count} rounds, stops after ${stop}, flags ${flags}`));
        }
      }
    }
    expect(seen.size).toBeGreaterThan(5);
  });

  test('a loop inside a loop inside a loop', () => {
    const text = `.type syscall
${lines('r9 = 0', '*(u64 *)(r10 -8) = 0')}${call('bpf_loop', '3', 'func one', 'fp-8', '0')}${note}${lines('r0 = *(u64 *)(r10 -8)')}${note}${answer}one:
${lines('r6 = r2', 'r7 = r1')}${call('bpf_loop', '2', 'func two', 'r6', '0')}${lines('r1 = *(u64 *)(r6 +0)', 'r1 *= 3', 'r1 += r0', 'r1 += r7', '*(u64 *)(r6 +0) = r1', 'r0 = 0', 'exit')}two:
${lines('r6 = r2', 'r7 = r1')}${call('bpf_loop', '4', 'func three', 'r6', '0')}${lines('r1 = *(u64 *)(r6 +0)', 'r1 *= 5', 'r1 += r0', 'r1 += r7', '*(u64 *)(r6 +0) = r1', 'r0 = 0', 'exit')}three:
${lines('r3 = *(u64 *)(r2 +0)', 'r3 *= 7', 'r3 += r1', '*(u64 *)(r2 +0) = r3', 'r0 = 0')}    if r1 != 2 goto out
${lines('r0 = 1')}out:
    exit`;
    sameInBoth(text);
  });
});

/** Bytes behind the dynptrs. */
const SIZE = 24;
const BOUNDS = [0, 1, 8, SIZE - 8, SIZE - 7, SIZE - 1, SIZE, SIZE + 1, -1, INT_MIN];
const KINDS: Readonly<Record<string, { readonly start: string; readonly end: string }>> = {
  'map memory': {
    start: `.type tc
.map m array key=4 value=${SIZE} entries=1 initial=${Array.from({ length: SIZE }, (_, i) => (16 + i).toString(16)).join('')}
${lines('r9 = 0', '*(u32 *)(r10 -4) = 0')}${call('bpf_map_lookup_elem', 'map m', 'fp-4')}    if r0 == 0 goto out
${lines('r8 = r0')}${call('bpf_dynptr_from_mem', 'r8', `${SIZE}`, '0', 'fp-24')}${note}`,
    end: `${[0, 8, 16].map((off) => lines(`r0 = *(u64 *)(r8 +${off})`) + note).join('')}out:\n${answer}`,
  },
  'a record': {
    start: `.type tc
.map rb ringbuf entries=4096
${lines('r9 = 0')}${call('bpf_ringbuf_reserve_dynptr', 'map rb', `${SIZE}`, '0', 'fp-24')}${note}${call('bpf_dynptr_memset', 'fp-24', '0', `${SIZE}`, '9')}`,
    end: `${lines('*(u64 *)(r10 -64) = 0', '*(u64 *)(r10 -56) = 0')}${call('bpf_dynptr_read', 'fp-64', '16', 'fp-24', '4', '0')}${[-64, -56].map((off) => lines(`r0 = *(u64 *)(r10 ${off})`) + note).join('')}${call('bpf_ringbuf_discard_dynptr', 'fp-24', '0')}${answer}`,
  },
  'a dynptr to nothing': {
    start: `.type tc
.map rb ringbuf entries=4096
${lines('r9 = 0')}${call('bpf_ringbuf_reserve_dynptr', 'map rb', '8192', '0', 'fp-24')}`,
    end: `${call('bpf_ringbuf_discard_dynptr', 'fp-24', '0')}${answer}`,
  },
};
const buffer = lines('*(u64 *)(r10 -40) = 0x11223344', '*(u64 *)(r10 -32) = -2');
const noteBuffer = [-40, -32].map((off) => lines(`r0 = *(u64 *)(r10 ${off})`) + note).join('');
let labels = 0;
/** What a dynptr says of itself. Of a result that is a bool only the low byte means anything. */
const factsOf = (slot: number): string =>
  ['size', 'is_null', 'is_rdonly']
    .map(
      (fact) => call(`bpf_dynptr_${fact}`, `fp${slot}`) + (fact === 'size' ? '' : lines('r0 &= 0xff')) + note,
    )
    .join('');
/** r0 is a pointer or NULL: notes which, and the byte behind it. */
function notePointer(writes: boolean): string {
  const none = `none${labels++}`;
  return `    if r0 == 0 goto ${none}\n${writes ? lines('*(u8 *)(r0 +0) = 77') : ''}${lines('r0 = *(u8 *)(r0 +0)', 'r0 += 1000')}${none}:\n${note}`;
}

describeKnownKernel('dynptrs', () => {
  for (const [name, { start, end }] of Object.entries(KINDS)) {
    const each = (length: readonly number[], write: (at: number, size: number) => string): void => {
      const seen = new Set<number>();
      for (const at of BOUNDS)
        for (const size of length)
          seen.add(sameInBoth(`${start}${write(at, size)}${end}`, {}, `${name}, ${size} bytes at ${at}`));
      expect(seen.size).toBeGreaterThan(0);
    };

    test(`reads and writes of ${name}`, () => {
      each(
        [0, 1, 8, 16],
        (at, size) =>
          `${buffer}${call('bpf_dynptr_read', 'fp-40', `${size}`, 'fp-24', `${at}`, '0')}${note}${noteBuffer}`,
      );
      each(
        [0, 1, 8, 16],
        (at, size) =>
          `${buffer}${call('bpf_dynptr_write', 'fp-24', `${at}`, 'fp-40', `${size}`, '0')}${note}`,
      );
      for (const flags of [1, 2, 4, -1]) {
        const read = `${buffer}${call('bpf_dynptr_read', 'fp-40', '8', 'fp-24', '0', `${flags}`)}${note}${noteBuffer}`;
        const write = `${buffer}${call('bpf_dynptr_write', 'fp-24', '0', 'fp-40', '8', `${flags}`)}${note}`;
        sameInBoth(`${start}${read}${write}${end}`, {}, `${name}, flags ${flags}`);
      }
    });

    test(`parts of ${name}`, () => {
      each(
        [1, 8, SIZE, SIZE + 1],
        (at, size) => call('bpf_dynptr_data', 'fp-24', `${at}`, `${size}`) + notePointer(true),
      );
      each(
        [1, 8, 16],
        (at, size) => call('bpf_dynptr_slice', 'fp-24', `${at}`, '0', `${size}`) + notePointer(false),
      );
      each(
        [1, 8, 16],
        (at, size) => call('bpf_dynptr_slice_rdwr', 'fp-24', `${at}`, '0', `${size}`) + notePointer(true),
      );
    });

    test(`${name}, filled and copied`, () => {
      each(
        [0, 1, 8, SIZE, -1],
        (at, size) => call('bpf_dynptr_memset', 'fp-24', `${at}`, `${size}`, '0x1ff') + note,
      );
      each([0, 1, 8, SIZE], (at, size) => {
        const clone = call('bpf_dynptr_clone', 'fp-24', 'fp-88');
        return `${clone}${call('bpf_dynptr_copy', 'fp-88', `${at}`, 'fp-24', '4', `${size}`)}${note}${call('bpf_dynptr_copy', 'fp-24', '3', 'fp-88', `${at}`, `${size}`)}${note}`;
      });
    });

    test(`${name}, made smaller twice`, () => {
      const facts = factsOf(-88);
      each(BOUNDS, (at, to) => {
        const clone = call('bpf_dynptr_clone', 'fp-24', 'fp-88');
        const first = call('bpf_dynptr_adjust', 'fp-88', `${at}`, `${to}`) + note + facts;
        const second = call('bpf_dynptr_adjust', 'fp-88', '1', '9') + note + facts;
        const read = `${buffer}${call('bpf_dynptr_read', 'fp-40', '8', 'fp-88', '0', '0')}${note}${noteBuffer}`;
        return clone + first + second + read;
      });
    });
  }

  const PACKET = { data: Uint8Array.from({ length: 64 }, (_, i) => 5 * i) };
  for (const type of ['xdp', 'tc', 'cgroup_skb'] as const) {
    test(`of a packet of ${type}`, () => {
      const make = type === 'xdp' ? 'bpf_dynptr_from_xdp' : 'bpf_dynptr_from_skb';
      const begin = `.type ${type}\n${lines('r9 = 0', 'r6 = r1')}${call(make, 'r6', '0', 'fp-24')}${note}`;
      const facts = factsOf(-24);
      const finish =
        type === 'cgroup_skb' ? `${lines('r0 = r9', 'r9 >>= 32', 'r0 ^= r9', 'r0 &= 1', 'exit')}` : answer;
      for (const at of [0, 1, 12, 41, 42, 43, 49, 50, 55, 56, 57, 64, -1]) {
        const read = `${buffer}${call('bpf_dynptr_read', 'fp-40', '8', 'fp-24', `${at}`, '0')}${note}${noteBuffer}`;
        const slice = call('bpf_dynptr_slice', 'fp-24', `${at}`, 'fp-40', '8') + notePointer(false);
        sameInBoth(`${begin}${facts}${read}${slice}${finish}`, PACKET, `${type}, 8 bytes at ${at}`);
        if (type === 'cgroup_skb') continue;
        const write = `${buffer}${call('bpf_dynptr_write', 'fp-24', `${at}`, 'fp-40', '8', '0')}${note}`;
        sameInBoth(`${begin}${write}${read}${finish}`, PACKET, `${type}, 8 bytes written at ${at}`);
      }
    });
  }
});
