/** Ways to break what a program does with registers, memory and numbers: bounds, offsets, sizes, widths, signs, branches. */
import type { BinaryOp, Comparison, Op, Size } from '../../src/isa/insn.js';
import { type Breaker, changing, drop, nth, variant } from './breaker.js';

const INVERSE: Readonly<Partial<Record<Comparison, Comparison>>> = {
  eq: 'ne',
  ne: 'eq',
  gt: 'le',
  le: 'gt',
  ge: 'lt',
  lt: 'ge',
  sgt: 'sle',
  sle: 'sgt',
  sge: 'slt',
  slt: 'sge',
};

/** A comparison that is one off, or has the other signedness. */
const NEAR: Readonly<Record<Comparison, readonly Comparison[]>> = {
  eq: ['set', 'ge', 'sle'],
  ne: ['gt', 'slt', 'set'],
  set: ['eq', 'ne'],
  gt: ['ge', 'sgt', 'lt'],
  ge: ['gt', 'sge', 'le'],
  lt: ['le', 'slt', 'gt'],
  le: ['lt', 'sle', 'ge'],
  sgt: ['sge', 'gt', 'slt'],
  sge: ['sgt', 'ge', 'sle'],
  slt: ['sle', 'lt', 'sgt'],
  sle: ['slt', 'le', 'sge'],
};

const invertBranch = changing(
  'jmp',
  (op) => INVERSE[op.op] !== undefined,
  (op) => ({ ...op, op: INVERSE[op.op] ?? op.op }),
);

const nearComparison = changing(
  'jmp',
  () => true,
  (op, which, places) => ({ ...op, op: variant(NEAR[op.op], places, which) }),
);

const otherWidthCompared = changing(
  'jmp',
  () => true,
  (op) => ({ ...op, width: op.width === 64 ? 32 : 64 }),
);

const BOUNDARIES = [0, 1, -1, 2, 7, 8, 64, 512, 4095, 0xffff, 2 ** 29, 2 ** 31 - 1, -(2 ** 31)];

const boundary = (imm: number, which: number, places: number): { readonly imm: number } => ({
  imm: variant(
    [...BOUNDARIES, imm + 1, imm - 1].filter((v) => v !== imm && v === (v | 0)),
    places,
    which,
  ),
});

const comparedWithBoundary = changing(
  'jmp',
  (op) => 'imm' in op.src,
  (op, which, places) => ('imm' in op.src ? { ...op, src: boundary(op.src.imm, which, places) } : undefined),
);

/** Moves an access by its own size past the end, or past a mask, or checks one byte less of a packet. */
const boundOffByOne: Breaker = (draft, which) => {
  const at = nth(
    draft.find(
      (op) =>
        (op.kind === 'alu' && 'imm' in op.src && (op.op === 'and' || (op.op === 'add' && op.src.imm > 0))) ||
        ((op.kind === 'ldx' || op.kind === 'stx' || op.kind === 'st') &&
          (op.kind === 'ldx' ? op.src : op.dst) !== 10),
    ),
    which,
  );
  const op = at === undefined ? undefined : draft.opAt(at);
  if (at === undefined || op === undefined) return undefined;
  const slot = draft.slotAt(at);
  if (op.kind === 'alu' && 'imm' in op.src) {
    const imm = op.op === 'and' ? (op.src.imm | 0) + 1 : op.src.imm - 1;
    draft.replace(at, { ...op, src: { imm: Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, imm)) } });
  } else if (op.kind === 'ldx' || op.kind === 'stx' || op.kind === 'st') {
    draft.replace(at, { ...op, off: op.off + op.size });
  }
  return slot;
};

const swapRegister = changing(
  'mov',
  (op) => 'reg' in op.src && op.src.reg >= 6 && op.src.reg <= 9,
  (op, which) =>
    'reg' in op.src ? { ...op, src: { reg: 6 + ((op.src.reg - 6 + 1 + (which % 3)) % 4) } } : undefined,
);

