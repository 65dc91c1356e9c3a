/** The words in which rules speak of functions and call sites, worked out from a contract. */
import { InputError } from '../isa/errors.js';
import type { Contract, Effect, Outcome } from '../kernel/contract.js';
import { firstRefusal, whyNoRefusal } from './imitate.js';
import type { FunctionView, SiteView, Stub } from './rule.js';

const GIVES_BACK: readonly Effect['kind'][] = [
  'release',
  'unlock',
  'leave',
  'irq_restore',
  'iter_destroy',
  'destroy_dynptr',
];

const effectsOf = (contract: Contract): readonly Effect[] => contract.outcomes.flatMap((o) => o.effects);

const has = (contract: Contract, ...kinds: Effect['kind'][]): boolean =>
  effectsOf(contract).some((effect) => kinds.includes(effect.kind));

/** Whether this outcome leaves the program holding more than before. A null dynptr is a slot to clear, but holds nothing. */
export function outcomeAcquires(outcome: Outcome): boolean {
  if (outcome.r0.kind === 'pointer' && outcome.r0.acquires !== undefined) return true;
  return outcome.effects.some((effect) => {
    switch (effect.kind) {
      case 'lock':
      case 'enter':
      case 'irq_save':
      case 'iter_new':
        return true;
      case 'init_dynptr':
        return effect.acquires === 'dynptr';
      default:
        return false;
    }
  });
}

/** A helper's return type is in the words of enum bpf_return_type, a kfunc's in C. */
const isVoid = (ret: string): boolean => ret === 'RET_VOID' || ret.trim() === 'void';
const isPointer = (ret: string): boolean => ret.startsWith('RET_PTR') || ret.includes('*');

function iteratorRole(contract: Contract): FunctionView['iterator'] {
  if (has(contract, 'iter_new')) return 'new';
  if (has(contract, 'iter_next')) return 'next';
  if (has(contract, 'iter_destroy')) return 'destroy';
  return undefined;
}

const views = new WeakMap<Contract, FunctionView>();

/** The function of this contract as rules see it. The same contract gives the same view. */
export function functionView(contract: Contract): FunctionView {
  const known = views.get(contract);
  if (known !== undefined) return known;
  const failure = firstRefusal(contract.outcomes);
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
    acquires: contract.outcomes.some(outcomeAcquires),
    releases: has(contract, ...GIVES_BACK),
    takesLock: has(contract, 'lock'),
    opensSection: has(contract, 'enter', 'irq_save'),
    iterator: iteratorRole(contract),
    callsBack: has(contract, 'callback'),
    blocks: contract.outcomes.some((outcome) => outcome.blocks === true),
    canFailWithoutEffect: failure !== undefined,
    get failure(): Stub {
      if (failure !== undefined) return failure;
      throw new InputError(
        `${contract.name} has no failure that a stub could imitate: ${whyNoRefusal(contract)}`,
      );
    },
  };
  views.set(contract, view);
  return view;
}

/** A call site of `contract` at `slot` (-1: no particular one) where just `enabled` can happen, as rules see it. */
export function siteView(contract: Contract, slot: number, enabled: readonly Outcome[]): SiteView {
  const failure = firstRefusal(enabled);
  return {
    slot,
    enabled,
    canFail: failure !== undefined,
    get failure(): Stub {
      if (failure !== undefined) return failure;
      throw new InputError(`the call of ${contract.name} cannot fail here: ${whyNoRefusal(contract)}`);
    },
  };
}
