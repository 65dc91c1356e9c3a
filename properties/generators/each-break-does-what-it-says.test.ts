/**
 * Each way to break a program changes what its name says and nothing else: one call less, another comparison, an access of twice the size.
 * It says where, and goes from place to place and from choice to choice.
 */
import { describe, expect, it } from 'vitest';
import { variant } from '../../generators/breaks/breaker.js';
import { BREAKS, nearMissesOf } from '../../generators/near-miss.js';
import { sample } from '../../generators/sample.js';
import { decodeAll } from '../../src/isa/decode.js';
import type { Comparison, Op } from '../../src/isa/insn.js';
import { contractOf } from '../../src/kernel/catalog.js';
import type { Contract } from '../../src/kernel/contract.js';
import type { Program } from '../../src/object/program.js';
import { seeded } from '../support/seed.js';

const SEED = seeded(1).seed ?? 0;
const PROGRAMS = 40;

/** What was taken out and what was put in, between what both programs have in common at their ends. */
interface Change {
  readonly removed: readonly Op[];
  readonly added: readonly Op[];
  readonly before: Program;
  readonly after: Program;
}

const operations = (program: Program): readonly Op[] =>
  decodeAll(program.insns).filter((op): op is Op => op !== undefined);

/** An operation without where it goes, which changes when insns come and go. */
function text(op: Op): string {
  const refers = op.kind === 'ld_imm64' && op.as === 'func';
  const goes = ['ja', 'jmp', 'may_goto'].includes(op.kind);
  const calls = op.kind === 'call' && op.target === 'subprog';
  return JSON.stringify({ ...op, ...(goes ? { off: 0 } : {}), ...(calls || refers ? { imm: 0 } : {}) });
}

function changeOf(before: Program, after: Program): Change {
  const [a, b] = [operations(before), operations(after)];
  let from = 0;
  while (from < a.length && from < b.length && text(a[from]!) === text(b[from]!)) from++;
  let tail = 0;
  while (
    tail < a.length - from &&
    tail < b.length - from &&
    text(a[a.length - 1 - tail]!) === text(b[b.length - 1 - tail]!)
  )
    tail++;
  return { removed: a.slice(from, a.length - tail), added: b.slice(from, b.length - tail), before, after };
}

const contract = (program: Program, op: Op | undefined): Contract | undefined =>
  op?.kind === 'call' && op.target !== 'subprog' ? contractOf(program, op) : undefined;
const effects = (program: Program, op: Op | undefined): readonly string[] =>
  contract(program, op)?.outcomes.flatMap((o) => o.effects.map(({ kind }) => kind)) ?? [];

const RELEASING = ['release', 'unlock', 'leave', 'irq_restore', 'iter_destroy', 'destroy_dynptr', 'transfer'];
const ACQUIRING = ['lock', 'enter', 'irq_save', 'iter_new', 'init_dynptr'];

type Check = (change: Change) => boolean;

/** One call was taken out, with one of these effects. */
const dropsCall =
  (...kinds: readonly string[]): Check =>
  ({ removed, added, before }) =>
    added.length === 0 &&
    removed.length === 1 &&
    removed[0]?.kind === 'call' &&
    (kinds.length === 0 || effects(before, removed[0]).some((kind) => kinds.includes(kind)));

/** One operation became another of the same kind that differs in these fields alone. */
const differsIn =
  (...fields: readonly string[]): Check =>
  ({ removed, added }) => {
    const [a, b] = [removed[0] as never, added[0] as never] as [
      Record<string, unknown>,
      Record<string, unknown>,
    ];
    if (removed.length !== 1 || added.length !== 1 || a === undefined || b === undefined) return false;
    const differ = Object.keys(a).filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
    return (
      differ.length > 0 && differ.every((key) => fields.includes(key) || (key === 'off' && !isAccess(a)))
    );
  };
const isAccess = (op: Readonly<Record<string, unknown>>): boolean =>
  ['ldx', 'st', 'stx'].includes(op.kind as string);

const drops =
  (test: (op: Op) => boolean): Check =>
  ({ removed, added }) =>
    added.length === 0 && removed.length === 1 && test(removed[0]!);
const inserts =
  (...tests: readonly ((op: Op) => boolean)[]): Check =>
  ({ removed, added }) =>
    removed.length === 0 && added.length === tests.length && tests.every((test, i) => test(added[i]!));

/** Nothing was taken out, and so many operations were put in. */
const adds =
  (...counts: readonly number[]): Check =>
  ({ removed, added }) =>
    removed.length === 0 && counts.includes(added.length);
/** One of those put in leaves others out on one way. */
const skips: Check = ({ added }) =>
  added.some((op) => op.kind === 'jmp' && 'imm' in op.src && op.src.imm === 77);
