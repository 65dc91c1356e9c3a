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
  const view = new ViewOfFunction(contract);
  views.set(contract, view);
  return view;
}

/** Classes, and no literals with getters: V8 gives each object of such a literal a type of its own, and keeps what it refers to. */
class ViewOfFunction implements FunctionView {
  readonly name: string;
  readonly kind: Contract['kind'];
  readonly flags: readonly string[];
  readonly ret: string;
  readonly returnsVoid: boolean;
  readonly returnsInteger: boolean;
  readonly returnsPointer: boolean;
  readonly mayReturnNull: boolean;
  readonly acquires: boolean;
  readonly releases: boolean;
  readonly takesLock: boolean;
  readonly opensSection: boolean;
  readonly iterator: FunctionView['iterator'];
  readonly callsBack: boolean;
  readonly blocks: boolean;
  readonly canFailWithoutEffect: boolean;
  readonly #failure: Stub | undefined;

  constructor(readonly contract: Contract) {
    const { name, kind, flags, ret } = contract;
    this.name = name;
    this.kind = kind;
    this.flags = flags;
    this.ret = ret;
    this.returnsVoid = isVoid(ret);
    this.returnsInteger = !isVoid(ret) && !isPointer(ret);
    this.returnsPointer = isPointer(ret);
    this.mayReturnNull = ret.includes('_OR_NULL') || flags.includes('KF_RET_NULL');
    this.acquires = acquires(contract);
    this.releases = releases(contract);
    this.takesLock = takesLock(contract);
    this.opensSection = opensSection(contract);
    this.iterator = iteratorRole(contract);
    this.callsBack = callsBack(contract);
    this.blocks = mayBlock(contract);
    this.#failure = firstRefusal(contract);
    this.canFailWithoutEffect = this.#failure !== undefined;
  }

  get failure(): Stub {
    if (this.#failure !== undefined) return this.#failure;
    throw new InputError(`${this.name} has no failure that a stub could imitate`);
  }
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
  return new ViewOfSite(contract, slot, enabled, hasPad);
}

class ViewOfSite implements SiteView {
  readonly canFail: boolean;
  readonly #stub: Stub | undefined;
  readonly #contract: Contract;

  constructor(
    contract: Contract,
    readonly slot: number,
    readonly enabled: readonly Outcome[],
    readonly hasPad: boolean,
  ) {
    this.#contract = contract;
    this.#stub = refusalAmong(contract, enabled);
    this.canFail = this.#stub !== undefined;
  }

  get failure(): Stub {
    if (this.#stub !== undefined) return this.#stub;
    throw new InputError(`the call of ${this.#contract.name} cannot fail here`);
  }
}
