/**
 * Where a kfunc's outcomes or arguments, as a person lists them, say otherwise than its prototype and its flags. The verifier of a kernel goes
 * by prototype and flags alone, so of two such statements one is a lie, and a proof would rest on it.
 */
import type { Arg, Contract, Effect, Outcome, R0 } from '../contract.js';
import type { Prototype } from './prototype.js';

/** What a flag promises of a contract, and what is said where it is the other way round. */
interface Promised {
  readonly flag: string;
  /** The first outcome or argument that only a function with the flag has. */
  readonly by: (c: Contract) => string | undefined;
  readonly missing: string;
  readonly unflagged: string;
}

const outcomeWith = ({ outcomes }: Contract, test: (o: Outcome) => boolean): string | undefined => {
  const found = outcomes.find(test);
  return found === undefined ? undefined : `outcome ${found.name}`;
};
const effect = (flag: string, kind: Effect['kind'], does: string): Promised => ({
  flag,
  by: (c) => outcomeWith(c, ({ effects }) => effects.some((e) => e.kind === kind)),
  missing: `no outcome ${does}`,
  unflagged: does,
});
const givesBack = (arg: Arg): boolean => 'release' in arg && arg.release === true;

const PROMISES: readonly Promised[] = [
  {
    flag: 'KF_ACQUIRE',
    by: (c) => outcomeWith(c, ({ r0 }) => r0.kind === 'pointer' && r0.acquires !== undefined),
    missing: 'no outcome acquires',
    unflagged: 'acquires',
  },
  {
    flag: 'KF_RET_NULL',
    by: (c) => outcomeWith(c, ({ r0 }) => r0.kind === 'null'),
    missing: 'no outcome returns NULL',
    unflagged: 'returns NULL',
  },
  {
    flag: 'KF_RELEASE',
    by: ({ args }) => {
      const at = args.findIndex(givesBack);
      return at < 0 ? undefined : `argument ${at}`;
    },
    missing: 'no argument is given back',
    unflagged: 'is given back',
  },
  effect('KF_ITER_NEW', 'iter_new', 'makes an iterator'),
  effect('KF_ITER_NEXT', 'iter_next', 'moves an iterator on'),
  effect('KF_ITER_DESTROY', 'iter_destroy', 'destroys an iterator'),
];

/** What r0 may be, by the type that the prototype returns. */
function kindsOf({ ret }: Prototype): readonly R0['kind'][] {
  if (ret.stars > 0) return ['null', 'pointer'];
  return ret.base === 'void' ? ['void'] : ['scalar'];
}

const IN_WORDS: Readonly<Record<R0['kind'], string>> = {
  void: 'nothing',
  scalar: 'a number',
  null: 'NULL',
  pointer: 'a pointer',
};

/**
 * One sentence for each contradiction between a kfunc's prototype and flags and the contract that was made of its declaration. A resilient
 * lock's KF_RET_NULL stands for its number, which is 0 or an error (check_kfunc_call of kernel/bpf/verifier.c).
 */
export function* lies(proto: Prototype, contract: Contract): Generator<string> {
  const locks = contract.outcomes.some(({ effects }) => effects.some(({ kind }) => kind === 'lock'));
  for (const { flag, by, missing, unflagged } of PROMISES) {
    const found = by(contract);
    const has = contract.flags.includes(flag);
    if (has && found === undefined && !(flag === 'KF_RET_NULL' && locks)) yield `${flag}, but ${missing}`;
    if (!has && found !== undefined) yield `${found} ${unflagged}, but ${flag} is not among the flags`;
  }
  const kinds = kindsOf(proto);
  const other = contract.outcomes.find(({ r0 }) => !kinds.includes(r0.kind));
  if (other !== undefined)
    yield `outcome ${other.name} returns ${IN_WORDS[other.r0.kind]}, but the prototype returns ${proto.ret.text}`;
}