/** The number that is moved to a register; NaN for none. */
const moved = (op: Op | undefined): number =>
  op?.kind === 'mov' && 'imm' in op.src ? op.src.imm : Number.NaN;

const sizes = ({ removed, added }: Change): number => {
  const [a, b] = [removed[0], added[0]];
  return a !== undefined && b !== undefined && 'size' in a && 'size' in b ? b.size / a.size : 0;
};
const base = (op: Op | undefined): number =>
  op?.kind === 'ldx' ? op.src : op?.kind === 'st' || op?.kind === 'stx' ? op.dst : -1;
const nullCheck = (op: Op): boolean =>
  op.kind === 'jmp' && (op.op === 'eq' || op.op === 'ne') && 'imm' in op.src && op.src.imm === 0;
const saved = (n: number): boolean => n >= 6 && n <= 9;
const and =
  (...checks: readonly Check[]): Check =>
  (change) =>
    checks.every((check) => check(change));

/** What a comparison says of two numbers. */
function holds(op: Comparison, a: bigint, b: bigint): boolean {
  const [ua, ub] = [BigInt.asUintN(64, a), BigInt.asUintN(64, b)];
  switch (op) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'gt':
      return ua > ub;
    case 'ge':
      return ua >= ub;
    case 'lt':
      return ua < ub;
    case 'le':
      return ua <= ub;
    case 'sgt':
      return a > b;
    case 'sge':
      return a >= b;
    case 'slt':
      return a < b;
    case 'sle':
      return a <= b;
    case 'set':
      return (a & b) !== 0n;
  }
}
const PAIRS = [-2n, 0n, 1n, 2n].flatMap((a) => [-2n, 0n, 1n, 2n].map((b) => [a, b] as const));
const comparisons = ({ removed, added }: Change): readonly [Comparison, Comparison] | undefined =>
  removed[0]?.kind === 'jmp' && added[0]?.kind === 'jmp' ? [removed[0].op, added[0].op] : undefined;

const imm = (op: Op | undefined): number => (op?.kind === 'alu' && 'imm' in op.src ? op.src.imm : Number.NaN);

