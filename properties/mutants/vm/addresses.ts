/** Mutants of addresses: what they look like, and how accesses find their region. */
import { type Mutant, mutantsOf } from '../mutant.js';

const ADDRESSES = 'vm/state/addresses-look-like-the-kernels';
const SHOWN = 'vm/what-later-kernels-mended-shows-in-a-run';
const TIERS = 'vm/insn/both-tiers-run-alike';

export const ADDRESS_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/vm/state/address.ts',
    [ADDRESSES],
    [
      {
        name: 'addresses-without-bit-63',
        inside: 'address',
        node: 'KERNEL + 2 * region',
        becomes: '2 * region',
        wrong: 'Addresses have bit 63 clear.',
      },
      {
        name: 'user-addresses-are-addresses',
        inside: 'regionAt',
        node: 'middle < 0',
        becomes: 'middle !== 0',
        wrong: 'A number with bit 63 clear counts as an address.',
      },
      {
        name: 'no-low-half-is-zero',
        inside: 'startOf',
        node: '(region & 1) === 0',
        becomes: 'true',
        wrong: 'No region begins where the low half of its address is zero.',
      },
      {
        name: 'every-low-half-is-zero',
        inside: 'startOf',
        node: '(region & 1) === 0',
        becomes: 'false',
        wrong: 'Every region begins where the low half of its address is zero.',
      },
      {
        name: 'addresses-are-rounded-down',
        inside: 'regionAt',
        node: '(high + (low >>> 31)) | 0',
        becomes: 'high | 0',
        wrong: 'A pointer that is moved before its region loses it.',
      },
      {
        name: 'addresses-are-rounded-up-too-early',
        inside: 'regionAt',
        node: '(low >>> 31)',
        becomes: '((low >>> 31) | ((low >>> 30) & 1))',
        wrong: 'A pointer of a region in the middle belongs to what is behind it.',
      },
      {
        name: 'between-two-regions-is-the-first',
        inside: 'regionAt',
        node: '(middle & 1) === 0',
        becomes: 'true',
        wrong: 'What lies 2^32 further on than a region counts as the region.',
      },
      {
        name: 'offsets-count-from-the-middle',
        inside: 'offsetAt',
        node: '(low | 0) - ((~nearest(high, low) & 2) << 29)',
        becomes: 'low | 0',
        wrong: 'Offsets do not count from where a region starts.',
      },
      {
        name: 'halves-must-be-signed',
        inside: 'offsetAt',
        node: '(low | 0)',
        becomes: 'low',
        wrong: 'An offset before the start of a region, given by an unsigned half, is one behind its end.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/memory.ts',
    [ADDRESSES],
    [
      {
        name: 'a-write-owns-the-region-of-the-high-half',
        inside: 'Memory.forWrite',
        node: 'this.own(regionAt(hi, lo))',
        becomes: 'this.own(regionAt(hi, 0))',
        wrong:
          'A store through a pointer whose offset borrows from its high half writes into a region that a fork shares.',
      },
      {
        name: 'all-regions-start-alike',
        inside: 'Memory.add',
        node: 'startOf(number)',
        becomes: 'startOf(0)',
        wrong: 'Accesses count offsets as if no region had a low half of zero.',
      },
      {
        name: 'null-is-only-zero',
        inside: 'nowhere',
        node: '!isNearNull(hi, lo)',
        becomes: 'true',
        wrong: 'NULL with an offset is called a number that is no address.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/insn/fast.ts',
    [ADDRESSES, TIERS],
    [
      {
        name: 'loads-find-their-region-by-the-high-half',
        inside: 'runFast',
        node: 'memory.forRead(hi, base, off[pc]!, 1 << (op - 12))',
        becomes: 'memory.forRead(hi, base & 0x7fff_ffff, off[pc]!, 1 << (op - 12))',
        wrong: 'A load through a pointer that lies before its region finds no region.',
      },
      {
        name: 'stores-find-their-region-by-the-high-half',
        inside: 'runFast',
        node: 'memory.forWrite(hi, base, off[pc]!, 1 << size)',
        becomes: 'memory.forWrite(hi, base & 0x7fff_ffff, off[pc]!, 1 << size)',
        wrong: 'A store through a pointer that lies before its region finds no region.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/insn/definitional.ts',
    [ADDRESSES, TIERS],
    [
      {
        name: 'loads-are-at-the-low-half',
        inside: 'load',
        node: 'offsetOf(base) + off',
        becomes: 'lowOf(base) + off',
        wrong: 'A load takes the low half of the address for the offset.',
      },
      {
        name: 'stores-are-at-the-low-half',
        inside: 'store',
        node: 'offsetOf(base) + off',
        becomes: 'lowOf(base) + off',
        wrong: 'A store takes the low half of the address for the offset.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/vm.ts',
    [ADDRESSES, SHOWN],
    [
      {
        name: 'addresses-are-always-the-same',
        inside: 'placeRegions',
        node: 'memory.leaveOut();',
        becomes: '',
        wrong: 'The environment does not say which regions have addresses whose low half is zero.',
      },
      {
        name: 'addresses-are-not-recorded',
        inside: 'placeRegions',
        node: 'choices.record(key, { value: 1n });',
        becomes: '',
        wrong: 'A run is replayed with other addresses than it had.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/args.ts',
    [SHOWN],
    [
      {
        name: 'objects-are-passed-by-their-middle',
        inside: 'checkStart',
        node: 'if (offset === 0) return;',
        becomes: 'return;',
        wrong: 'An object may be counted or given back by a pointer into its middle.',
      },
    ],
  ),
];
