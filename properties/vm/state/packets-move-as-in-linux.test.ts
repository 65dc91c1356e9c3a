/** Helpers that copy bytes of a packet and move its bounds: at every bound and next to it, with every flag, as Linux has it. */
import { expect, test } from 'vitest';
import { HEADROOM } from '../../../src/vm/state/packet.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';
import { sameInBoth } from '../../support/vm/linux.js';
import { ABOVE, answer, call, lines, note, withAbove } from '../../support/vm/text.js';

const LENGTH = 64;
const PACKET = { data: Uint8Array.from({ length: LENGTH }, (_, i) => 7 * i + 1) };
const ROOM = 300;
const OFFSETS = [
  0,
  1,
  14,
  LENGTH - 8,
  LENGTH - 7,
  LENGTH - 1,
  LENGTH,
  LENGTH + 1,
  0xffff,
  0x1_0000,
  0x7fff_ffff,
];
const SIZES = [1, 2, 8, 16];
const buffer = lines('*(u64 *)(r10 -16) = 0x55667788', '*(u64 *)(r10 -8) = -3');
const noteBuffer = [-16, -8].map((off) => lines(`r0 = *(u64 *)(r10 ${off})`) + note).join('');
const begin = (type: string): string => `.type ${type}\n${lines('r9 = 0', 'r6 = r1')}`;

/** Notes how long the packet is, and its metadata, as the program of this type sees them. */
function noteLengths(type: 'xdp' | 'tc'): string {
  if (type === 'tc') return lines('r0 = *(u32 *)(r6 +0)') + note;
  return (
    lines('r2 = *(u32 *)(r6 +4)', 'r0 = *(u32 *)(r6 +0)', 'r2 -= r0', 'r0 = r2') +
    note +
    lines('r2 = *(u32 *)(r6 +0)', 'r0 = *(u32 *)(r6 +8)', 'r2 -= r0', 'r0 = r2') +
    note
  );
}

describeKnownKernel('packets move as in Linux', () => {
  for (const [type, name] of [
    ['tc', 'skb'],
    ['xdp', 'xdp'],
  ] as const) {
    test(`bytes of ${name} are copied`, () => {
      const seen = new Set<number>();
      for (const at of OFFSETS) {
        for (const size of SIZES) {
          const load = call(`bpf_${name}_load_bytes`, 'r6', `${at}`, 'fp-16', `${size}`) + note + noteBuffer;
          const store = (flags: number): string =>
            call(
              `bpf_${name}_store_bytes`,
              'r6',
              `${at}`,
              'fp-16',
              `${size}`,
              ...(name === 'skb' ? [`${flags}`] : []),
            ) + note;
          seen.add(
            sameInBoth(`${begin(type)}${buffer}${load}${answer}`, PACKET, `${size} bytes loaded at ${at}`),
          );
          for (const flags of name === 'skb' ? [0, 1, 2, 3, 4, -1] : [0])
            sameInBoth(
              `${begin(type)}${buffer}${store(flags)}${load}${answer}`,
              PACKET,
              `${size} bytes stored at ${at}, flags ${flags}`,
            );
        }
      }
      expect(seen.size).toBeGreaterThan(SIZES.length);
    });
  }

  test('bytes by the old loads', () => {
    for (const size of ['u8', 'u16', 'u32']) {
      for (const at of [0, 1, 14, LENGTH - 4, LENGTH - 3, LENGTH - 2, LENGTH - 1, LENGTH, LENGTH + 5]) {
        sameInBoth(
          `${begin('tc')}    r0 = *(${size} *)skb[${at}]\n${lines('r7 = r0', 'r0 = r7', 'exit')}`,
          PACKET,
        );
        sameInBoth(
          `${begin('tc')}${lines(`r7 = ${at}`)}    r0 = *(${size} *)skb[r7 +1]\n${lines('exit')}`,
          PACKET,
        );
      }
    }
  });

  const moves: Readonly<Record<string, readonly number[]>> = {
    head: [0, 1, -1, 4, 49, 50, 51, LENGTH, -HEADROOM + 1, -HEADROOM, -HEADROOM - 1],
    tail: [0, 1, -1, -49, -50, -51, -LENGTH, 8, ROOM - 1, ROOM, ROOM + 1, 4000],
    meta: [0, 1, -1, -4, -8, 4, -32, -36, -252, -256, -260, -HEADROOM, -HEADROOM - 4],
  };
  for (const [what, distances] of Object.entries(moves)) {
    test(`the ${what} of an XDP packet`, () => {
      const seen = new Set<number>();
      for (const first of distances) {
        for (const second of [0, -4, 4, -20]) {
          const move = (end: string, by: number): string =>
            call(`bpf_xdp_adjust_${end}`, 'r6', `${by}`) + note + noteLengths('xdp');
          const then = move('meta', second) + move('head', second) + move('tail', second);
          // User space gets metadata back in front of the packet only by its context, so it is taken off first.
          const flat = call('bpf_xdp_adjust_meta', 'r6', '0') + note;
          seen.add(
            sameInBoth(
              `${begin('xdp')}${move(what, first)}${then}${flat}${answer}`,
              PACKET,
              `${what} by ${first}, all by ${second}`,
            ),
          );
        }
      }
      expect(seen.size).toBeGreaterThan(4);
    });
  }

  for (const [name, lengths] of [
    ['bpf_skb_change_tail', [14, 15, 33, 34, 63, 64, 65, 200, 16_065, -1]],
    ['bpf_skb_change_head', [0, 1, 4, 64, 16_001, 0x7fff_ffff, -1]],
  ] as const) {
    test(`${name}`, () => {
      for (const length of lengths) {
        for (const flags of [0, 1, -1]) {
          const change = call(name, 'r6', `${length}`, `${flags}`) + note + noteLengths('tc');
          sameInBoth(`${begin('tc')}${change}${answer}`, PACKET, `${name} ${length}, flags ${flags}`);
        }
      }
    });
  }

  test.each(Object.keys(ABOVE) as (keyof typeof ABOVE)[])(
    'with %s above the 32 bits of an argument',
    (what) => {
      const rows: readonly (readonly ['tc' | 'xdp', string, ...string[]])[] = [
        ...['4', '-4', '51'].flatMap((by) =>
          ['head', 'tail', 'meta'].map((end) => ['xdp', `bpf_xdp_adjust_${end}`, by] as const),
        ),
        ['tc', 'bpf_skb_load_bytes', '4', 'fp-16', '8'],
        ['xdp', 'bpf_xdp_load_bytes', '4', 'fp-16', '8'],
        ['xdp', 'bpf_xdp_store_bytes', '4', 'fp-16', '8'],
        ['tc', 'bpf_skb_store_bytes', '4', 'fp-16', '8', '0'],
        ['tc', 'bpf_skb_change_tail', '80', '0'],
        ['tc', 'bpf_skb_change_head', '8', '0'],
      ];
      for (const [type, name, ...args] of rows)
        for (const [at, arg] of args.entries()) {
          // Addresses are whole, and so are the sizes of buffers.
          if (arg === 'fp-16' || args[at - 1] === 'fp-16') continue;
          const made = withAbove(what, at + 2, name, 'r6', ...args) + note + noteLengths(type);
          const text = `${begin(type)}${buffer}${made}${noteBuffer}${type === 'xdp' ? call('bpf_xdp_adjust_meta', 'r6', '0') : ''}${answer}`;
          sameInBoth(text, PACKET, `${name} ${args.join(' ')}, argument ${at + 2}`);
        }
    },
  );
});
