/** Mutants of the semantics of insns. */
import { type Mutant, mutantsOf } from './mutant.js';

const INSNS = 'vm/insn/every-insn-computes-as-in-linux';

export const SEMANTICS_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/semantics/arith.ts',
    ['isa/concrete-arithmetic-is-a-64-bit-machines', INSNS],
    [
      {
        name: 'shifts-by-the-width',
        inside: 'binary',
        node: 'return x >> (y & BigInt(width - 1));',
        becomes: 'return x >> (y & BigInt(width));',
        wrong: 'A shift to the right takes the wrong bits of its count.',
      },
      {
        name: 'remainder-by-zero-is-zero',
        inside: 'binary',
        node: 'y === 0n ? x : x % y',
        becomes: 'y === 0n ? 0n : x % y',
        wrong: 'The remainder of a division by 0 is 0.',
      },
      {
        name: 'narrow-set-tests-the-whole-registers',
        inside: 'compare',
        node: '(x & y) !== 0n',
        becomes: '(a & b) !== 0n',
        wrong: 'A 32-bit jump on common bits is also taken when only the high halves have a bit in common.',
        noticedBy: ['verifier/scalar/branches-lose-no-value-that-takes-them'],
      },
    ],
  ),
  ...mutantsOf(
    'src/semantics/step.ts',
    [INSNS],
    [
      {
        name: 'movsx-of-32-bits-fills-64',
        inside: 'step',
        node: 'op.width === 64 ? extended : m.zeroExtend(32, extended)',
        becomes: 'extended',
        wrong: 'A 32-bit move that extends the sign extends it over all of the register.',
      },
      {
        name: 'plain-atomics-change-their-operand',
        inside: 'step',
        node: 'op.fetch',
        becomes: 'true',
        wrong: 'An atomic that does not fetch overwrites its operand.',
      },
      {
        name: 'narrow-movsx-extends-to-the-whole-register',
        inside: 'step',
        node: 'op.width === 64 ? extended : m.zeroExtend(32, extended)',
        becomes: 'extended',
        wrong: 'A sign-extending move of 32 bits sets the high half of the register to copies of the sign.',
        noticedBy: ['vm/the-kernel-runs-programs-as-the-vm-does'],
      },
    ],
  ),
];