const CHECKS: Readonly<Record<string, Check>> = {
  'release dropped': dropsCall(...RELEASING),
  'release doubled': ({ removed, added, after }) =>
    removed.length === 0 &&
    added.filter(({ kind }) => kind === 'call').length === 1 &&
    effects(
      after,
      added.find(({ kind }) => kind === 'call'),
    ).some((kind) => RELEASING.includes(kind)),
  'check for NULL dropped': drops(nullCheck),
  'check of another register': and(differsIn('dst'), ({ removed }) => nullCheck(removed[0]!)),
  'lock left held': dropsCall('unlock'),
  'lock not taken': dropsCall('lock'),
  'section left open': dropsCall('leave', 'irq_restore'),
  'section not entered': dropsCall('enter', 'irq_save'),
  'iterator not destroyed': dropsCall('iter_destroy', 'destroy_dynptr'),
  'acquire dropped': ({ removed, added, before }) =>
    added.length === 0 &&
    removed.length === 1 &&
    (effects(before, removed[0]).some((kind) => ACQUIRING.includes(kind)) ||
      contract(before, removed[0])?.outcomes.some(
        (o) => o.r0.kind === 'pointer' && o.r0.acquires !== undefined,
      ) === true),
  'call dropped': dropsCall(),
  'call skipped on one way': inserts(
    (op) => op.kind === 'jmp' && saved(op.dst) && ['eq', 'ne', 'sgt'].includes(op.op) && op.off === 1,
  ),
  'stack object overwritten': inserts(
    (op) => op.kind === 'st' && op.dst === 10 && op.size === 8 && op.off < 0,
  ),
  'release moved before a call': ({ removed, added }) =>
    removed.length > 0 && removed.map(text).sort().join() === added.map(text).sort().join(),
  'released by another function': ({ removed, added, before }) =>
    removed.length === 1 &&
    added.length === 1 &&
    [removed[0], added[0]].every((op) => effects(before, op).some((kind) => RELEASING.includes(kind))),
  'another function called': ({ removed, added, before }) =>
    removed.length === 1 &&
    added.length === 1 &&
    contract(before, removed[0]) !== undefined &&
    contract(before, added[0]) !== undefined,
  'argument clobbered': inserts(
    (op) => (op.kind === 'mov' || op.kind === 'alu') && op.dst >= 1 && op.dst <= 5,
  ),
  'arguments swapped': inserts(
    (op) => op.kind === 'mov' && op.dst === 0,
    (op) => op.kind === 'mov' && op.dst >= 1 && op.dst <= 4 && 'reg' in op.src && op.src.reg === op.dst + 1,
    (op) => op.kind === 'mov' && op.dst >= 2 && op.dst <= 5 && 'reg' in op.src && op.src.reg === 0,
  ),
  'argument dropped': drops(
    (op) => (op.kind === 'mov' || op.kind === 'ld_imm64') && op.dst >= 1 && op.dst <= 5,
  ),
  'another map': and(
    differsIn('imm'),
    ({ removed }) => removed[0]?.kind === 'ld_imm64' && removed[0].as === 'map',
  ),
  'result dropped': drops((op) => op.kind === 'mov' && op.dst === 0),
  'another result': inserts((op) => op.kind === 'mov' && op.dst === 0 && 'imm' in op.src),
  'early exit': inserts(
    (op) => op.kind === 'jmp' && saved(op.dst) && op.off === 2,
    (op) => op.kind === 'mov' && op.dst === 0,
    (op) => op.kind === 'exit',
  ),
  'bound off by one': and(differsIn('src', 'off'), ({ removed, added }) => {
    const [a, b] = [removed[0], added[0]];
    if (a?.kind === 'alu')
      return Math.abs(imm(a) - imm(b)) === 1 && (a.op === 'and' ? imm(b) > imm(a) : imm(b) < imm(a));
    return (
      a !== undefined &&
      b !== undefined &&
      'size' in a &&
      'off' in a &&
      'off' in b &&
      b.off - a.off === a.size
    );
  }),
  'register swapped': and(differsIn('src'), ({ removed, added }) =>
    [removed[0], added[0]].every((op) => op?.kind === 'mov' && 'reg' in op.src && saved(op.src.reg)),
  ),
  'branch inverted': and(differsIn('op'), (change) => {
    const ops = comparisons(change);
    return ops !== undefined && PAIRS.every(([a, b]) => holds(ops[0], a, b) !== holds(ops[1], a, b));
  }),
  'near comparison': and(differsIn('op'), (change) => {
    const ops = comparisons(change);
    return ops !== undefined && PAIRS.some(([a, b]) => holds(ops[0], a, b) === holds(ops[1], a, b));
  }),
  'another width compared': and(differsIn('width'), ({ removed }) => removed[0]?.kind === 'jmp'),
  'compared with a boundary': and(
    differsIn('src'),
    ({ removed, added }) => removed[0]?.kind === 'jmp' && added[0]?.kind === 'jmp' && 'imm' in added[0].src,
  ),
  'constant at a boundary': and(
    differsIn('src'),
    ({ added }) => (added[0]?.kind === 'mov' || added[0]?.kind === 'alu') && 'imm' in added[0].src,
  ),
  'store to the stack dropped': drops((op) => (op.kind === 'st' || op.kind === 'stx') && op.dst === 10),
  'stack access moved': and(differsIn('off'), ({ removed }) => base(removed[0]) === 10),
  'access moved': and(differsIn('off'), ({ removed }) => base(removed[0]) >= 0 && base(removed[0]) < 10),
  'access widened': and(differsIn('size', 'signed'), (change) => sizes(change) === 2),
  'access narrowed': and(differsIn('size', 'signed'), (change) => sizes(change) === 0.5),
  'sign of a load changed': and(differsIn('signed'), ({ removed }) => removed[0]?.kind === 'ldx'),
  'something else stored': ({ removed, added }) => {
    const [a, b] = [removed[0], added[0]];
    if (removed.length !== 1 || a?.kind !== 'stx' || b === undefined || added.length !== 1) return false;
    if (!('off' in b) || !('dst' in b) || b.off !== a.off || b.dst !== a.dst) return false;
    return (
      b.kind === 'st' || b.kind === 'atomic' || (b.kind === 'stx' && b.src !== a.src && b.size === a.size)
    );
  },
  'another operation': and(differsIn('op'), ({ removed }) => removed[0]?.kind === 'alu'),
  'another width': and(differsIn('width'), ({ removed }) =>
    ['alu', 'neg', 'mov'].includes(removed[0]?.kind ?? ''),
  ),
  'move that extends a sign': ({ removed, added }) =>
    removed[0]?.kind === 'mov' &&
    added[0]?.kind === 'movsx' &&
    'reg' in removed[0].src &&
    removed[0].src.reg === added[0].src &&
    removed[0].dst === added[0].dst,
  'register in place of a constant': and(
    differsIn('src'),
    ({ removed, added }) =>
      Number.isInteger(imm(removed[0])) && added[0]?.kind === 'alu' && 'reg' in added[0].src,
  ),
  'pointer moved before an access': ({ removed, added }) =>
    removed.length === 0 &&
    (added.length === 1 || added.length === 2) &&
    added.every((op) => op.kind === 'alu'),
  'deeper frame': inserts((op) => op.kind === 'st' && op.dst === 10 && op.size === 8 && op.off <= -248),
  'low half compared with zero': and(
    differsIn('width', 'op'),
    ({ removed, added }) =>
      nullCheck(removed[0]!) && nullCheck(added[0]!) && 'width' in added[0]! && added[0].width === 32,
  ),
  'moved far before a comparison': and(adds(5), ({ added }) =>
    (['sub', 'lsh', 'rsh', 'add'] as const).every((op) =>
      added.some((one) => one.kind === 'alu' && one.op === op),
    ),
  ),
  'NULL on one way': and(adds(2, 4), skips, ({ added }) => added.some((op) => moved(op) === 0)),
  'more rounds on one way': and(adds(2), skips, ({ added }) =>
    added.some((op) => op.kind === 'mov' && op.dst === 1),
  ),
  'checked by one of many copies': ({ removed, added }) =>
    [3, 7, 9].includes(added.length - removed.length) &&
    added.some((op) => op.kind === 'stx' && op.dst === 10 && op.off < -400) &&
    added.some((op) => op.kind === 'ldx' && op.src === 10 && op.off < -400),
  'packet load that may end the function': inserts((op) => op.kind === 'ld_packet'),
  'half of a slot overwritten': inserts((op) => op.kind === 'st' && op.dst === 10 && op.size === 4),
  'main program named as a callback': inserts((op) => op.kind === 'ld_imm64' && op.as === 'func'),
  'jump into a fastcall pattern': and(adds(6, 10), skips, ({ added }) =>
    added.some((op) => op.kind === 'call' && op.target === 'helper' && op.imm === 8),
  ),
  'pointer moved back before its start': ({ removed, added }) =>
    removed.length === 1 &&
    added.length === 2 &&
    added[0]?.kind === 'alu' &&
    added[0].op === 'add' &&
    imm(added[0]) < 0 &&
    added[0].dst === base(added[1]),
  'added the other way round': ({ removed, added }) =>
    removed.length === 2 &&
    added.length === 2 &&
    added[0]?.kind === 'mov' &&
    moved(added[0]) === imm(removed[1]) &&
    added[1]?.kind === 'alu' &&
    'reg' in added[1].src,
  'section ended and opened again': and(adds(2, 3), ({ added, after }) =>
    ['leave', 'enter'].every((kind) => added.some((op) => effects(after, op).includes(kind))),
  ),
  'owner moved': inserts((op) => op.kind === 'alu' && op.op === 'add' && op.dst === 1),
  'result known before the call': inserts((op) => op.kind === 'mov' && op.dst === 0 && 'imm' in op.src),
};

