/**
 * Where functions may be called: every function that sleeps, that wants a RCU section or a lock around it, or that may be called under one, and some that do
 * none of this; in each section, under each lock, in functions and callbacks of every kind.
 */
import {
  callHelper,
  callKfunc,
  callSub,
  exit,
  ja,
  jmp,
  ldFunc,
  ldMap,
  ldMapValue,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r9,
  r10,
  registers,
  stx,
} from '../../../src/isa/build.js';
import { type Item, label, link } from '../../../src/isa/label.js';
import { contracts } from '../../../src/kernel/catalog.js';
import type { Contract } from '../../../src/kernel/contract.js';
import type { MapDef, Program, ProgType } from '../../../src/object/program.js';
import { callProgram, callWith, type Substitute, type Written } from '../contracts/call.js';
import { LOCK, RES_LOCK, TIMER, WQ } from '../contracts/things.js';
import { index } from '../contracts/writer.js';
import { stackPointer } from '../kernel/case.js';
import { LEFT_OUT, tried } from './arguments.js';
import { type Family, family, withContexts } from './family.js';

/** Where r1 to r5 are kept while a section is entered, and the saved flags. */
const KEPT = -472;
const FLAGS = -512;

/** Around the call alone: entered when all its arguments are loaded. */
interface Around {
  readonly enter: Written;
  readonly leave: Written;
  readonly maps?: Substitute['maps'];
  /** `enter` may jump to `not_taken`. */
  readonly mayFail?: true;
}

const byName = (enter: string, leave: string): Around => ({
  enter: (_, kfunc) => [kfunc(enter)],
  leave: (_, kfunc) => [kfunc(leave)],
});

const AROUND: Readonly<Record<string, Around>> = {
  'nothing around it': { enter: () => [], leave: () => [] },
  'in a RCU section': byName('bpf_rcu_read_lock', 'bpf_rcu_read_unlock'),
  'without preemption': byName('bpf_preempt_disable', 'bpf_preempt_enable'),
  'without interrupts': {
    enter: (_, kfunc) => [...stackPointer(r1, FLAGS), kfunc('bpf_local_irq_save')],
    leave: (_, kfunc) => [...stackPointer(r1, FLAGS), kfunc('bpf_local_irq_restore')],
  },
  'under a spin lock': {
    maps: [LOCK],
    enter: ([map = 0]) => [ldMapValue(r1, map), callHelper(93)],
    leave: ([map = 0]) => [ldMapValue(r1, map), callHelper(94)],
  },
  'under a resilient lock': {
    maps: [RES_LOCK],
    mayFail: true,
    enter: ([map = 0], kfunc) => [
      ldMapValue(r1, map),
      kfunc('bpf_res_spin_lock'),
      jmp('ne', r0, 0, 'not_taken'),
    ],
    leave: ([map = 0], kfunc) => [ldMapValue(r1, map), kfunc('bpf_res_spin_unlock')],
  },
};

/** The call is in another function than the main program, and starts with the context or without. */
interface Inside {
  readonly linkage: 'static' | 'global';
  readonly context: boolean;
  readonly map?: MapDef;
  /** The main program, which names the function `body`. */
  readonly main: (map: number, kfunc: (name: string) => Item) => Item[];
}

const end: Item[] = [mov(r0, 0), exit()];
const ofMap = (map: number): Item[] => [ldMapValue(r1, map), ldMap(r2, map), mov(r3, 0)];
const ofBody = (map: number): Item[] => [ldMapValue(r1, map), ldFunc(r2, 'body'), mov(r3, 0)];

const INSIDE: Readonly<Record<string, Inside>> = {
  'in a function': { linkage: 'static', context: true, main: () => [callSub('body'), ...end] },
  'in a global function': { linkage: 'global', context: true, main: () => [callSub('body'), ...end] },
  'in a callback': {
    linkage: 'static',
    context: false,
    main: () => [mov(r1, 2), ldFunc(r2, 'body'), mov(r3, 0), mov(r4, 0), callHelper(181), ...end],
  },
  'in a timer': {
    linkage: 'static',
    context: false,
    map: TIMER,
    main: (map) => [...ofMap(map), callHelper(169), ...ofBody(map), callHelper(170), ...end],
  },
  'in a work queue': {
    linkage: 'static',
    context: false,
    map: WQ,
    main: (map, kfunc) => [
      ...ofMap(map),
      kfunc('bpf_wq_init'),
      ...ofBody(map),
      mov(r4, 0),
      kfunc('bpf_wq_set_callback_impl'),
      ...end,
    ],
  },
};

