/** Every operation on a map, with every flag, on an element that is there, one that is not, and one that does not fit: as Linux answers. */
import { expect, test } from 'vitest';
import { describeKnownKernel } from '../../support/kernel/skip.js';
import { sameInBoth } from '../../support/vm/linux.js';
import { answer, call, lines, note } from '../../support/vm/text.js';

const LOCKS = 'spin_lock@0';
const MAPS: readonly (readonly [name: string, map: string])[] = [
  ['an array', 'array key=4 value=16 entries=2'],
  ['an array with locks', `array key=4 value=16 entries=2 ${LOCKS}`],
  ['an array of each CPU', 'percpu_array key=4 value=16 entries=2'],
  ['a hash', 'hash key=4 value=16 entries=2'],
  ['a hash that allocates late', 'hash key=4 value=16 entries=2 flags=1'],
  ['a hash with locks', `hash key=4 value=16 entries=2 ${LOCKS}`],
  ['a hash of each CPU', 'percpu_hash key=4 value=16 entries=2'],
  ['an LRU hash', 'lru_hash key=4 value=16 entries=64'],
];
/** BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK, all their sums, and bits that mean nothing. */
const FLAGS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '16', '-1', '0x100000000 ll'];

const key = (value: number): string => lines(`*(u32 *)(r10 -4) = ${value}`);
const update = (at: number, value: number, flags: string): string =>
  key(at) +
  lines(`*(u64 *)(r10 -24) = ${value}`, `*(u64 *)(r10 -16) = ${value + 1}`) +
  call('bpf_map_update_elem', 'map m', 'fp-4', 'fp-24', flags) +
  note;
const remove = (at: number): string => key(at) + call('bpf_map_delete_elem', 'map m', 'fp-4') + note;
let labels = 0;
function lookup(at: number): string {
  const none = `none${labels++}`;
  const words = [0, 4, 8, 12].flatMap((off) => [`r1 = *(u32 *)(r0 +${off})`, 'r9 *= 31', 'r9 += r1']);
  // The lock's own bytes are not for programs to read.
  return `${key(at)}${call('bpf_map_lookup_elem', 'map m', 'fp-4')}    if r0 == 0 goto ${none}\n${lines(...words.slice(3))}${none}:\n${lines('r9 *= 31')}`;
}

