/**
 * Addresses look like the kernel's: bit 63 is set, and some begin where the low half is zero. A pointer keeps its region wherever the verifier
 * lets it be. No number within 2^62 of NULL is an address.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { STACK_SIZE } from '../../../src/isa/insn.js';
import { parseCase } from '../../../src/vm/case/case.js';
import {
  address,
  highOf,
  lowOf,
  offsetAt,
  offsetOf,
  regionAt,
  regionOf,
  showAddress,
} from '../../../src/vm/state/address.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { Vm } from '../../../src/vm/vm.js';
import { seeded } from '../../support/seed.js';
import { lines } from '../../support/vm/text.js';

/** How far the verifier lets a pointer be from its region's start. */
const FARTHEST = 2 ** 29;
/** More than a run can have. */
const REGIONS = 2 ** 29;

const regions = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: REGIONS - 1 }));
const offsets = fc.oneof(
  fc.integer({ min: -FARTHEST, max: FARTHEST }),
  fc.integer({ min: -16, max: 16 }),
  fc.constantFrom(-FARTHEST, FARTHEST, -1, 0),
);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const lowIsZero = (region: number): boolean => lowOf(address(region, 0)) === 0;

describe('an address', () => {
  test('has bit 63, and keeps its region wherever it is moved', () => {
    fc.assert(
      fc.property(regions, offsets, offsets, (region, from, to) => {
        const at = address(region, from);
        expect(at >> 63n).toBe(1n);
        const moved = u64(at + BigInt(to - from));
        expect([regionOf(moved), offsetOf(moved)]).toEqual([region, to]);
        expect(u64(moved + BigInt(from - to))).toBe(at);
        const place = `region ${region} ${to < 0 ? '-' : '+'} ${Math.abs(to)}`;
        expect(showAddress(moved)).toBe(place);
      }),
      seeded(1000),
    );
  });

  test('is the same by its halves, whether they count as signed or not', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), regions, offsets, (number, region, offset) => {
        for (const value of [number, address(region, offset)]) {
          const [high, low] = [highOf(value), lowOf(value)];
          for (const h of [high, high >>> 0]) {
            for (const l of [low, low >>> 0]) {
              expect([regionAt(h, l), offsetAt(h, l)]).toEqual([regionOf(value), offsetOf(value)]);
            }
          }
        }
      }),
      seeded(300),
    );
  });

  test('is in no other region, however far both are moved', () => {
    fc.assert(
      fc.property(regions, (region) => {
        expect(address(region, FARTHEST) < address(region + 1, -FARTHEST)).toBe(true);
      }),
      seeded(300),
    );
  });

  test('begins where the low half is zero in one of any two neighbours, and not in the other', () => {
    fc.assert(
      fc.property(regions, (region) => {
        expect(lowIsZero(region)).not.toBe(lowIsZero(region + 1));
      }),
      seeded(300),
    );
  });
});

describe('NULL', () => {
  test('is no region with any offset', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n) + 2n ** 32n, max: 2n ** 62n }), offsets, (far, near) => {
        const region = regionOf(u64(far));
        // Of numbers below zero only those near it are region 0; the others would be regions that no run has.
        expect(region === 0 || region >= REGIONS).toBe(true);
        expect(regionOf(u64(BigInt(near)))).toBe(0);
      }),
      seeded(1000),
    );
    for (const number of [2n ** 63n - 1n, 2n ** 63n, 2n ** 63n + 5n]) expect(regionOf(number)).toBe(0);
  });
});

/** A program that reads a byte at r1, wherever that points, by way of being moved there and back. */
const READ = (there: number, off: number): string =>
  lines(`r1 += ${there}`, `r1 += ${-there}`, `r0 = *(u8 *)(r1 ${off < 0 ? '' : '+'}${off})`, 'exit');

/** What a read ends in: r0, or the message of the fault. */
function read(tier: 'fast' | 'definitional', text: string, value: (vm: Vm) => bigint): bigint | string {
  const vm = new Vm(parseCase(`.type tc\n${text}`).program, { tier });
  vm.machine.regs[1] = value(vm);
  const { violations, r0 } = vm.run();
  return violations[0]?.message ?? r0;
}

const SIZE = 24;