/** The program as a function of another one. */
function within(program: Program, { linkage, context, map, main }: Inside): Program {
  const maps = [...program.maps];
  const kfuncs = [...program.kfuncs];
  const items = main(map === undefined ? 0 : index(maps, map), (name) => callKfunc(index(kfuncs, name)));
  const before = link([...items, label('body')]).insns;
  const [, ...others] = program.subprogs;
  const made: Program = {
    ...program,
    insns: [...before, ...program.insns],
    maps,
    kfuncs,
    subprogs: [
      { name: 'main', start: 0, linkage: 'global' },
      { name: 'body', start: before.length, linkage },
      ...others.map((one) => ({ ...one, start: one.start + before.length })),
    ],
  };
  return context && linkage === 'global' ? withContexts(made, ['body']) : made;
}

/** The call in its section: its arguments are kept on the stack meanwhile, and its result in r9. */
function placed(contract: Contract, type: ProgType, { enter, leave, maps, mayFail }: Around): Program {
  const args = contract.args.map((_, i) => ({ reg: registers[i + 1]!, at: KEPT - 8 * i }));
  const isVoid = contract.outcomes.every(({ r0: value }) => value.kind === 'void');
  return callWith(contract, type, 0, {
    bare: true,
    ...(maps === undefined ? {} : { maps }),
    load: (_, ...names) => {
      const entered = enter(...names);
      if (entered.length === 0) return [];
      return [
        ...args.map(({ reg, at }) => stx(8, r10, at, reg)),
        ...entered,
        ...args.map(({ reg, at }) => ldx(8, reg, r10, at)),
      ];
    },
    after: (...names) => {
      const left = leave(...names);
      const after = isVoid || left.length === 0 ? left : [mov(r9, r0), ...left, mov(r0, r9)];
      return mayFail === undefined
        ? after
        : [...after, ja('left'), label('not_taken'), mov(r0, 0), label('left')];
    },
  });
}

/** Of the functions that say nothing of places, one in so many; which, its name tells, so that others may be added. */
const OTHERS = 9;
const isDrawn = ({ name }: Contract): boolean =>
  [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % OTHERS === 0;

const saysOfPlaces = ({ sleeps, needsRcu, underLock, args, outcomes }: Contract): boolean =>
  sleeps === true ||
  needsRcu === true ||
  underLock === true ||
  args.some(({ kind }) => kind === 'graph_root' || kind === 'irq_flag' || kind === 'callback') ||
  outcomes.some(({ effects }) => effects.some(({ kind }) => kind === 'enter' || kind === 'leave'));

const ROWS = contracts()
  .filter((contract) => !LEFT_OUT.test(contract.name) && (saysOfPlaces(contract) || isDrawn(contract)))
  .flatMap((contract) =>
    (['tc', 'syscall', 'tracepoint'] as const)
      .filter((type) => contract.types.includes(type))
      .slice(0, contract.sleeps === true || contract.needsRcu === true ? 2 : 1)
      .filter((type) => tried(() => callProgram(contract, type)) !== undefined)
      .map((type) => ({ name: `${contract.name}, ${type}`, contract, type })),
  );

/** What is around the call in the main program, and in other functions. */
const COLUMNS: Readonly<Record<string, { readonly around: Around; readonly inside?: Inside }>> =
  Object.fromEntries([
    ...Object.entries(AROUND).map(([name, around]) => [name, { around }] as const),
    ...Object.entries(INSIDE).flatMap(([where, inside]) =>
      ['nothing around it', 'in a RCU section', 'under a spin lock'].map(
        (name) => [`${where}, ${name}`, { around: AROUND[name]!, inside }] as const,
      ),
    ),
  ]);

export const places: Family = family(
  'places-of-calls',
  ROWS,
  Object.keys(COLUMNS),
  ({ contract, type }, column) => {
    const { around, inside } = COLUMNS[column]!;
    if (inside?.context === false && contract.args.some(({ kind }) => kind === 'ctx')) return undefined;
    return tried(() => {
      const program = placed(contract, type, around);
      return inside === undefined ? program : within(program, inside);
    });
  },
  () => false,
);
