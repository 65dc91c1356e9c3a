/** Helpers that call back: loops with a callback, one call for every element of a map, timers and work that run later. */
import fc from 'fast-check';
import { add, ldFunc, mov, or, type Reg, r1, r2, r3, r4, r5, r10, st } from '../../src/isa/build.js';
import { contractOf } from '../../src/kernel/catalog.js';
import {
  oneIn,
  pickArbitrary,
  spillArbitrary,
  type Test,
  testArbitrary,
  touchesArbitrary,
} from '../choices.js';
import { loadThing } from '../compile/arguments.js';
import { produce } from '../compile/call.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided, type Home } from '../compile/frame.js';
import { holesOf, PLAIN_MAPS, TIMER_MAP, WORK_MAP } from '../compile/maps.js';
import { isRefused } from '../compile/refused.js';
import type { Thing } from '../compile/scope.js';
import { emitScalar, type Touch } from '../compile/touch.js';
import type { Param } from '../compile/unit.js';
import { type Fragment, fragment } from '../fragment.js';
import { emitLookup } from './memory.js';
import { type Body, emitTest, emitTouches } from './values.js';

export type CallbackName = 'bpf_loop' | 'bpf_for_each_map_elem' | 'bpf_find_vma';

/** The free choices in a call that runs its callback before it returns. */
export interface CallbackChoices {
  readonly name: CallbackName;
  readonly count: number;
  readonly which: number;
  /** Pass a word of this frame's stack, which the callback may touch. */
  readonly shared: boolean;
  readonly spill: boolean;
  readonly touches: readonly Touch[];
  /** End the round, or the whole loop, when this holds. */
  readonly stop: Test | undefined;
  readonly value: number;
}

/** Writes the call of the helper and the callback, whose body is `inner`. */
export function emitCallback(c: Compiler, choices: CallbackChoices, inner: () => void): void {
  c.usable(choices.name);
  if (choices.name === 'bpf_find_vma') {
    const arg = contractOf('bpf_find_vma')?.args[0];
    const task = c.things.find(
      (thing) => thing.kind === 'btf' && thing.struct === 'task_struct' && thing.owned,
    );
    if (task !== undefined) emitWithContext(c, choices, task, inner);
    else if (arg !== undefined)
      produce(c, arg, choices.which, (made) => emitWithContext(c, choices, made, inner));
  } else emitWithContext(c, choices, undefined, inner);
}

function emitWithContext(
  c: Compiler,
  choices: CallbackChoices,
  task: Thing | undefined,
  inner: () => void,
): void {
  if (!choices.shared) {
    emitCallbackCall(c, choices, task, (reg) => c.emit(mov(reg, 0)), undefined, inner);
    return;
  }
  const slot = c.takeStack(8);
  c.emit(st(8, r10, slot, choices.value));
  const load = (reg: Reg<64>) => c.emit(mov(reg, r10), add(reg, slot));
  emitCallbackCall(c, choices, task, load, 8, inner);
  c.giveStack(slot, 8);
}

function emitCallbackCall(
  c: Compiler,
  choices: CallbackChoices,
  task: Thing | undefined,
  context: (reg: Reg<64>) => void,
  contextSize: number | undefined,
  inner: () => void,
): void {
  const { name, spill } = choices;
  const map = PLAIN_MAPS[choices.which % PLAIN_MAPS.length]!;
  const shared: Param[] =
    contextSize === undefined
      ? []
      : [
          {
            reg: name === 'bpf_loop' ? r2 : name === 'bpf_find_vma' ? r3 : r4,
            as: memory(contextSize),
            spill,
          },
        ];
  const { label: target } = c.func(
    'callback',
    name === 'bpf_loop'
      ? [{ reg: r1, as: 'scalar', spill }, ...shared]
      : name === 'bpf_find_vma'
        ? [{ reg: r1, as: borrowed('task_struct') }, { reg: r2, as: borrowed('vm_area_struct') }, ...shared]
        : [
            {
              reg: r3,
              as: (home): Thing => ({
                kind: 'region',
                home,
                size: map.valueSize,
                readonly: false,
                holes: holesOf(map.fields),
                of: 'map_value',
              }),
              spill,
            },
            ...shared,
          ],
    [0, 1],
    () => {
      c.within({ loops: c.context.loops + 1 }, () => {
        const regions = c.things.flatMap((thing) => (thing.kind === 'region' ? [thing] : []));
        for (const region of regions) {
          const full = region.of === 'map_value';
          emitTouches(c, (reg) => c.load(reg, region.home), { ...region, full }, choices.touches);
        }
        inner();
        if (choices.stop !== undefined) {
          const on = c.fresh();
          emitTest(c, choices.stop, on);
          c.leave(1 - (choices.value % 2));
          c.emit({ kind: 'label', name: on });
        }
        c.result(choices.value % 2);
      });
    },
  );
  switch (name) {
    case 'bpf_loop':
      // Never a count that is known to be 0: the callback would be a function that nobody calls (see compileOnce).
      // An argument of a global function is no count either: Linux 6.18 may stop with "verifier bug: backtracking call unexpected regs".
      if (choices.count > 16 && c.kind !== 'global') {
        emitScalar(c, r1, choices.which);
        c.emit(or(r1, 1));
      } else c.emit(mov(r1, choices.count + 1));
      c.emit(ldFunc(r2, target));
      context(r3);
      c.emit(mov(r4, 0));
      break;
    case 'bpf_for_each_map_elem':
      c.loadMap(r1, map);
      c.emit(ldFunc(r2, target));
      context(r3);
      c.emit(mov(r4, 0));
      break;
    case 'bpf_find_vma':
      if (task === undefined) throw new Elided('no task');
      loadThing(c, r1, task);
      c.emit(mov(r2, 0), ldFunc(r3, target));
      context(r4);
      c.emit(mov(r5, 0));
  }
  c.call(name);
}

