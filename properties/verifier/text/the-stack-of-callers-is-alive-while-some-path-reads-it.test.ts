/**
 * Stack that a chain of calls still needs (kernel/bpf/liveness.c): a random walk visits insns of functions and callbacks, reads some slots and
 * writes others, in any order and any number of times. What is alive then is what a plain fixed point over the whole of it says.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepare } from '../../../src/verifier/text/code.js';
import { type FuncInstance, StackLiveness } from '../../../src/verifier/walk/liveness.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { seeded } from '../../support/seed.js';

/** Branches and a loop in main, a function called from two places, one that it calls, and a callback. */
const CODE = prepare(
  parseCase(`.type xdp
 r6 = r1
 if r6 == 0x0 goto second
 call f
second:
 call f
 r1 = 4
 r2 = func cb
 r3 = 0
 r4 = 0
 call bpf_loop#181
 if r0 == 0x0 goto end
 r0 = 0
end:
 r0 = 0
 exit
f:
 r0 = 0
 if r6 == 0x0 goto over
 call g
over:
 r0 = 1
 exit
g:
 r0 = 2
 r0 = 3
 exit
cb:
 r0 = 4
 call g
 r0 = 0
 exit
`).program,
);

const STARTS = CODE.ops.flatMap((op, at) => (op !== undefined && CODE.subprogStart[at] === at ? [at] : []));
const [MAIN, F, G, CB] = STARTS as [number, number, number, number];
const CALLS = (from: number, to: number): readonly number[] =>
  CODE.ops.flatMap((op, at) =>
    CODE.subprogStart[at] === from && op?.kind === 'call' && to >= 0 ? [at] : [],
  );
const LOOP = CODE.contracts.findIndex((contract) => contract?.name === 'bpf_loop');
const CALLS_OF_F = CALLS(MAIN, F).filter((at) => at !== LOOP);

/** A chain of calls: functions by their start, and the slots of the calls between them. */
type Chain = readonly { readonly start: number; readonly callsite: number }[];

const main = { start: MAIN, callsite: -1 };
const CHAINS: readonly Chain[] = [
  [main],
  ...CALLS_OF_F.flatMap((callsite): Chain[] => {
    const f: Chain = [main, { start: F, callsite }];
    return [f, [...f, { start: G, callsite: CALLS(F, G)[0]! }]];
  }),
  [main, { start: CB, callsite: LOOP }],
  [main, { start: CB, callsite: LOOP }, { start: G, callsite: CALLS(CB, G)[0]! }],
];

interface Event {
  readonly chain: Chain;
  readonly slot: number;
  /** -1 if nothing is written in full. */
  readonly write: number;
  readonly reads: readonly { readonly frame: number; readonly index: number }[];
}

const index = fc.constantFrom(0, 1, 30, 31, 32, 33, 63);
const event: fc.Arbitrary<Event> = fc.constantFrom(...CHAINS).chain((chain) => {
  const start = chain.at(-1)!.start;
  const slots = CODE.ops.flatMap((op, at) =>
    op !== undefined && CODE.subprogStart[at] === start ? [at] : [],
  );
  const place = fc.record({ frame: fc.nat(chain.length - 1), index });
  return fc.record({
    chain: fc.constant(chain),
    slot: fc.constantFrom(...slots),
    write: fc
      .option(place, { nil: undefined, freq: 3 })
      .map((w) => (w === undefined ? -1 : w.frame * 64 + w.index)),
    reads: fc.array(place, { maxLength: 2 }),
  });
});

/** Visits of one insn by one chain of calls: what each visit wrote and all of them read. */
interface Insn {
  writes: Set<number>;
  readonly reads: Set<number>;
}

/** Alive by the definition: read at once, or alive behind the insn and not written by every visit of it. */
class Plain {
  private readonly insns = new Map<string, Insn>();
  private readonly live = new Map<string, Set<number>>();
  private static key = (chain: Chain, slot: number): string =>
    `${chain.map(({ start, callsite }) => `${callsite}:${start}`).join(' ')} ${slot}`;

  add({ chain, slot, write, reads }: Event): void {
    const key = Plain.key(chain, slot);
    const written = new Set(write >= 0 ? [write] : []);
    const insn = this.insns.get(key) ?? { writes: written, reads: new Set<number>() };
    insn.writes = new Set([...insn.writes].filter((slot) => written.has(slot)));
    for (const { frame, index } of reads) insn.reads.add(frame * 64 + index);
    this.insns.set(key, insn);
  }

