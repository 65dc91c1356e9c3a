/**
 * Whole programs of straight code: statements one after the other, then functions. At the end the program outputs all that it computed.
 */
import {
  add,
  and,
  callSub,
  exit,
  jmp,
  ldFunc,
  ldx,
  mov,
  mul,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
  r7,
  r8,
  r9,
  r10,
  rsh,
  st,
  stx,
  xor,
} from '../../src/isa/build.js';
import { label, link } from '../../src/isa/label.js';
import { progType } from '../../src/kernel/progtypes.js';
import type { MapDef, Program, ProgType } from '../../src/object/program.js';
import { mix } from '../random.js';
import { element, iterate, queue, send, sendDynptr, view } from './calls.js';
import { access, branch, compute, INPUT, loop, start } from './compute.js';
import { direct, packetCall } from './packets.js';
import { NUMBERS, Writer } from './writer.js';

/** Beyond this many paths nothing more branches: a verifier walks all of them. */
const MOST_PATHS = 200;
const JUMPS: MapDef = {
  name: 'jumps',
  type: 'prog_array',
  keySize: 4,
  valueSize: 4,
  maxEntries: 4,
  flags: 0,
  fields: [],
};
/** Stack slot of a loop's counter, by depth. */
const COUNTERS = [-176, -184];

/** The `index`-th program of the stream of `seed`, of one of these types. Linux takes nearly all of them. */
export function straightProgram(seed: number, index: number, types: readonly ProgType[]): Program {
  const type = types[(mix(seed, index) >>> 0) % types.length]!;
  const w = new Writer(type, seed, index);
  w.emit(mov(r6, r1));
  start(w);
  statements(w, 6 + w.below(30));
  finish(w);
  // Functions may call for further ones.
  for (let i = 0; i < w.functions.length; i++) {
    const { label: name, write } = w.functions[i]!;
    w.emit(label(name));
    write();
  }
  const { insns, labels } = link(w.items);
  return {
    name: 'straight',
    type,
    insns,
    maps: w.maps,
    kfuncs: w.kfuncs,
    localTypes: [],
    subprogs: [
      { name: 'main', start: 0, linkage: 'static' },
      ...w.functions.map(({ label: name }) => ({
        name,
        start: labels.get(name)!,
        linkage: 'static' as const,
      })),
    ],
  };
}

function statements(w: Writer, count: number): void {
  for (let i = 0; i < count; i++) statement(w);
}

function statement(w: Writer): void {
  const calm = w.paths > MOST_PATHS || w.nested > 1;
  const kind = w.below(calm ? 10 : 26);
  switch (kind) {
    case 10:
    case 11:
      nest(w, (inner) => branch(w, inner));
      return;
    case 12:
      if (w.nested < COUNTERS.length) nest(w, (inner) => loop(w, COUNTERS[w.nested - 1]!, inner));
      return;
    case 13:
    case 20:
      direct(w);
      return;
    case 14:
    case 24:
      element(w);
      return;
    case 25:
      queue(w);
      return;
    case 21:
    case 22:
    case 23:
      packetCall(w);
      return;
    case 15:
      w.oneIn(2) ? send(w) : sendDynptr(w);
      return;
    case 16:
      view(w);
      return;
    case 17:
      iterate(w);
      return;
    case 18:
      w.oneIn(3) ? leave(w) : subprogram(w);
      return;
    case 19:
      callback(w);
      return;
    default:
      if (kind % 2 === 0) for (let i = w.below(4); i >= 0; i--) compute(w);
      else access(w);
  }
}

function nest(w: Writer, around: (inner: () => void) => void): void {
  w.nested++;
  around(() => statements(w, 1 + w.below(3)));
  w.nested--;
}

/** All that was computed: registers to the map, and folded with the stack into r0. */
function finish(w: Writer): void {
  w.loadMapValue(r2, INPUT);
  w.emit(stx(8, r2, 96, r0), stx(8, r2, 104, r7), stx(8, r2, 112, r8), stx(8, r2, 120, r9));
  for (let at = -NUMBERS; at < 0; at += 8) w.emit(ldx(8, r1, r10, at), mul(r0, 31), xor(r0, r1));
  w.emit(mov(r1, r0), rsh(r1, 32), xor(r0, r1));
  inRange(w, r0);
  w.emit(exit());
}