describe.each(['fast', 'definitional'] as const)('the %s tier', (tier) => {
  test('finds each byte of a region and nothing beside it', () => {
    const offs = fc.integer({ min: -40, max: 40 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }),
        offs,
        fc.integer({ min: -20, max: 20 }),
        offsets,
        (more, at, off, there) => {
          const got = read(tier, READ(there, off), ({ machine: { memory } }) => {
            for (let i = 0; i < more; i++) memory.leaveOut();
            const bytes = Uint8Array.from({ length: SIZE }, (_, i) => i + 100);
            return address(memory.add({ kind: 'mem', name: 'memory', bytes, writable: true }), at);
          });
          const place = at + off;
          const inside = place >= 0 && place < SIZE;
          expect(got).toBe(
            inside ? BigInt(place + 100) : `access to 1 bytes at ${place} of memory, which has ${SIZE}`,
          );
        },
      ),
      seeded(300),
    );
  });

  test('writes where it reads, from before a region too, and not into a fork', () => {
    for (const more of [0, 1]) {
      for (const at of [0, -8, 8]) {
        for (const place of [0, 1, 7, SIZE - 8]) {
          const where = `(r1 ${place < at ? '-' : '+'}${Math.abs(place - at)})`;
          const text = lines(`*(u64 *)${where} = 0x1234`, `r0 = *(u64 *)${where}`, 'exit');
          const vm = new Vm(parseCase(`.type tc\n${text}`).program, { tier });
          const { memory } = vm.machine;
          if (more === 1) memory.leaveOut();
          const bytes = new Uint8Array(SIZE);
          const region = memory.add({ kind: 'mem', name: 'memory', bytes, writable: true });
          vm.machine.regs[1] = address(region, at);
          const fork = vm.fork();
          expect(fork.run()).toMatchObject({ violations: [], r0: 0x1234n });
          const written = new Uint8Array(SIZE);
          written.set([0x34, 0x12], place);
          expect(fork.machine.memory.get(region)!.bytes).toEqual(written);
          expect(bytes).toEqual(new Uint8Array(SIZE));
        }
      }
    }
  });

  test('says what is no address', () => {
    fc.assert(
      fc.property(offsets, (offset) => {
        const sign = offset < 0 ? '-' : '';
        const place = offset === 0 ? '' : ` (${sign}0x${Math.abs(offset).toString(16)})`;
        expect(read(tier, READ(0, 0), () => u64(BigInt(offset)))).toBe(`access to NULL${place}`);
      }),
      seeded(100),
    );
    for (const number of [2n ** 31n, 2n ** 32n, 2n ** 40n + 5n, 2n ** 63n, u64(-(2n ** 32n))]) {
      const said = `access to 0x${number.toString(16)}, which is no address`;
      expect(read(tier, READ(0, 0), () => number)).toBe(said);
    }
    // 2^32 further on than a region is another place, and no region.
    const beyond = (vm: Vm): bigint => vm.machine.regs[10]! - BigInt(STACK_SIZE) + 2n ** 32n;
    expect(read(tier, READ(0, 0), beyond)).toMatch(/^access to 0x[0-9a-f]+, which is no address$/);
  });
});

describe('a run', () => {
  /** Regions behind the stacks, by what they are, and whether their addresses begin with a low half of zero. */
  const zeros = (vm: Vm): ReadonlyMap<string, boolean> => {
    const found = new Map<string, boolean>();
    const { memory, functions } = vm.machine;
    for (let region = functions; region < memory.count; region++) {
      const { kind, name } = memory.get(region)!;
      found.set(`${region - functions} ${kind} ${name}`, lowIsZero(region));
    }
    return found;
  };

  test('has both kinds of regions, and the environment says which are which', () => {
    for (let index = 0; index < 40; index++) {
      const { program } = sample(5, index);
      const plain = zeros(new Vm(program));
      const moved = zeros(new Vm(program, { env: { choices: new Map([['addresses#1', '1']]) } }));
      expect(new Set(plain.values())).toEqual(new Set([true, false]));
      expect([...moved.keys()]).toEqual([...plain.keys()]);
      for (const [what, zero] of plain) expect([what, moved.get(what)]).toEqual([what, !zero]);
    }
  });

  test('is replayed with the addresses that it had', () => {
    const { program } = parseCase(`.type tc\n${lines('r0 = r1', 'exit')}`);
    const seen = new Set<bigint>();
    for (let seed = 0; seed < 20; seed++) {
      const first = new Vm(program, { chooser: seededChooser(seed) }).run();
      seen.add(first.r0);
      expect(new Vm(program, { env: first.env }).run().r0).toBe(first.r0);
    }
    expect(seen.size).toBe(2);
  });
});