  settle(): void {
    for (let changed = true; changed; ) {
      changed = false;
      for (const chain of CHAINS) {
        for (const slot of CODE.ops.keys()) {
          if (CODE.subprogStart[slot] !== chain.at(-1)!.start) continue;
          const insn = this.insns.get(Plain.key(chain, slot));
          if (insn === undefined) continue;
          const now = new Set([...this.behind(chain, slot)].filter((s) => !insn.writes.has(s)));
          for (const s of insn.reads) now.add(s);
          for (const s of this.ofCallees(chain, slot)) now.add(s);
          const before = this.live.get(Plain.key(chain, slot))?.size ?? 0;
          this.live.set(Plain.key(chain, slot), now);
          changed ||= now.size !== before;
        }
      }
    }
  }

  private before(chain: Chain, slot: number): ReadonlySet<number> {
    return this.live.get(Plain.key(chain, slot)) ?? new Set();
  }

  private behind(chain: Chain, slot: number): ReadonlySet<number> {
    return new Set(CODE.next[slot]!.flatMap((next) => [...this.before(chain, next)]));
  }

  /** What the functions that are called here need of the frames of their callers. */
  private ofCallees(chain: Chain, slot: number): readonly number[] {
    return CHAINS.filter((other) => other.length === chain.length + 1 && other.at(-1)!.callsite === slot)
      .filter((other) => chain.every((call, depth) => other[depth]!.callsite === call.callsite))
      .flatMap((other) => [...this.before(other, other.at(-1)!.start)])
      .filter((s) => s >> 6 < chain.length);
  }

  /** Needed before the insn, or by the callers once this call is done; a callback may be called again. */
  alive(chain: Chain, slot: number, frame: number): readonly number[] {
    const found = new Set(this.before(chain, slot));
    for (let depth = chain.length - 1; depth > frame; depth--) {
      const { callsite } = chain[depth]!;
      const outer = chain.slice(0, depth);
      for (const s of callsite === LOOP ? this.before(outer, callsite) : this.before(outer, callsite + 1))
        found.add(s);
    }
    return [...found].filter((s) => s >> 6 === frame).map((s) => s & 63);
  }
}

/** A function is walked behind the calls that lead to it. */
function callsOnTheWay(chain: Chain): readonly Event[] {
  return chain.slice(1).map(({ callsite }, depth) => ({
    chain: chain.slice(0, depth + 1),
    slot: callsite,
    write: -1,
    reads: [],
  }));
}

function instanceOf(liveness: StackLiveness, chain: Chain): FuncInstance {
  return chain
    .slice(1)
    .reduce<FuncInstance>(
      (of, { start, callsite }) => liveness.callee(of, start, callsite),
      liveness.root(MAIN),
    );
}

const inMasks = ([low, high]: readonly [number, number]): readonly number[] =>
  Array.from({ length: 64 }, (_, n) => n).filter((n) => ((n < 32 ? low : high) >> (n & 31)) & 1);

const sorted = (slots: readonly number[]): readonly number[] => [...slots].sort((a, b) => a - b);

describe('the stack of a chain of calls', () => {
  it('has the calls that this property speaks of', () => {
    expect(STARTS).toHaveLength(4);
    expect(CALLS_OF_F).toHaveLength(2);
    expect(CODE.contracts[LOOP]?.name).toBe('bpf_loop');
  });

  it('is alive where some path reads it before every visit has written it', () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        (events, asked) => {
          const liveness = new StackLiveness(CODE);
          const plain = new Plain();
          events.forEach((e, n) => {
            const of = instanceOf(liveness, e.chain);
            for (const call of callsOnTheWay(e.chain)) {
              const outer = instanceOf(liveness, call.chain);
              if (outer.visited[call.slot - outer.start] === 1) continue;
              liveness.visit(outer, call.slot, -1);
              plain.add(call);
            }
            if (of.visited[e.slot - of.start] === 1) liveness.visitAgain(of, e.slot, e.write);
            else liveness.visit(of, e.slot, e.write);
            for (const { frame, index } of e.reads)
              liveness.read(
                of,
                e.slot,
                frame,
                index < 32 ? 1 << index : 0,
                index < 32 ? 0 : 1 << (index - 32),
              );
            plain.add(e);
            // Asked in between, too: what is kept up to date as the walk goes on must not be behind.
            if (n % asked !== 0 && n !== events.length - 1) return;
            plain.settle();
            for (const chain of CHAINS)
              for (const slot of CODE.ops.keys())
                for (let frame = 0; frame < chain.length; frame++) {
                  if (CODE.subprogStart[slot] !== chain.at(-1)!.start || CODE.ops[slot] === undefined)
                    continue;
                  const found = inMasks(liveness.aliveSlots(instanceOf(liveness, chain), slot, frame));
                  expect([n, chain, slot, frame, found]).toEqual([
                    n,
                    chain,
                    slot,
                    frame,
                    sorted(plain.alive(chain, slot, frame)),
                  ]);
                }
          });
        },
      ),
      seeded(40),
    );
  });
});
