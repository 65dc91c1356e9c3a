/**
 * Around a call that keeps all registers Linux takes out the stores before it and the loads behind it, as far as they are pairs: the same register,
 * which the call does not need, and the same eight bytes of the frame, from the lowest up (mark_fastcall_pattern_for_call). One thing that is
 * otherwise ends the pairs there. A jump may lead to the first store and behind the last load, not in between.
 */
import { describe, expect, it } from 'vitest';
import {
  callHelper,
  callKfunc,
  exit,
  jmp,
  ldx,
  mov,
  r0,
  r6,
  r9,
  r10,
  registers,
  stx,
} from '../../../src/isa/build.js';
import type { Op, Size } from '../../../src/isa/insn.js';
import { contracts } from '../../../src/kernel/catalog.js';
import type { Contract } from '../../../src/kernel/contract.js';
import { checkFastcalls, fastcallDepths } from '../../../src/verifier/text/fastcall.js';
import { Refusal } from '../../../src/verifier/text/refusal.js';

interface Half {
  readonly reg: number;
  readonly base: number;
  readonly size: Size;
  readonly off: number;
}
interface Pair {
  readonly store: Half | undefined;
  readonly load: Half | undefined;
}

const LOWEST = -48;
const fastcalls = contracts().filter(({ fastcall }) => fastcall === true);
const callOf = ({ kind, id }: Contract): Op => (kind === 'helper' ? callHelper(id) : callKfunc(0));

/** Pairs with the registers that the function does not need, the innermost first. */
function pairsOf({ args }: Contract): readonly Pair[] {
  return Array.from({ length: 5 - args.length }, (_, i) => {
    const half: Half = { reg: args.length + 1 + i, base: 10, size: 8, off: LOWEST + 8 * i };
    return { store: half, load: half };
  });
}

interface Text {
  readonly ops: readonly (Op | undefined)[];
  readonly at: number;
  readonly of: readonly (Contract | undefined)[];
  readonly owner: Int32Array;
}

function text(contract: Contract, pairs: readonly Pair[], first: readonly Op[] = []): Text {
  const made = (half: Half | undefined, make: (half: Half) => Op): Op =>
    half === undefined ? mov(r0, 7) : make(half);
  const stores = pairs.map(({ store }) =>
    made(store, ({ reg, base, size, off }) => stx(size, registers[base]!, off, registers[reg]!)),
  );
  const loads = pairs.map(({ load }) =>
    made(load, ({ reg, base, size, off }) => ldx(size, registers[reg]!, registers[base]!, off)),
  );
  const ops = [...first, ...stores.reverse(), callOf(contract), ...loads, mov(r0, 0), exit()];
  const at = first.length + pairs.length;
  return {
    ops,
    at,
    of: ops.map((_, i) => (i === at ? contract : undefined)),
    owner: new Int32Array(ops.length),
  };
}

/** How many pairs are found: by the bytes of stack that are left out. */
function found({ ops, of, owner }: Text): number {
  const depth = fastcallDepths(ops, of, owner).get(0);
  return depth === undefined ? 0 : (-LOWEST - depth) / 8;
}

/** One thing that is otherwise; both halves, one, or the pair before. */
const CHANGES: Readonly<Record<string, (pair: Pair, others: readonly Pair[]) => Pair>> = {
  'another store': ({ load }) => ({ store: undefined, load }),
  'another load': ({ store }) => ({ store, load: undefined }),
  'half a store': ({ store, load }) => ({ store: { ...store!, size: 4 }, load }),
  'half a load': ({ store, load }) => ({ store, load: { ...load!, size: 4 } }),
  'half of both': ({ store, load }) => ({ store: { ...store!, size: 4 }, load: { ...load!, size: 4 } }),
  'a store elsewhere': ({ store, load }) => ({ store: { ...store!, base: 9 }, load }),
  'a load from elsewhere': ({ store, load }) => ({ store, load: { ...load!, base: 9 } }),
  'a store higher up': ({ store, load }) => ({ store: { ...store!, off: -8 }, load }),
  'a load from higher up': ({ store, load }) => ({ store, load: { ...load!, off: -8 } }),
  'both higher up': ({ store, load }) => ({ store: { ...store!, off: -8 }, load: { ...load!, off: -8 } }),
  'into another register': ({ store, load }) => ({ store, load: { ...load!, reg: 0 } }),
  'a register that all calls keep': ({ store, load }) => ({
    store: { ...store!, reg: 6 },
    load: { ...load!, reg: 6 },
  }),
  'a register that the call returns': ({ store, load }) => ({
    store: { ...store!, reg: 0 },
    load: { ...load!, reg: 0 },
  }),
};

describe.each(fastcalls.map((contract) => [contract.name, contract] as const))('%s', (_, contract) => {
  const whole = pairsOf(contract);
  it('pairs are found as far as they go', () => {
    for (let n = 0; n <= whole.length; n++) expect(found(text(contract, whole.slice(0, n)))).toBe(n);
  });
  it('one thing that is otherwise ends them', () => {
    for (const [what, change] of Object.entries(CHANGES)) {
      whole.forEach((pair, i) => {
        const lowered = what.endsWith('higher up') || i > 0;
        // Where the lowest store is gone, the next one is the lowest, and pairs begin at no call.
        if (i === 0 && !lowered && what !== 'another load') return;
        expect([what, i, found(text(contract, whole.with(i, change(pair, whole))))]).toEqual([what, i, i]);
      });
    }
  });
  it('a register is paired once', () => {
    whole.slice(1).forEach((pair, i) => {
      const reg = whole[0]!.store!.reg;
      const again = { store: { ...pair.store!, reg }, load: { ...pair.load!, reg } };
      expect(found(text(contract, whole.with(i + 1, again)))).toBe(i + 1);
    });
  });
  it('a register that the call needs is not paired', () => {
    contract.args.forEach((_, i) => {
      const needed: Half = { reg: i + 1, base: 10, size: 8, off: LOWEST };
      expect(found(text(contract, [{ store: needed, load: needed }]))).toBe(0);
    });
  });
  it('nothing is paired above the lowest store of the function, and that of another function is none', () => {
    const below = text(contract, whole, [stx(8, r10, LOWEST - 8, r6)]);
    expect(fastcallDepths(below.ops, below.of, below.owner).size).toBe(0);
    const other = text(contract, whole, [stx(8, r10, LOWEST - 8, r6)]);
    other.owner.fill(1, 1);
    expect(fastcallDepths(other.ops, other.of, other.owner).get(1)).toBe(-LOWEST - 8 * whole.length);
    for (const none of [stx(4, r10, LOWEST - 8, r6), stx(8, r9, LOWEST - 8, r6)])
      expect(found(text(contract, whole, [none]))).toBe(whole.length);
  });
  it('no jump leads in between', () => {
    for (let n = 1; n <= whole.length; n++) {
      const plain = text(contract, whole.slice(0, n));
      for (let to = 0; to < plain.ops.length; to++) {
        const jump = text(contract, whole.slice(0, n), [jmp('eq', r0, 0, to)]);
        const [begin, end] = [jump.at - n, jump.at + n];
        const bad = to + 1 > begin && to + 1 <= end;
        let refused = false;
        try {
          checkFastcalls(jump.ops, jump.of, jump.owner);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
          refused = true;
        }
        expect([n, to, refused]).toEqual([n, to, bad]);
      }
    }
  });
});