const dropStore: Breaker = (draft, which) =>
  drop(
    draft,
    nth(
      draft.find((op) => (op.kind === 'st' || op.kind === 'stx') && op.dst === 10),
      which,
    ),
  );

type Memory = Extract<Op, { kind: 'ldx' | 'stx' | 'st' }>;
const isMemory = (op: Op): op is Memory => op.kind === 'ldx' || op.kind === 'stx' || op.kind === 'st';

/** Changes the `which`-th load or store that passes. */
const changingAccess =
  (
    test: (op: Memory) => boolean,
    change: (op: Memory, which: number, places: number) => Op | undefined,
  ): Breaker =>
  (draft, which) => {
    const places = draft.find((op) => isMemory(op) && test(op));
    const at = nth(places, which);
    const op = at === undefined ? undefined : draft.opAt(at);
    if (at === undefined || op === undefined || !isMemory(op)) return undefined;
    const changed = change(op, which, places.length);
    if (changed === undefined) return undefined;
    const slot = draft.slotAt(at);
    draft.replace(at, changed);
    return slot;
  };

const base = (op: Memory): number => (op.kind === 'ldx' ? op.src : op.dst);

const moveStackAccess = changingAccess(
  (op) => base(op) === 10,
  (op, which, places) => ({ ...op, off: op.off + variant([8, -8, 4, 1, -256, 16, -1, -448], places, which) }),
);

const moveAccess = changingAccess(
  (op) => base(op) !== 10,
  (op, which, places) => ({ ...op, off: op.off + variant([-8, 4, -1, 1, 8, -4, 64], places, which) }),
);

const resize = (by: (size: Size) => number): Breaker =>
  changingAccess(
    (op) => [1, 2, 4, 8].includes(by(op.size)),
    (op) => {
      const size = by(op.size) as Size;
      return op.kind === 'ldx' ? { ...op, size, signed: op.signed && size < 8 } : { ...op, size };
    },
  );

const signedLoad = changing(
  'ldx',
  (op) => op.size < 8,
  (op) => ({ ...op, signed: !op.signed }),
);

/** What is stored: another register, the frame pointer, an immediate. */
const storeOther = changing(
  'stx',
  () => true,
  (op, which, places): Op =>
    variant<Op>(
      [
        { ...op, src: 10 },
        { kind: 'st', size: op.size, dst: op.dst, off: op.off, imm: 1 },
        { ...op, src: op.src === 6 ? 7 : 6 },
        { kind: 'atomic', op: 'add', fetch: false, size: 8, dst: op.dst, src: op.src, off: op.off },
        { ...op, src: op.src === 1 ? 8 : 1 },
        { kind: 'atomic', op: 'xchg', fetch: true, size: 8, dst: op.dst, src: op.src, off: op.off },
      ],
      places,
      which,
    ),
);

/** Replaces a constant by a register, or a register by a constant. */
const constantAtBoundary: Breaker = (draft, which) => {
  const places = draft.find(
    (op) => (op.kind === 'mov' && 'imm' in op.src) || (op.kind === 'alu' && 'imm' in op.src),
  );
  const at = nth(places, which);
  const op = at === undefined ? undefined : draft.opAt(at);
  if (at === undefined || (op?.kind !== 'mov' && op?.kind !== 'alu') || !('imm' in op.src)) return undefined;
  const slot = draft.slotAt(at);
  draft.replace(at, { ...op, src: boundary(op.src.imm, which, places.length) });
  return slot;
};

const CLOSE: Readonly<Record<BinaryOp, readonly BinaryOp[]>> = {
  add: ['sub', 'xor', 'mul'],
  sub: ['add', 'or'],
  mul: ['add', 'lsh'],
  div: ['mod', 'rsh'],
  sdiv: ['div'],
  mod: ['and', 'div'],
  smod: ['mod'],
  or: ['and', 'xor'],
  and: ['or', 'sub', 'mod'],
  xor: ['or', 'add'],
  lsh: ['arsh', 'mul'],
  rsh: ['arsh', 'lsh'],
  arsh: ['rsh'],
};

