/**
 * What a program reaches: it is run in two worlds and killed before calls on the way. A call is stubbed there if the rule set `sound`
 * stubs its function whatever is known at the call. So the program need not be verified; and the rules of a campaign have no part in it:
 * campaigns with one seed check the same programs whatever rules they check.
 */
import type { Contract } from '../../src/kernel/contract.js';
import type { Program } from '../../src/object/program.js';
import type { Stub } from '../../src/patch/rule.js';
import sound from '../../src/patch/sets/sound.js';
import { decideIn, situationsOf } from '../../src/patch/situations.js';
import { cellOf, outcomesOf, pairsOf, pointOf } from '../../src/vm/diversity.js';
import { defaultChooser, seededChooser } from '../../src/vm/state/chooser.js';
import { type Code, prepare } from '../../src/vm/state/code.js';
import { EMPTY } from '../../src/vm/state/environment.js';
import { cannotRun } from '../../src/vm/state/runnable.js';
import { Vm, type VmOptions } from '../../src/vm/vm.js';

/** Steps of a run that are looked at, and steps of a killed run. */
const STEPS = 600;
const AFTER_THE_KILL = 1000;
/** Calls of the run in which all goes well before which it is killed. */
const KILLS = 16;

/**
 * The features of a program, as words. `ran F`: a call site of F was run after a kill; `outcome F name`; `held A+B`: held together; and the
 * cells of `cellOf` for calls. None for a program that cannot be run.
 */
export function reachOf(program: Program, seed: number): ReadonlySet<string> {
  const found = new Set<string>();
  if (cannotRun(program) !== undefined) return found;
  const code = prepare(program);
  const stubs = new Map<number, Stub>();
  code.contracts.forEach((contract, slot) => {
    const stub = contract === undefined ? undefined : stubOf(contract);
    if (stub !== undefined) stubs.set(slot, stub);
  });
  const options: VmOptions = {
    fastPath: { rules: sound.name, stubs },
    bound: AFTER_THE_KILL,
    onPatchedCall: (slot) => found.add(ranAfterKill(code.contracts[slot]?.name ?? '')),
  };
  follow(code, { ...options, env: EMPTY, chooser: defaultChooser }, found, KILLS);
  follow(code, { ...options, env: EMPTY, chooser: seededChooser(seed) }, found, 1);
  return found;
}

const known = new WeakMap<Contract, { readonly stub: Stub | undefined }>();

/** The stub that `sound` has for a function in all of its situations; undefined where it keeps the call in one of them. */
function stubOf(contract: Contract): Stub | undefined {
  const before = known.get(contract);
  if (before !== undefined) return before.stub;
  const actions = situationsOf(contract).map((situation) => decideIn(sound, contract, situation).action);
  const stubs = actions.flatMap((action) => (action.kind === 'stub' ? [action.stub] : []));
  const stub = stubs.length === actions.length ? stubs[0] : undefined;
  known.set(contract, { stub });
  return stub;
}

/** The feature that a call site of this function was run after a kill. */
export function ranAfterKill(name: string): string {
  return `ran ${name}`;
}

/** Adds what one run reaches, killed before this many of its calls. */
function follow(code: Code, options: VmOptions, found: Set<string>, most: number): void {
  const vm = new Vm(code, options);
  const path = options.fastPath ?? { stubs: new Map() };
  let kills = 0;
  while (vm.running && vm.machine.steps < STEPS) {
    const { machine } = vm;
    if (code.contracts[machine.pc] !== undefined) {
      found.add(cellOf(pointOf(machine, path)));
      for (const pair of pairsOf(machine.ledger.holds)) found.add(`held ${pair}`);
      if (kills++ < most) {
        const killed = vm.fork();
        killed.kill();
        killed.run();
      }
    }
    vm.step();
  }
  for (const outcome of outcomesOf(vm.result())) found.add(`outcome ${outcome}`);
}