/** Breaks that do one of several things at the same place. */
const CHOOSES =
  /another register|another (function|result|operation)|clobbered|boundary|near|moved$|another map|stored|extends|deeper|in place of|before an access|swapped/;

describe('each break', () => {
  it('is described here', () => {
    expect(Object.keys(CHECKS)).toEqual(BREAKS);
  });

  it.each(BREAKS)('does what it says: %s', (way) => {
    const places = new Set<number>();
    const seen = new Set<string>();
    let made = 0;
    for (let index = 0; index < PROGRAMS; index++) {
      const original = sample(SEED, index);
      for (const { program, slot, what } of nearMissesOf(original, way, 6, index)) {
        const change = changeOf(original.program, program);
        expect(what).toBe(way);
        expect([way, CHECKS[way]?.(change), change.removed, change.added]).toEqual([
          way,
          true,
          change.removed,
          change.added,
        ]);
        const op = decodeAll(original.program.insns)[slot];
        // A slot of the original, and where one thing was taken out or replaced, that one.
        expect([way, op === undefined]).toEqual([way, false]);
        if (change.removed.length === 1) expect([way, text(op!)]).toEqual([way, text(change.removed[0]!)]);
        places.add(slot);
        seen.add(change.added.map(text).join());
        made++;
      }
    }
    // More than one place, and more than one thing put there by those that choose.
    expect([way, made > 0, places.size > 1]).toEqual([way, true, true]);
    if (CHOOSES.test(way)) expect([way, seen.size > 2]).toEqual([way, true]);
  });
});

describe('one of several things to do', () => {
  it('comes to each, at each place, however many of both there are', () => {
    for (let count = 1; count <= 8; count++) {
      const choices = Array.from({ length: count }, (_, i) => i);
      for (let places = 1; places <= 10; places++) {
        for (let place = 0; place < places; place++) {
          const done = choices.map((round) => variant(choices, places, place + round * places));
          expect([count, places, place, new Set(done).size]).toEqual([count, places, place, count]);
        }
      }
      expect(choices.map((place) => variant(choices, count, place))).toEqual(choices);
      expect(variant(choices, 0, 0)).toBe(0);
    }
  });
});