const otherArithmetic = changing(
  'alu',
  () => true,
  (op, which, places) => ({ ...op, op: variant(CLOSE[op.op], places, which) }),
);

/** Makes a 64-bit operation 32-bit, or the reverse. */
const otherWidth: Breaker = (draft, which) => {
  const at = nth(
    draft.find((op) => op.kind === 'alu' || op.kind === 'neg' || (op.kind === 'mov' && 'reg' in op.src)),
    which,
  );
  const op = at === undefined ? undefined : draft.opAt(at);
  if (at === undefined || (op?.kind !== 'alu' && op?.kind !== 'neg' && op?.kind !== 'mov')) return undefined;
  const slot = draft.slotAt(at);
  draft.replace(at, { ...op, width: op.width === 64 ? 32 : 64 });
  return slot;
};

const signExtendMove = changing(
  'mov',
  (op) => 'reg' in op.src,
  (op, which, places) =>
    'reg' in op.src
      ? {
          kind: 'movsx',
          bits: variant([32, 16, 8] as const, places, which),
          width: 64,
          dst: op.dst,
          src: op.src.reg,
        }
      : undefined,
);

/** Replaces a known operand by one that may be unknown. */
const registerOperand = changing(
  'alu',
  (op) => 'imm' in op.src,
  (op, which, places) => ({ ...op, src: { reg: variant([6, 7, 0, 8, 9, 1], places, which) } }),
);

/** A register moves before it is used: by a number that may not be known. */
const moveRegister: Breaker = (draft, which) => {
  const places = draft.find((op) => isMemory(op) && base(op) !== 10);
  const at = nth(places, which);
  const op = at === undefined ? undefined : draft.opAt(at);
  if (at === undefined || op === undefined || !isMemory(op)) return undefined;
  const slot = draft.slotAt(at);
  const dst = base(op);
  const reg = variant([6, 7, 8, 9, 0], places.length, which);
  const added: readonly Op[] = variant<readonly Op[]>(
    [
      [{ kind: 'alu', op: 'add', width: 64, dst, src: { reg } }],
      [
        { kind: 'alu', op: 'and', width: 64, dst: reg, src: { imm: 7 } },
        { kind: 'alu', op: 'add', width: 64, dst, src: { reg } },
      ],
      [{ kind: 'alu', op: 'sub', width: 64, dst, src: { reg } }],
      [{ kind: 'alu', op: 'add', width: 64, dst, src: { imm: 1 } }],
    ],
    places.length,
    which >> 1,
  );
  draft.items.splice(at, 0, ...added);
  return slot;
};

/** Makes a function or callback use more stack. */
const deepenFrame: Breaker = (draft, which) => {
  const starts = new Set(draft.program.subprogs.map(({ start }) => start));
  const places = draft.find((_op, slot) => starts.has(slot));
  const at = nth(places, which);
  if (at === undefined) return undefined;
  const slot = draft.slotAt(at);
  const off = -variant([256, 384, 480, 512, 448, 248], places.length, which);
  draft.items.splice(at, 0, { kind: 'st', size: 8, dst: 10, off, imm: 0 });
  return slot;
};

export const VALUE_BREAKS: Readonly<Record<string, Breaker>> = {
  'bound off by one': boundOffByOne,
  'register swapped': swapRegister,
  'branch inverted': invertBranch,
  'near comparison': nearComparison,
  'another width compared': otherWidthCompared,
  'compared with a boundary': comparedWithBoundary,
  'constant at a boundary': constantAtBoundary,
  'store to the stack dropped': dropStore,
  'stack access moved': moveStackAccess,
  'access moved': moveAccess,
  'access widened': resize((size) => size * 2),
  'access narrowed': resize((size) => size / 2),
  'sign of a load changed': signedLoad,
  'something else stored': storeOther,
  'another operation': otherArithmetic,
  'another width': otherWidth,
  'move that extends a sign': signExtendMove,
  'register in place of a constant': registerOperand,
  'pointer moved before an access': moveRegister,
  'deeper frame': deepenFrame,
};
