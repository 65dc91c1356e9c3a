/** Makes the views of functions and call sites that rules see, from a contract. */
import { InputError } from '../isa/errors.js';
import type { Contract, Outcome } from '../kernel/contract.js';
import { acquires, callsBack, iteratorRole, mayBlock, releases, takesLock } from '../kernel/describe.js';
import { firstRefusal } from './imitate.js';
import type { FunctionView, SiteView, Stub } from './rule.js';

const opensSection = (contract: Contract): boolean =>
  contract.outcomes.some((o) => o.effects.some((e) => e.kind === 'enter' || e.kind === 'irq_save'));

/** A helper's return type is in the words of enum bpf_return_type, a kfunc's in C. */
const isVoid = (ret: string): boolean => ret === 'RET_VOID' || ret.trim() === 'void';
const isPointer = (ret: string): boolean => ret.startsWith('RET_PTR') || ret.includes('*');

const views = new WeakMap<Contract, FunctionView>();

/** The function of this contract as rules see it. The same contract gives the same view. */
export function functionView(contract: Contract): FunctionView {
  const known = views.get(contract);
  if (known !== undefined) return known;
  const failure = firstRefusal(contract);
  const ret = contract.ret;
  const view: FunctionView = {
    name: contract.name,
    kind: contract.kind,
    contract,
    flags: contract.flags,
    ret,
    returnsVoid: isVoid(ret),
    returnsInteger: !isVoid(ret) && !isPointer(ret),
    returnsPointer: isPointer(ret),
    mayReturnNull: ret.includes('_OR_NULL') || contract.flags.includes('KF_RET_NULL'),
    acquires: acquires(contract),
    releases: releases(contract),
    takesLock: takesLock(contract),
    opensSection: opensSection(contract),
    iterator: iteratorRole(contract),
    callsBack: callsBack(contract),
    blocks: mayBlock(contract),
    canFailWithoutEffect: failure !== undefined,
    get failure(): Stub {
      if (failure !== undefined) return failure;
      throw new InputError(`${contract.name} has no failure that a stub could imitate`);
    },
  };
  views.set(contract, view);
  return view;
}

/** Refusals by the outcomes that are possible, which are outcomes of one contract. */
const refusals = new WeakMap<readonly Outcome[], { readonly stub: Stub | undefined }>();

function refusalAmong(contract: Contract, enabled: readonly Outcome[]): Stub | undefined {
  const known = refusals.get(enabled) ?? { stub: firstRefusal(contract, enabled) };
  refusals.set(enabled, known);
  return known.stub;
}

/** A call site of `contract` at `slot` (-1: no particular one) where just `enabled` can happen, as rules see it. */
export function siteView(
  contract: Contract,
  slot: number,
  enabled: readonly Outcome[],
  hasPad = false,
): SiteView {
  const failure = refusalAmong(contract, enabled);
  return {
    slot,
    enabled,
    canFail: failure !== undefined,
    hasPad,
    get failure(): Stub {
      if (failure !== undefined) return failure;
      throw new InputError(`the call of ${contract.name} cannot fail here`);
    },
  };
}
