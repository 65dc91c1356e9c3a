/** Which of the harder shapes a program really has: told by what the verifier knows at its insns and by its run, not by the names of fragments. */
import type { Contract } from '../../../src/kernel/contract.js';
import type { Program } from '../../../src/object/program.js';
import type { Facts } from '../../../src/verifier/result.js';
import { frameOf, type State } from '../../../src/verifier/state/state.js';
import { regionOf } from '../../../src/vm/state/address.js';
import { defaultChooser, seededChooser } from '../../../src/vm/state/chooser.js';
import { type Code, prepare } from '../../../src/vm/state/code.js';
import { Vm } from '../../../src/vm/vm.js';

const releases = ({ outcomes }: Contract): number | undefined => {
  for (const effect of outcomes.flatMap(({ effects }) => effects))
    if (effect.kind === 'release') return effect.arg;
  return undefined;
};

const callbacks = ({ frames }: State): number =>
  frames.filter(({ callback }) => callback !== undefined && !callback.async).length;

/** All shapes that `shapesOf` knows. */
export const SHAPES = [
  'references merged into one register',
  'released in another frame than acquired',
  'moved into a map',
  'moved into a list',
  'moved into a tree',
  'lock in a callback',
  'three callbacks deep',
  'iterator around an iterator',
  'ownership across a tail call',
  'exception',
  'callback that runs later',
  'filled map with a callback',
] as const;

/** The shapes that a program has. */
export function shapesOf(program: Program, facts: Facts): ReadonlySet<string> {
  const shapes = new Set<(typeof SHAPES)[number]>();
  const code = prepare(program);
  const { contracts: calls } = code;
  const madeAt = (state: State, ref: number): number | undefined =>
    state.refs.find(({ id }) => id === ref)?.at;
  calls.forEach((contract, slot) => {
    const states = facts.at(slot).map((visit) => visit.state);
    if (contract === undefined || states.length === 0) return;
    const { name } = contract;
    const arg = releases(contract);
    if (arg !== undefined) {
      const acquired = new Set(states.flatMap((one) => madeAt(one, frameOf(one).regs[arg + 1]!.ref) ?? []));
      if ([...acquired].some((at) => code.owner[at] !== code.owner[slot]))
        shapes.add('released in another frame than acquired');
    }
    if (name === 'bpf_kptr_xchg' && states.some((one) => frameOf(one).regs[2]!.ref !== 0))
      shapes.add('moved into a map');
    if (name.startsWith('bpf_list_push')) shapes.add('moved into a list');
    if (name === 'bpf_rbtree_add_impl') shapes.add('moved into a tree');
    if (/_spin_lock(_irqsave)?$/.test(name) && states.some((one) => callbacks(one) > 0))
      shapes.add('lock in a callback');
    if (states.some((one) => callbacks(one) >= 3)) shapes.add('three callbacks deep');
    if (/^bpf_iter_.*_next$/.test(name) && states.some((one) => iterators(code, one) > 1))
      shapes.add('iterator around an iterator');
    if (name === 'bpf_throw') shapes.add('exception');
    if (name === 'bpf_tail_call' && isBetweenExchanges(code, slot))
      shapes.add('ownership across a tail call');
    if (states.some(({ frames }) => frames.some(({ callback }) => callback?.async === true)))
      shapes.add('callback that runs later');
  });
  if (walksFilledMap(code, facts)) shapes.add('filled map with a callback');
  if (hasMergedReferences(code)) shapes.add('references merged into one register');
  return shapes;
}

const iterators = ({ contracts: calls }: Code, { refs }: State): number =>
  refs.filter(({ at }) => /^bpf_iter_.*_new$/.test(calls[at]?.name ?? '')).length;

/** In one function there is an exchange with a map before the insn and one behind it. */
function isBetweenExchanges({ contracts: calls, owner }: Code, slot: number): boolean {
  const exchanges = calls.flatMap((contract, at) =>
    contract?.name === 'bpf_kptr_xchg' && owner[at] === owner[slot] ? [at] : [],
  );
  return exchanges.some((at) => at < slot) && exchanges.some((at) => at > slot);
}

/** Worlds in which a program may show that one release gives back what different calls gave. */
const WORLDS = 12;

/** In different worlds one release gives back what different calls have acquired. (States of the verifier do not tell: it prunes one of the ways.) */
function hasMergedReferences(code: Code): boolean {
  const given = new Map<number, Set<number>>();
  for (let world = 0; world < WORLDS; world++) {
    const vm = new Vm(code, { chooser: world === 0 ? defaultChooser : seededChooser(world), maxSteps: 600 });
    while (vm.running && vm.machine.steps < 600) {
      const { machine } = vm;
      const contract = code.contracts[machine.pc];
      const arg = contract === undefined ? undefined : releases(contract);
      const hold = arg === undefined ? undefined : machine.ledger.reference(regionOf(machine.regs[arg + 1]!));
      if (hold !== undefined) {
        const at = (given.get(machine.pc) ?? new Set()).add(hold.at);
        if (at.size > 1) return true;
        given.set(machine.pc, at);
      }
      vm.step();
    }
  }
  return false;
}

/** In a world where all goes well the callback of bpf_for_each_map_elem runs for an element of a hash, which the program itself has put there. */
function walksFilledMap(code: Code, facts: Facts): boolean {
  const hash = new Set<number>();
  const vm = new Vm(code, { facts, maxSteps: 3000 });
  while (vm.running && vm.machine.steps < 3000) {
    const { machine } = vm;
    const name = code.contracts[machine.pc]?.name;
    if (name === 'bpf_for_each_map_elem') {
      const map = machine.memory.get(regionOf(machine.regs[1]!))?.map ?? -1;
      if (code.program.maps[map]?.type.endsWith('hash') === true) hash.add(machine.pc);
    }
    const { helper } = machine.frame;
    if (helper !== undefined && hash.has(helper.slot)) return true;
    vm.step();
  }
  return false;
}