describeKnownKernel('maps answer as in Linux', () => {
  for (const [name, map] of MAPS) {
    test(name, () => {
      const seen = new Set<number>();
      for (const flags of FLAGS) {
        for (const [state, before] of Object.entries({
          empty: '',
          'one element': update(1, 50, '0'),
          full: update(1, 50, '0') + update(0, 60, '0'),
          'one taken out': update(1, 50, '0') + update(0, 60, '0') + remove(0),
        })) {
          for (const at of [0, 1, 2, 0x7fff_ffff]) {
            const text = `.type syscall\n.map m ${map}\n${lines('r9 = 0')}${before}${update(at, 70, flags)}${lookup(at)}${lookup(1)}${remove(at)}${lookup(at)}${remove(at)}${answer}`;
            seen.add(sameInBoth(text, {}, `${name}, ${state}, flags ${flags}, key ${at}`));
          }
        }
      }
      expect(seen.size).toBeGreaterThan(8);
    });
  }

  test('a value of an array that programs only read starts with what it was made with', () => {
    const map = 'array key=4 value=8 entries=2 initial=0102030405060708';
    for (const at of [0, 1])
      sameInBoth(
        `.type syscall\n.map m ${map}\n${key(at)}${call('bpf_map_lookup_elem', 'map m', 'fp-4')}    if r0 == 0 goto out\n    r0 = *(u32 *)(r0 +4)\nout:\n    exit`,
      );
  });

  for (const type of ['queue', 'stack'] as const) {
    test(`a ${type}`, () => {
      const put = (value: number, flags: string): string =>
        lines(`*(u64 *)(r10 -8) = ${value}`) + call('bpf_map_push_elem', 'map m', 'fp-8', flags) + note;
      const get = (name: 'pop' | 'peek'): string =>
        lines('*(u64 *)(r10 -16) = -1') +
        call(`bpf_map_${name}_elem`, 'map m', 'fp-16') +
        note +
        lines('r0 = *(u64 *)(r10 -16)') +
        note;
      for (const flags of ['0', '1', '2', '3', '4', '-1']) {
        for (const count of [0, 1, 2, 3, 5]) {
          const puts = Array.from({ length: count }, (_, i) => put(i + 5, '0')).join('');
          const gets = get('peek') + get('pop') + get('pop') + get('peek') + get('pop') + get('pop');
          sameInBoth(
            `.type syscall\n.map m ${type} key=0 value=8 entries=3\n${lines('r9 = 0')}${puts}${put(90, flags)}${gets}${put(7, '0')}${get('pop')}${answer}`,
            {},
            `${type}, ${count} elements, flags ${flags}`,
          );
        }
      }
    });
  }

  test('a bloom filter holds what was put in', () => {
    const put = (value: number, flags: string): string =>
      lines(`*(u64 *)(r10 -8) = ${value}`) + call('bpf_map_push_elem', 'map m', 'fp-8', flags) + note;
    const peek = (value: number): string =>
      lines(`*(u64 *)(r10 -8) = ${value}`) + call('bpf_map_peek_elem', 'map m', 'fp-8') + note;
    for (const flags of ['0', '1', '2', '4'])
      sameInBoth(
        `.type xdp\n.map m bloom_filter key=0 value=8 entries=64\n${lines('r9 = 0')}${put(1, '0')}${put(2, flags)}${peek(1)}${answer}`,
      );
  });

  test('the longest prefix that matches', () => {
    const address = (bits: number, bytes: number): string =>
      lines(`*(u32 *)(r10 -8) = ${bits}`, `*(u32 *)(r10 -4) = ${bytes}`);
    const put = (bits: number, bytes: number, value: number, flags = '0'): string =>
      address(bits, bytes) +
      lines(`*(u64 *)(r10 -16) = ${value}`) +
      call('bpf_map_update_elem', 'map m', 'fp-8', 'fp-16', flags) +
      note;
    const find = (bits: number, bytes: number): string => {
      const none = `none${labels++}`;
      return `${address(bits, bytes)}${call('bpf_map_lookup_elem', 'map m', 'fp-8')}    if r0 == 0 goto ${none}\n${lines('r0 = *(u64 *)(r0 +0)')}${note}${none}:\n${lines('r9 *= 31')}`;
    };
    const drop = (bits: number, bytes: number): string =>
      address(bits, bytes) + call('bpf_map_delete_elem', 'map m', 'fp-8') + note;
    const LPM = '.type xdp\n.map m lpm_trie key=8 value=8 entries=3 flags=1\n';
    for (const first of [0, 1, 7, 8, 9, 31, 32, 33]) {
      for (const second of [0, 8, 12, 32]) {
        const start = `${LPM}${lines('r9 = 0')}${put(first, 0x0403_0281, 5)}${put(second, 0x0403_0201, 6)}`;
        const finds = [0, 1, 8, 12, 31, 32, 33].map((bits) => find(bits, 0x0403_0201)).join('');
        const drops = drop(first, 0x0403_0281) + drop(second, 0x0403_0201) + drop(33, 0);
        sameInBoth(
          `${start}${finds}${find(32, 0x0403_0a81)}${drops}${answer}`,
          {},
          `prefixes of ${first} and ${second} bits`,
        );
      }
    }
    for (const flags of FLAGS) {
      const full = put(8, 1, 1) + put(8, 2, 2) + put(8, 3, 3);
      sameInBoth(
        `${LPM}${lines('r9 = 0')}${put(8, 1, 1)}${put(8, 1, 9, flags)}${find(32, 1)}${put(16, 1, 8, flags)}${answer}`,
      );
      sameInBoth(
        `${LPM}${lines('r9 = 0')}${full}${put(8, 4, 4, flags)}${put(8, 2, 4, flags)}${find(32, 2)}${answer}`,
      );
    }
  });

  test('elements gone through while they change', () => {
    for (const entries of [1, 3]) {
      for (const stop of [0, 1, 2]) {
        for (const flags of ['0', '1']) {
          const text = `.type syscall
.map m array key=4 value=8 entries=${entries}
${lines('*(u64 *)(r10 -8) = 0', 'r9 = 0')}${call('bpf_for_each_map_elem', 'map m', 'func each', 'fp-8', flags)}${note}${lines('r0 = *(u64 *)(r10 -8)')}${note}${answer}each:
${lines('r0 = *(u32 *)(r2 +0)', 'r1 = *(u64 *)(r4 +0)', 'r1 += 1', '*(u64 *)(r4 +0) = r1', '*(u64 *)(r3 +0) = r1')}    if r0 == ${stop} goto stop
${lines('r0 = 0', 'exit')}stop:
${lines('r0 = 1', 'exit')}`;
          sameInBoth(text);
        }
      }
    }
  });
});
