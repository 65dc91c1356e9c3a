/** All mutants, by folder of the source. */
import { AGREEMENT_MUTANTS } from './campaign/agreement.js';
import { CAMPAIGN_MUTANTS } from './campaign/campaign.js';
import { QUEUE_MUTANTS } from './campaign/queue.js';
import { SHRINK_MUTANTS } from './campaign/shrink.js';
import { STORAGE_MUTANTS } from './campaign/storage.js';
import { CLI_MUTANTS } from './cli.js';
import { COST_MUTANTS } from './cost.js';
import { DESIGN_MUTANTS } from './design.js';
import { GENERATOR_MUTANTS } from './generators.js';
import { ISA_MUTANTS } from './isa.js';
import { JUDGE_MUTANTS } from './judge.js';
import { CONTRACT_MUTANTS } from './kernel/contracts.js';
import { DECLARATION_MUTANTS } from './kernel/declare.js';
import { TOLD_MUTANTS } from './kernel/told.js';
import { TYPE_MUTANTS } from './kernel/types.js';
import { KIND_MUTANTS } from './kinds.js';
import { LIVE_MUTANTS } from './live.js';
import type { Mutant } from './mutant.js';
import { BTF_MUTANTS } from './object/btf.js';
import { OBJECT_MUTANTS } from './object/elf.js';
import { EXTENSION_MUTANTS } from './object/extensions.js';
import { TAIL_CALL_MUTANTS } from './object/programs.js';
import { ORACLE_MUTANTS } from './oracle.js';
import { PAD_MUTANTS } from './pads.js';
import { PAGE_MUTANTS } from './page.js';
import { RULE_MUTANTS } from './patch/rules.js';
import { TWO_MODE_MUTANTS } from './patch/two-mode.js';
import { POLICY_MUTANTS } from './policy.js';
import { REFUSAL_MUTANTS } from './refusals.js';
import { REPORT_MUTANTS } from './report.js';
import { SEMANTICS_MUTANTS } from './semantics.js';
import { ADVICE_MUTANTS } from './smt/advice.js';
import { LENGTH_MUTANTS } from './smt/bounds.js';
import { CALLBACK_MUTANTS } from './smt/callbacks.js';
import { EFFORT_MUTANTS } from './smt/effort.js';
import { PROOF_MUTANTS } from './smt/proof.js';
import { SLOT_MUTANTS } from './smt/slots.js';
import { SYMBOLIC_MUTANTS } from './smt/symbolic.js';
import { PROOF_WALK_MUTANTS } from './smt/two-mode.js';
import { RULE_SET_MUTANTS } from './strategies/rule-sets.js';
import { STRATEGY_MUTANTS } from './strategies/strategies.js';
import { TABLE_MUTANTS } from './tables.js';
import { ARGUMENT_MUTANTS } from './verifier/call/arguments.js';
import { DYNPTR_MUTANTS } from './verifier/call/dynptrs.js';
import { EFFECT_MUTANTS } from './verifier/call/effects.js';
import { KERNEL_STRUCT_MUTANTS } from './verifier/insn/kernel-structs.js';
import { MEMORY_MUTANTS } from './verifier/insn/memory.js';
import { REGISTER_MUTANTS } from './verifier/insn/registers.js';
import { MENDED_MUTANTS } from './verifier/mended.js';
import { PERCPU_MUTANTS } from './verifier/percpu.js';
import { BOUND_MUTANTS } from './verifier/scalar/bounds.js';
import { VALUE_MUTANTS } from './verifier/scalar/values.js';
import { STATE_MUTANTS } from './verifier/state.js';
import { TEXT_MUTANTS } from './verifier/text.js';
import { EQUALITY_MUTANTS } from './verifier/walk/equality.js';
import { WALK_MUTANTS } from './verifier/walk/paths.js';
import { ADDRESS_MUTANTS } from './vm/addresses.js';
import { VM_CALL_MUTANTS } from './vm/calls.js';
import { CASE_MUTANTS } from './vm/cases.js';
import { KILL_CLASS_MUTANTS } from './vm/kill-classes.js';
import { MACHINE_MUTANTS } from './vm/machine.js';
import { MODEL_MUTANTS } from './vm/models.js';

export const MUTANTS: readonly Mutant[] = [
  ...REPORT_MUTANTS,
  ...TAIL_CALL_MUTANTS,
  ...ADVICE_MUTANTS,
  ...PERCPU_MUTANTS,
  ...CALLBACK_MUTANTS,
  ...EXTENSION_MUTANTS,
  ...PAGE_MUTANTS,
  ...PAD_MUTANTS,
  ...PROOF_WALK_MUTANTS,
  ...CLI_MUTANTS,
  ...JUDGE_MUTANTS,
  ...COST_MUTANTS,
  ...POLICY_MUTANTS,
  ...LIVE_MUTANTS,
  ...STRATEGY_MUTANTS,
  ...RULE_SET_MUTANTS,
  ...DESIGN_MUTANTS,
  ...ISA_MUTANTS,
  ...BTF_MUTANTS,
  ...OBJECT_MUTANTS,
  ...CONTRACT_MUTANTS,
  ...TYPE_MUTANTS,
  ...TOLD_MUTANTS,
  ...DECLARATION_MUTANTS,
  ...BOUND_MUTANTS,
  ...VALUE_MUTANTS,
  ...TEXT_MUTANTS,
  ...STATE_MUTANTS,
  ...MEMORY_MUTANTS,
  ...KERNEL_STRUCT_MUTANTS,
  ...REGISTER_MUTANTS,
  ...ARGUMENT_MUTANTS,
  ...EFFECT_MUTANTS,
  ...DYNPTR_MUTANTS,
  ...EQUALITY_MUTANTS,
  ...WALK_MUTANTS,
  ...MENDED_MUTANTS,
  ...TWO_MODE_MUTANTS,
  ...RULE_MUTANTS,
  ...MODEL_MUTANTS,
  ...SEMANTICS_MUTANTS,
  ...ADDRESS_MUTANTS,
  ...VM_CALL_MUTANTS,
  ...KILL_CLASS_MUTANTS,
  ...MACHINE_MUTANTS,
  ...CASE_MUTANTS,
  ...LENGTH_MUTANTS,
  ...EFFORT_MUTANTS,
  ...PROOF_MUTANTS,
  ...SLOT_MUTANTS,
  ...SYMBOLIC_MUTANTS,
  ...ORACLE_MUTANTS,
  ...QUEUE_MUTANTS,
  ...SHRINK_MUTANTS,
  ...AGREEMENT_MUTANTS,
  ...CAMPAIGN_MUTANTS,
  ...STORAGE_MUTANTS,
  ...GENERATOR_MUTANTS,
  ...REFUSAL_MUTANTS,
  ...KIND_MUTANTS,
  ...TABLE_MUTANTS,
];

/** Throws if there is none of this name. */
export function mutantNamed(name: string): Mutant {
  const found = MUTANTS.find((mutant) => mutant.name === name);
  if (found === undefined) throw new Error(`no mutant is called '${name}'`);
  return found;
}
