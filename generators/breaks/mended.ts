/**
 * Ways to break a program that Linux's verifier did not notice until a fix in 2026. Each makes the kind of program that the fix was
 * about.
 */
import {
  add,
  callHelper,
  callKfunc,
  ja,
  jmp,
  ldAbs,
  ldx,
  lsh,
  mov,
  type Reg,
  r0,
  r1,
  r10,
  registers,
  rsh,
  st,
  stx,
  sub,
} from '../../src/isa/build.js';
import type { Comparison, Op } from '../../src/isa/insn.js';
import { type Breaker, calls, changing, contractAt, nth, variant } from './breaker.js';

type Memory = Extract<Op, { kind: 'ldx' | 'stx' | 'st' }>;
const isMemory = (op: Op | undefined): op is Memory =>
  op?.kind === 'ldx' || op?.kind === 'stx' || op?.kind === 'st';

/** Slots of the frame that generated programs do not use. */
const FREE_SLOT = -512;

/** BPF_FUNC_get_smp_processor_id, which keeps r1 to r5 (a fastcall). */
const GET_SMP_PROCESSOR_ID = 8;

const r = (n: number): Reg<64> => registers[n]!;
const skipIf = (reg: number, off: number, op: Comparison = 'eq'): Op => jmp(op, r(reg), 77, off);
const spill = (off: number, src: number): Op => stx(8, r10, off, r(src));
const fill = (dst: number, off: number): Op => ldx(8, r(dst), r10, off);

/** Puts operations in front of the `which`-th place; answers its slot. */
const before =
  (
    places: (draft: Parameters<Breaker>[0]) => readonly number[],
    made: (op: Op, which: number, count: number, draft: Parameters<Breaker>[0]) => readonly Op[] | undefined,
  ): Breaker =>
  (draft, which) => {
    const found = places(draft);
    const at = nth(found, which);
    const op = at === undefined ? undefined : draft.opAt(at);
    if (at === undefined || op === undefined) return undefined;
    const slot = draft.slotAt(at);
    const ops = made(op, which, found.length, draft);
    if (ops === undefined) return undefined;
    draft.items.splice(at, 0, ...ops);
    return slot;
  };

const KEPT = [6, 7, 8, 9] as const;

/** Places where a function sets its result. r1 to r5 are free there. */
const beforeResult = (draft: Parameters<Breaker>[0]): readonly number[] =>
  draft.find((op, _slot, at) => op.kind === 'mov' && op.dst === 0 && draft.opAt(at + 1)?.kind === 'exit');

/** Compares the low half of a register with zero. A pointer's low half may be zero. */
const lowHalfWithZero = changing(
  'jmp',
  (op) => 'imm' in op.src && op.src.imm === 0 && op.width === 64 && (op.op === 'eq' || op.op === 'ne'),
  (op, which, places) => ({
    ...op,
    width: 32,
    op: variant([op.op, op.op === 'eq' ? 'ne' : 'eq'], places, which),
  }),
);

/** Before a comparison, moves the pointer by an unknown distance. */
const movedFarBeforeComparison = before(
  (draft) => draft.find((op) => op.kind === 'jmp' && (op.op === 'eq' || op.op === 'ne') && op.dst <= 9),
  (op, which, count) => {
    if (op.kind !== 'jmp') return undefined;
    const free = variant(
      KEPT.filter((n) => n !== op.dst),
      count,
      which,
    );
    const from = variant([10, ...KEPT], count, which >> 2);
    return [
      mov(r(free), r(op.dst)),
      sub(r(free), r(from)),
      lsh(r(free), 1),
      rsh(r(free), 1),
      add(r(op.dst), r(free)),
    ];
  },
);

/** A number is NULL, or another number, on one way only. */
const nullOnOneWay = before(
  (draft) => draft.find((op) => op.kind === 'call' && (contractAt(draft, op)?.args.length ?? 1) > 0),
  (op, which, count, draft) => {
    const args = contractAt(draft, op)?.args.length ?? 2;
    const dst = 1 + ((which + Math.floor(which / count)) % args);
    const reg = variant(KEPT, count, which >> 1);
    return which % 2 === 0
      ? [skipIf(reg, 1), mov(r(dst), 0)]
      : [skipIf(reg, 2), mov(r(dst), 0), ja(1), mov(r(dst), 100)];
  },
);

