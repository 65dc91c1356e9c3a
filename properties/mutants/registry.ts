/** All mutants, by folder of the source. */
import { CAMPAIGN_MUTANTS } from './campaign.js';
import { GENERATOR_MUTANTS } from './generators.js';
import { ISA_MUTANTS } from './isa.js';
import { KERNEL_MUTANTS } from './kernel.js';
import { LATER_MUTANTS } from './later.js';
import type { Mutant } from './mutant.js';
import { OBJECT_MUTANTS } from './object.js';
import { ORACLE_MUTANTS } from './oracle.js';
import { PATCH_MUTANTS } from './patch.js';
import { SMT_MUTANTS } from './smt.js';
import { CALL_MUTANTS } from './verifier/call.js';
import { INSN_MUTANTS } from './verifier/insn.js';
import { MENDED_MUTANTS } from './verifier/mended.js';
import { SCALAR_MUTANTS } from './verifier/scalar.js';
import { STATE_MUTANTS } from './verifier/state.js';
import { TEXT_MUTANTS } from './verifier/text.js';
import { WALK_MUTANTS } from './verifier/walk.js';
import { VM_MUTANTS } from './vm.js';

export const MUTANTS: readonly Mutant[] = [
  ...ISA_MUTANTS,
  ...OBJECT_MUTANTS,
  ...KERNEL_MUTANTS,
  ...SCALAR_MUTANTS,
  ...TEXT_MUTANTS,
  ...STATE_MUTANTS,
  ...INSN_MUTANTS,
  ...CALL_MUTANTS,
  ...WALK_MUTANTS,
  ...MENDED_MUTANTS,
  ...PATCH_MUTANTS,
  ...VM_MUTANTS,
  ...SMT_MUTANTS,
  ...ORACLE_MUTANTS,
  ...CAMPAIGN_MUTANTS,
  ...GENERATOR_MUTANTS,
  ...LATER_MUTANTS,
];

/** Throws if there is none of this name. */
export function mutantNamed(name: string): Mutant {
  const found = MUTANTS.find((mutant) => mutant.name === name);
  if (found === undefined) throw new Error(`no mutant is called '${name}'`);
  return found;
}
