/** All sequences of three out of everything that takes or gives back a lock, saved IRQ flags or a section; what is left is given back in order. */
import { callHelper, exit, jmp, mov, type Reg, r0, r1, r2, r7, r8 } from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { MapDef, Program } from '../../../src/object/program.js';
import { arrayMap, lockR6, lookedUp, type Names, stackPointer, unlockR6 } from '../kernel/case.js';
import { type Family, family, small } from './family.js';

const SPIN: MapDef = {
  ...arrayMap(16, 2),
  name: 'spin',
  fields: [{ kind: 'spin_lock', offset: 0, size: 4 }],
};
const RES: MapDef = {
  ...arrayMap(16, 2),
  name: 'res',
  fields: [{ kind: 'res_spin_lock', offset: 0, size: 4 }],
};

interface Step {
  readonly items: (n: Names) => Item[];
  /** The step that gives back what this one takes. */
  readonly undo?: string;
  /** It gives back what that step took. */
  readonly undoes?: string;
  readonly mayFail?: true;
}

const onLock = (lock: Reg<64>, name: string, slot?: number) => (n: Names) => [
  mov(r1, lock),
  ...(slot === undefined ? [] : stackPointer(r2, slot)),
  n.kfunc(name),
];
const onSlot = (slot: number, name: string) => (n: Names) => [...stackPointer(r1, slot), n.kfunc(name)];
const plain = (name: string) => (n: Names) => [n.kfunc(name)];

const [A, B] = [r7, r8];
const [ONE, TWO] = [-24, -32];
const SAVE = 'bpf_res_spin_lock_irqsave';
const RESTORE = 'bpf_res_spin_unlock_irqrestore';

const STEPS: Readonly<Record<string, Step>> = {
  lock: { items: () => lockR6, undo: 'unlock' },
  unlock: { items: () => unlockR6, undoes: 'lock' },
  'lock A': { items: onLock(A, 'bpf_res_spin_lock'), undo: 'unlock A', mayFail: true },
  'unlock A': { items: onLock(A, 'bpf_res_spin_unlock'), undoes: 'lock A' },
  'lock B': { items: onLock(B, 'bpf_res_spin_lock'), undo: 'unlock B', mayFail: true },
  'unlock B': { items: onLock(B, 'bpf_res_spin_unlock'), undoes: 'lock B' },
  'lock A, flags 1': { items: onLock(A, SAVE, ONE), undo: 'unlock A, flags 1', mayFail: true },
  'unlock A, flags 1': { items: onLock(A, RESTORE, ONE), undoes: 'lock A, flags 1' },
  'unlock A, flags 2': { items: onLock(A, RESTORE, TWO) },
  'lock B, flags 2': { items: onLock(B, SAVE, TWO), undo: 'unlock B, flags 2', mayFail: true },
  'unlock B, flags 2': { items: onLock(B, RESTORE, TWO), undoes: 'lock B, flags 2' },
  'save flags 1': { items: onSlot(ONE, 'bpf_local_irq_save'), undo: 'restore flags 1' },
  'restore flags 1': { items: onSlot(ONE, 'bpf_local_irq_restore'), undoes: 'save flags 1' },
  'save flags 2': { items: onSlot(TWO, 'bpf_local_irq_save'), undo: 'restore flags 2' },
  'restore flags 2': { items: onSlot(TWO, 'bpf_local_irq_restore'), undoes: 'save flags 2' },
  'disable preemption': { items: plain('bpf_preempt_disable'), undo: 'enable preemption' },
  'enable preemption': { items: plain('bpf_preempt_enable'), undoes: 'disable preemption' },
  'enter RCU': { items: plain('bpf_rcu_read_lock'), undo: 'leave RCU' },
  'leave RCU': { items: plain('bpf_rcu_read_unlock'), undoes: 'enter RCU' },
  'call a helper': { items: () => [callHelper(5)] },
};
const NAMES = Object.keys(STEPS);

/** Gives back what these steps took, the last first. */
const undoing = (n: Names, taken: readonly string[]): Item[] =>
  [...taken].reverse().flatMap((name) => STEPS[STEPS[name]!.undo!]!.items(n));

function sequence(names: readonly string[]): Program {
  const body = (n: Names): Item[] => {
    const taken: string[] = [];
    const failures: Item[] = [];
    const items = names.flatMap((name, at) => {
      const step = STEPS[name]!;
      const now = step.items(n);
      if (step.mayFail) {
        now.push(jmp('ne', r0, 0, `fail${at}`));
        failures.push(label(`fail${at}`), ...undoing(n, taken), mov(r0, 0), exit());
      }
      if (step.undo !== undefined) taken.push(name);
      const given = step.undoes === undefined ? -1 : taken.lastIndexOf(step.undoes);
      if (given >= 0) taken.splice(given, 1);
      return now;
    });
    return [
      ...lookedUp(n, SPIN),
      ...lookedUp(n, RES, { into: A }),
      ...lookedUp(n, RES, { key: 1, into: B }),
      ...items,
      ...undoing(n, taken),
      label('out'),
      mov(r0, 0),
      exit(),
      ...failures,
    ];
  };
  return small('tc', {}, body);
}

export const sequences: Family = family(
  'sequences',
  NAMES.flatMap((first) => NAMES.map((second) => ({ name: `${first}; ${second}`, first, second }))),
  NAMES,
  ({ first, second }, third) => sequence([first, second, third]),
  () => false,
);