/** What a program of this type may return. */
function inRange(w: Writer, reg: typeof r0): void {
  if (progType(w.type).returns !== undefined) w.emit(and(reg, 1));
}

/** A call of a function with five numbers, which answers with one. */
function subprogram(w: Writer): void {
  if (w.nested > 0 || !w.main) return;
  const name = w.fresh();
  w.functions.push({ label: name, write: () => inFunction(w, undefined) });
  w.emit(callSub(name));
  w.keep();
}

/** What a function does, and what it returns; r0 as it came to be unless told. */
function inFunction(w: Writer, result: number | undefined): void {
  const { main, nested, paths } = w;
  w.main = false;
  w.nested = 0;
  // The arguments, to where numbers lie.
  const args = [r1, r2, r3, r4];
  for (let at = -NUMBERS; at < 0; at += 8) w.emit(st(8, r10, at, (at * 0x1234567) | 0));
  for (let at = -136; at < -72; at += 8) w.emit(st(8, r10, at, (at * 0x7654321) | 0));
  args.forEach((reg, i) => {
    w.emit(stx(8, r10, -8 * (i + 1), reg));
  });
  for (const reg of [r0, r7, r8, r9]) w.emit(ldx(8, reg, r10, w.place(8)));
  w.refresh();
  statements(w, 2 + w.below(6));
  if (result !== undefined) w.emit(mov(r0, result));
  w.emit(exit());
  w.main = main;
  w.nested = nested;
  w.paths = paths;
}

/** bpf_loop over a few rounds, or bpf_for_each_map_elem, with a callback that changes the caller's stack. */
function callback(w: Writer): void {
  if (w.nested > 0 || !w.main) return;
  const name = w.fresh();
  const place = w.place(8);
  const each = w.oneIn(2);
  // The third register, or of an element the fourth, is what the caller passed on.
  const [shared, value] = each ? [r4, r3] : [r2, undefined];
  w.functions.push({
    label: name,
    write: () => {
      w.emit(ldx(8, r6, shared, 0), add(r6, 1), mul(r6, 3), stx(8, shared, 0, r6));
      if (value !== undefined) w.emit(ldx(8, r6, value, 0), xor(r6, 0x55), stx(8, value, 0, r6));
      const numbers = [r1, r2, r3, r4].filter((reg) => reg !== r1 || each);
      for (const reg of numbers) w.emit(mov(reg, r6));
      if (each) w.emit(mov(r1, r6));
      w.throwing = false;
      inFunction(w, w.oneIn(4) ? 1 : 0);
      w.throwing = true;
    },
  });
  if (each) {
    w.loadMap(r1, w.pick(EACH));
    w.emit(ldFunc(r2, name));
  } else w.emit(mov(r1, 1 + w.below(6)), ldFunc(r2, name));
  w.address(r3, place);
  w.emit(mov(r4, 0));
  w.call(each ? 'bpf_for_each_map_elem' : 'bpf_loop');
  w.keep();
}

const EACH: readonly MapDef[] = [
  { name: 'table', type: 'hash', keySize: 4, valueSize: 16, maxEntries: 6, flags: 0, fields: [] },
  { name: 'list', type: 'array', keySize: 4, valueSize: 16, maxEntries: 4, flags: 0, fields: [] },
];

/** Leaves the program when a comparison holds: by a tail call, an exception, or the exit. */
function leave(w: Writer): void {
  const on = w.fresh();
  w.emit(jmp(w.pick(['gt', 'sle', 'set'] as const), w.scalar(), w.number(), on));
  w.paths *= 2;
  const kind = w.below(3);
  if (kind === 0 && w.main && w.can('bpf_tail_call')) {
    w.emit(mov(r1, r6));
    w.loadMap(r2, JUMPS);
    w.emit(mov(r3, w.below(6)));
    w.call('bpf_tail_call');
    w.emit(mov(r0, 3));
    w.refresh();
  } else if (kind === 1 && w.nested === 0 && w.throwing && w.can('bpf_throw')) {
    w.emit(mov(r1, w.scalar()));
    inRange(w, r1);
    w.call('bpf_throw');
  } else if (w.main) {
    w.emit(mov(r0, w.scalar()));
    inRange(w, r0);
    w.emit(exit());
  }
  w.emit(label(on));
}