/** Makes a callback loop run more often on one way. */
const moreRoundsOnOneWay = before(
  (draft) =>
    calls(draft, ({ args }) => args.some((arg) => arg.kind === 'callback' && arg.callback.countArg === 0)),
  (_op, which, count) => [
    skipIf(variant(KEPT, count, which), 1, 'ne'),
    mov(r1, variant([200, 0, 2], count, which >> 2)),
  ],
);

/** Checks one of several equal numbers, more than the verifier keeps linked. */
const checkedByACopy: Breaker = (draft, which) => {
  const places = draft.find((op) => op.kind === 'jmp' && 'imm' in op.src && op.dst >= 6 && op.dst <= 9);
  const at = nth(places, which);
  const op = at === undefined ? undefined : draft.opAt(at);
  if (at === undefined || op?.kind !== 'jmp') return undefined;
  const slot = draft.slotAt(at);
  const copies = variant([8, 6, 2], places.length, which);
  draft.items.splice(at + 1, 0, fill(op.dst, FREE_SLOT + 8 * (copies - 1)));
  const spills = Array.from({ length: copies }, (_, n) => spill(FREE_SLOT + 8 * n, op.dst));
  draft.items.splice(at, 0, ...spills);
  return slot;
};

/** Puts a legacy packet load, which may end the function, where something is held. */
const packetLoad = before(beforeResult, (_op, which, count) => [
  ldAbs(variant([1, 2, 4] as const, count, which), 0),
]);

/** Overwrites half of a slot after the whole was written, or reads half of it. */
const halfOverwritten: Breaker = (draft, which) => {
  const places = draft.find(
    (op) => (op.kind === 'stx' || op.kind === 'st') && op.dst === 10 && op.size === 8,
  );
  const at = nth(places, which);
  const op = at === undefined ? undefined : draft.opAt(at);
  if (at === undefined || (op?.kind !== 'stx' && op?.kind !== 'st')) return undefined;
  const slot = draft.slotAt(at);
  const off = op.off + variant([0, 4], places.length, which);
  draft.items.splice(at + 1, 0, st(4, r10, off, variant([0, 1], places.length, which >> 1)));
  return slot;
};

/** Passes another function as a callback: the main program, or any other. */
const mainCalledBack: Breaker = (draft, which) => {
  const places = draft.find((op) => op.kind === 'ld_imm64' && op.as === 'func');
  const at = nth(places, which);
  const item = at === undefined ? undefined : draft.items[at];
  if (at === undefined || item?.kind !== 'linked') return undefined;
  const slot = draft.slotAt(at);
  const twice: Op = { ...(draft.opAt(at) as Extract<Op, { kind: 'ld_imm64' }>) };
  // The callback itself is named first, so that it is a function still.
  draft.items.splice(at + 1, 0, { kind: 'linked', op: twice as typeof item.op, target: 's0' });
  return slot;
};

/** Stores and loads registers around a bpf_fastcall, with a jump in between. */
const jumpIntoFastcall = before(beforeResult, (_op, which, count) => {
  const reg = variant(KEPT, count, which);
  const pairs = 1 + (which % 2);
  const stores = Array.from({ length: pairs }, (_, n) => spill(FREE_SLOT + 8 * (pairs - 1 - n), 1 + n));
  const loads = Array.from({ length: pairs }, (_, n) => fill(pairs - n, FREE_SLOT + 8 * n));
  const set = Array.from({ length: pairs }, (_, n) => [
    mov(r(1 + n), 7),
    spill(FREE_SLOT + 8 * (pairs - 1 - n), 1 + n),
  ]);
  return [
    ...set.flat(),
    skipIf(reg, variant([pairs + 1, pairs, 0, 1], count, which >> 1)),
    ...stores,
    callHelper(GET_SMP_PROCESSOR_ID),
    ...loads,
  ];
});

