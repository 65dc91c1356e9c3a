/** Arithmetic and comparisons that are wrong in the ways that `defects.ts` names. */
import type { Comparison, Width } from '../isa/insn.js';
import type { Domain } from '../semantics/machine.js';
import type { VerifierDefects } from './defects.js';
import { abstract } from './scalar/alu.js';
import type { Scalar } from './scalar/scalar.js';
import { isConst } from './scalar/scalar.js';

/** The abstract machine's arithmetic, with these defects. */
export function arithmetic(defects: VerifierDefects): Domain<Scalar> {
  let domain = abstract;
  if (defects.shiftsKeepMask) {
    domain = {
      ...domain,
      binary(op, width, a, b) {
        const result = abstract.binary(op, width, a, b);
        if (op !== 'lsh' || isConst(a) || !isConst(b)) return result;
        return { ...result, mask: a.mask, value: result.value & ~a.mask };
      },
    };
  }
  if (defects.signExtensionsAreZero) {
    domain = { ...domain, signExtend: (bits, a) => abstract.zeroExtend(bits, a) };
  }
  return domain;
}

const UNSIGNED: Readonly<Partial<Record<Comparison, Comparison>>> = {
  sgt: 'gt',
  sge: 'ge',
  slt: 'lt',
  sle: 'le',
};

/** What a comparison is taken for when its branches are followed. */
export function comparedAs(
  defects: VerifierDefects,
  op: Comparison,
  width: Width,
): readonly [Comparison, Width] {
  return [defects.signsIgnored ? (UNSIGNED[op] ?? op) : op, defects.wordsTellAll ? 64 : width];
}
