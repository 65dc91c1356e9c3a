/** Open-coded iterators: made, asked for the next element until there is none, destroyed on every way out. */
import fc from 'fast-check';
import { add, ja, jmp, mov, type Reg, r0, r1, r2, r3, r10 } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import { contractOf } from '../../src/kernel/catalog.js';
import type { IterType } from '../../src/kernel/contract.js';
import { picksArbitrary, spillArbitrary, type Test, testArbitrary } from '../choices.js';
import { loadThing } from '../compile/arguments.js';
import { produce } from '../compile/call.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided, type Home } from '../compile/frame.js';
import { SCRATCH } from '../compile/maps.js';
import type { Thing } from '../compile/scope.js';
import { type Fragment, fragment } from '../fragment.js';
import { emitSection } from './sections.js';
import { type Body, emitTest } from './values.js';

/** Iterators that programs of some modelled type may make. */
type Makable = Exclude<IterType, 'scx_dsq'>;

/** Bytes of the iterator's struct on the stack. */
const SIZES: Readonly<Record<Makable, number>> = {
  num: 8,
  bits: 16,
  task: 24,
  css: 24,
  css_task: 8,
  task_vma: 8,
  kmem_cache: 8,
  dmabuf: 8,
};

export const ITERATORS = Object.keys(SIZES) as readonly Makable[];

/** The free choices in a loop over an iterator. */
export interface IteratorChoices {
  readonly type: Makable;
  readonly picks: readonly number[];
  readonly spill: boolean;
  /** Leave the loop when this holds. */
  readonly stop: Test | undefined;
}

/** Writes the loop; `inner` is its body, with the element in scope. */
export function emitIterator(c: Compiler, choices: IteratorChoices, inner: () => void): void {
  const { type } = choices;
  const make = contractOf(`bpf_iter_${type}_new`);
  if (make === undefined) throw new Elided(`${type} iterators are not in the catalog`);
  // An iterator over what RCU protects is made and used in one section, even where the program may sleep.
  if ((make.needsRcu === true || type === 'css_task') && !c.inRcu && !c.context.rcuPinned) {
    emitSection(c, 'rcu', () => emitIterator(c, choices, inner));
    return;
  }
  const wanted = make.args.findIndex((arg) => arg.kind === 'btf');
  const arg = make.args[wanted];
  if (arg === undefined || (arg.kind === 'btf' && arg.nullable && (choices.picks[0] ?? 0) % 2 === 0)) {
    emitLoop(c, choices, undefined, inner);
    return;
  }
  const found = c.things.find(
    (thing) => thing.kind === 'btf' && arg.kind === 'btf' && serves(thing, arg.structs),
  );
  if (found !== undefined) emitLoop(c, choices, found, inner);
  else produce(c, arg, choices.picks[1] ?? 0, (thing) => emitLoop(c, choices, thing, inner));
}

const serves = (thing: Thing, structs: readonly string[]): boolean =>
  thing.kind === 'btf' && thing.trust === 'trusted' && structs.includes(thing.struct);

function emitLoop(c: Compiler, choices: IteratorChoices, over: Thing | undefined, inner: () => void): void {
  const { type } = choices;
  const slot = c.takeStack(SIZES[type]);
  const iterator = (reg: Reg<64> = r1) => c.emit(mov(reg, r10), add(reg, slot));
  emitArguments(c, choices, over);
  iterator();
  const { needsRcu } = c.call(`bpf_iter_${type}_new`);
  const destroy = () => {
    iterator();
    c.callUnchecked(`bpf_iter_${type}_destroy`);
  };
  const pinned = needsRcu === true || type === 'task_vma' || type === 'css_task' || c.context.rcuPinned;
  c.holding(
    destroy,
    () => {
      const next = c.fresh();
      const done = c.fresh();
      c.emit(label(next));
      iterator();
      c.callUnchecked(`bpf_iter_${type}_next`);
      c.emit(jmp('eq', r0, 0, done));
      c.keep(choices.spill, (home) => {
        c.withThing(elementOf(type, home), inner);
      });
      if (choices.stop !== undefined) emitTest(c, choices.stop, done);
      c.emit(ja(next), label(done));
    },
    { held: c.context.held + 1, loops: c.context.loops + 1, rcuPinned: pinned },
  );
  c.giveStack(slot, SIZES[type]);
}

/** All arguments of `new` but the iterator. */
function emitArguments(c: Compiler, { type, picks }: IteratorChoices, over: Thing | undefined): void {
  const number = (i: number, below: number) => (picks[i] ?? 0) % below;
  switch (type) {
    case 'num':
      c.emit(mov(r2, number(2, 4)), mov(r3, number(3, 16)));
      return;
    case 'bits':
      c.loadMapValue(r2, SCRATCH);
      c.emit(mov(r3, 1));
      return;
    case 'task':
    case 'css':
    case 'css_task':
    case 'task_vma':
      if (over === undefined) c.emit(mov(r2, 0));
      else loadThing(c, r2, over);
      c.emit(mov(r3, type === 'task_vma' ? 0 : number(4, 3)));
      return;
    default:
  }
}

function elementOf(type: Makable, home: Home): Thing {
  switch (type) {
    case 'num':
    case 'bits':
      return { kind: 'region', home, size: 4, readonly: true, holes: [], of: 'mem' };
    case 'task':
      return { kind: 'btf', struct: 'task_struct', home, trust: 'rcu', owned: false };
    case 'css':
      return { kind: 'btf', struct: 'cgroup_subsys_state', home, trust: 'rcu', owned: false };
    case 'css_task':
      return { kind: 'btf', struct: 'task_struct', home, trust: 'trusted', owned: false };
    case 'task_vma':
      return { kind: 'btf', struct: 'vm_area_struct', home, trust: 'trusted', owned: false };
    case 'kmem_cache':
      return { kind: 'btf', struct: 'kmem_cache', home, trust: 'trusted', owned: false };
    case 'dmabuf':
      return { kind: 'btf', struct: 'dma_buf', home, trust: 'trusted', owned: false };
  }
}

/** Loops over an iterator, often of numbers; `body` runs for each element, and a test may leave the loop early. */
export function iteratorArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      type: fc.oneof(
        { weight: 4, arbitrary: fc.constant<Makable>('num') },
        { weight: 6, arbitrary: fc.constantFrom(...ITERATORS) },
      ),
      picks: picksArbitrary,
      spill: spillArbitrary,
      stop: fc.option(testArbitrary, { nil: undefined, freq: 3 }),
      body,
    })
    .map(({ body, ...choices }) =>
      fragment(`${choices.type} iterator`, body, (c) => emitIterator(c, choices, () => c.body(body))),
    );
}