/** An access stays where it is, but its pointer is moved back first; or one byte more than its offset makes good. */
const movedBack = before(
  (draft) => draft.find((op) => isMemory(op) && (op.kind === 'ldx' ? op.src : op.dst) <= 9),
  (op, which, count, draft) => {
    if (!isMemory(op)) return undefined;
    const reg = op.kind === 'ldx' ? op.src : op.dst;
    const by = variant([8, 4096, 16], count, which);
    const short = variant([0, 1, 4], count, which >> 1);
    const at = draft.items.indexOf(op);
    if (at >= 0) draft.replace(at, { ...op, off: Math.min(32767, op.off + by - short) });
    return [add(r(reg), -by)];
  },
);

/** `pointer = other; pointer += number` becomes `pointer = number; pointer += other`. */
const addedTheOtherWay: Breaker = (draft, which) => {
  const places = draft.find((op, _slot, at) => {
    const next = draft.opAt(at + 1);
    return (
      op.kind === 'mov' &&
      'reg' in op.src &&
      op.width === 64 &&
      next?.kind === 'alu' &&
      next.op === 'add' &&
      next.width === 64 &&
      next.dst === op.dst &&
      'imm' in next.src
    );
  });
  const at = nth(places, which);
  const first = at === undefined ? undefined : draft.opAt(at);
  const second = at === undefined ? undefined : draft.opAt(at + 1);
  if (at === undefined || first?.kind !== 'mov' || second?.kind !== 'alu') return undefined;
  if (!('reg' in first.src) || !('imm' in second.src)) return undefined;
  const slot = draft.slotAt(at);
  draft.replace(at, mov(r(first.dst), second.src.imm));
  draft.replace(at + 1, add(r(first.dst), r(first.src.reg)));
  return slot;
};

/** On one way, ends and reopens a section before a call. */
const sectionReopened: Breaker = (draft, which) => {
  const named = (name: string): Op | undefined => {
    const index = draft.program.kfuncs.indexOf(name);
    return index < 0 ? undefined : callKfunc(index);
  };
  const leave = named('bpf_rcu_read_unlock');
  const enter = named('bpf_rcu_read_lock');
  if (leave === undefined || enter === undefined) return undefined;
  // After a call, before its result is used, or where the result is set: r1 to r5 hold nothing there.
  const places = draft.find(
    (op, _slot, at) => op.kind === 'mov' && op.dst >= 6 && draft.opAt(at - 1)?.kind === 'call',
  );
  const at = nth(places, which);
  if (at === undefined) return undefined;
  const slot = draft.slotAt(at);
  const ops =
    which % 2 === 0 ? [leave, enter] : [skipIf(variant(KEPT, places.length, which >> 1), 2), leave, enter];
  draft.items.splice(at + 1, 0, ...ops);
  return slot;
};

/** Passes a pointer to the middle of an object that is counted, released or per-CPU. */
const ownerMoved = before(
  (draft) =>
    calls(draft, ({ args }) =>
      ['object', 'refcounted', 'percpu', 'btf', 'record'].includes(args[0]?.kind ?? ''),
    ),
  (_op, which, count) => [add(r1, variant([8, 4, 1, -8], count, which))],
);

/** Sets r0 before a call, as if the call's result had that value. */
const knownBeforeCall = before(
  (draft) => draft.find((op) => op.kind === 'call'),
  (_op, which, count) => [mov(r0, variant([0, 1, -1, 8], count, which))],
);

export const MENDED_BREAKS: Readonly<Record<string, Breaker>> = {
  'low half compared with zero': lowHalfWithZero,
  'moved far before a comparison': movedFarBeforeComparison,
  'NULL on one way': nullOnOneWay,
  'more rounds on one way': moreRoundsOnOneWay,
  'checked by one of many copies': checkedByACopy,
  'packet load that may end the function': packetLoad,
  'half of a slot overwritten': halfOverwritten,
  'main program named as a callback': mainCalledBack,
  'jump into a fastcall pattern': jumpIntoFastcall,
  'pointer moved back before its start': movedBack,
  'added the other way round': addedTheOtherWay,
  'section ended and opened again': sectionReopened,
  'owner moved': ownerMoved,
  'result known before the call': knownBeforeCall,
};