/** Stack of the calling frame, seen through the callback's context pointer. */
const memory =
  (size: number) =>
  (home: Home): Thing => ({ kind: 'region', home, size, readonly: false, holes: [], of: 'mem' });

const borrowed =
  (struct: string) =>
  (home: Home): Thing => ({ kind: 'btf', struct, home, trust: 'plain', owned: false });

/** Calls of bpf_loop, bpf_for_each_map_elem and bpf_find_vma whose callback runs `body`. The callback may stop the loop early. */
export function callbackArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      name: fc.constantFrom<CallbackName[]>('bpf_loop', 'bpf_loop', 'bpf_for_each_map_elem', 'bpf_find_vma'),
      count: fc.nat({ max: 24 }),
      which: pickArbitrary,
      shared: fc.boolean(),
      spill: spillArbitrary,
      touches: touchesArbitrary,
      stop: fc.option(testArbitrary, { nil: undefined, freq: 3 }),
      value: fc.nat({ max: 7 }),
      body,
    })
    .map(({ body, ...choices }) =>
      fragment(choices.name, body, (c) => emitCallback(c, choices, () => c.body(body))),
    );
}

/** A timer or a work item in a map value: given its callback, started, and perhaps cancelled. */
export function laterArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({ work: fc.boolean(), cancel: oneIn(3), touches: touchesArbitrary, spill: spillArbitrary, body })
    .map(({ work, cancel, touches, spill, body }) =>
      fragment(work ? 'work' : 'timer', body, (c) =>
        emitLater(c, { work, cancel, touches, spill }, () => c.body(body)),
      ),
    );
}

/**
 * The free choices in setting up a timer or work queue, whose callback runs later. `work`: a work queue; `cancel`: the timer is
 * cancelled again.
 */
export interface LaterChoices {
  readonly work: boolean;
  readonly cancel: boolean;
  readonly touches: readonly Touch[];
  readonly spill: boolean;
}

/** Writes it; `inner` is the callback's body, which starts out with nothing held and without the context. */
export function emitLater(
  c: Compiler,
  { work, cancel, touches, spill }: LaterChoices,
  inner: () => void,
): void {
  if (isRefused('bpf_timer_init', c.type)) throw new Elided('tracing programs may not use timers');
  const map = work ? WORK_MAP : TIMER_MAP;
  const [init, set, start] = work
    ? (['bpf_wq_init', 'bpf_wq_set_callback_impl', 'bpf_wq_start'] as const)
    : (['bpf_timer_init', 'bpf_timer_set_callback', 'bpf_timer_start'] as const);
  emitLookup(c, map, { constant: true, key: 0, spill }, (home) => {
    const { label: target } = c.func(
      'async',
      [
        {
          reg: r3,
          as: (value): Thing => ({
            kind: 'region',
            home: value,
            size: map.valueSize,
            readonly: false,
            holes: holesOf(map.fields),
            of: 'map_value',
          }),
        },
      ],
      [0, 0],
      () => {
        const value = c.things[0];
        if (value?.kind === 'region')
          emitTouches(c, (reg) => c.load(reg, value.home), { ...value, full: true }, touches);
        inner();
        c.result(0);
      },
    );
    c.load(r1, home);
    c.loadMap(r2, map);
    c.emit(mov(r3, 0));
    c.call(init);
    c.load(r1, home);
    c.emit(ldFunc(r2, target));
    if (work) c.emit(mov(r3, 0), mov(r4, 0));
    c.call(set);
    c.load(r1, home);
    c.emit(mov(r2, work ? 0 : 1000));
    if (!work) c.emit(mov(r3, 0));
    c.call(start);
    if (cancel && !work) {
      c.load(r1, home);
      c.call('bpf_timer_cancel');
    }
  });
}
