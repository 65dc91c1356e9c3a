/**
 * Bytes are the same bytes whether the insn's offset leads to them, or the register was moved, in one step or several: the access is judged the same,
 * and what is loaded is known just as well. Over every kind of pointer that may be moved, of every size.
 */
import { describe, expect, it } from 'vitest';
import { add, ldx, mov, r6, r8, st, stx } from '../../../src/isa/build.js';
import { decodeAll } from '../../../src/isa/decode.js';
import type { Size } from '../../../src/isa/insn.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { Reg } from '../../../src/verifier/state/state.js';
import { verify } from '../../../src/verifier/verify.js';
import { kernelCase } from '../../support/kernel/case.js';
import { OBJECTS, POINTERS, type Pointer, usingPointer } from '../../support/verifier/pointers.js';

/** Contexts and sockets are only read through their own address; what is no pointer or may be NULL is not read at all. */
const FIXED = /context|socket|Socket|number|NULL|end of the packet|flow keys|never checked/;
const MOVED = POINTERS.filter(({ name }) => !FIXED.test(name));

/** Ways to split an offset between the register and the insn. */
const SPLITS: readonly (readonly [name: string, split: (off: number) => readonly [Item[], number]])[] = [
  ['all in the register', (off) => [[add(r6, off)], 0]],
  ['in two steps', (off) => [[add(r6, 3), add(r6, off - 3)], 0]],
  ['half in the insn', (off) => [[add(r6, off >> 1)], off - (off >> 1)]],
  ['past it and back', (off) => [[add(r6, off + 4)], -4]],
  ['by a known number', (off) => [[mov(r8, off), add(r6, r8)], 0]],
  ['one below', (off) => [[add(r6, -1)], off + 1]],
];

type Access = (size: Size, off: number) => Item[];
const ACCESSES: Readonly<Record<string, Access>> = {
  load: (size, off) => [ldx(size, r8, r6, off)],
  store: (size, off) => [st(size, r6, off, 7), mov(r8, 0)],
  'store of a register': (size, off) => [mov(r8, 7), stx(size, r6, off, r8)],
};

/** Accepted with this in r8 behind the access, or refused. */
function outcome(pointer: Pointer, moves: readonly Item[], access: readonly Item[]): Reg | 'refused' {
  const body = [...moves, ...access, label('behind'), mov(r8, r8)];
  const { program } = kernelCase('moved: pointer', pointer.type, { localTypes: OBJECTS }, (n) =>
    usingPointer(pointer, n, [], body),
  );
  const verdict = verify(program);
  if (!verdict.ok) return 'refused';
  const slot = decodeAll(program.insns).findIndex(
    (op) => op?.kind === 'mov' && op.dst === 8 && 'reg' in op.src && op.src.reg === 8,
  );
  return verdict.facts.at(slot).at(-1)!.state.frames.at(-1)!.regs[8]!;
}

/** What is known of a register but for the numbers that tell pointers apart. */
const known = (reg: Reg | 'refused'): unknown =>
  reg === 'refused'
    ? reg
    : { type: reg.type, num: reg.num, off: reg.off, struct: reg.struct, nullable: reg.nullable };

describe('a pointer reaches the same however it was moved', () => {
  it.each(MOVED.map((pointer) => [pointer.name, pointer] as const))('%s', (_, pointer) => {
    const seen = { accepted: 0, refused: 0 };
    for (const [name, access] of Object.entries(ACCESSES)) {
      for (const size of [1, 2, 4, 8] as const) {
        for (const off of [-size, 0, size, pointer.limit - size, pointer.limit - size + 1, pointer.limit]) {
          const direct = outcome(pointer, [], access(size, off));
          seen[direct === 'refused' ? 'refused' : 'accepted']++;
          for (const [how, split] of SPLITS) {
            const [moves, rest] = split(off);
            const moved = outcome(pointer, moves, access(size, rest));
            expect([name, size, off, how, known(moved)]).toEqual([name, size, off, how, known(direct)]);
          }
        }
      }
    }
    expect(seen.accepted + seen.refused).toBe(72);
  });

  it('and what is in a frozen map is known there', () => {
    const frozen = POINTERS.find(({ name }) => name === 'frozen value')!;
    const bytes = Array.from({ length: 24 }, (_, i) => BigInt(i + 1));
    for (const size of [1, 2, 4, 8] as const)
      for (let off = 0; off + size <= 24; off += size) {
        const value = bytes.slice(off, off + size).reduceRight((all, byte) => (all << 8n) | byte, 0n);
        for (const [how, split] of SPLITS) {
          const [moves, rest] = split(off);
          const reg = outcome(frozen, moves, [ldx(size, r8, r6, rest)]);
          expect([off, how, reg !== 'refused' && reg.num.value]).toEqual([off, how, value]);
        }
      }
  });
});
