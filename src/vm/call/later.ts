/**
 * Callbacks that run after the program: those of timers and of work queues that it has started. Each is a run of its own in Linux. Here it follows the
 * program in the same run, if the environment says so (`later#n=1`), so that the program can be killed in it as anywhere else. After a killed program none runs: in
 * Linux it would not be killed.
 */
import { address, regionOf } from '../state/address.js';
import type { Later, MachineState } from '../state/machine.js';
import type { Call } from './call.js';
import { callbackSite } from './callbacks.js';
import type { Model, Models } from './models/model.js';

/** Choices with which so many callbacks run after the program, if they are started: a timer may start itself again and again. */
export const runsLater = (count: number): ReadonlyMap<string, string> =>
  new Map(Array.from({ length: count }, (_, i) => [`later#${i + 1}`, '1']));

const without = ({ machine }: Call, at: bigint): readonly Later[] =>
  machine.later.filter((one) => one.at !== at);

/** The function sets the callback of the timer or work queue in its first argument. */
const sets: Model = {
  watches: true,
  run(call, outcome, rest) {
    const at = call.arg(0);
    if (outcome.effects.some((effect) => effect.kind === 'callback' && effect.times === 'any')) {
      const { slot, name, callback, spec } = callbackSite(call);
      call.machine.later = [...without(call, at), { at, slot, name, callback, spec, armed: false }];
    }
    return rest();
  },
};

const arms = (armed: boolean): Model => ({
  watches: true,
  run(call, outcome, rest) {
    const at = call.arg(0);
    if (!armed || outcome.effects.some((effect) => effect.kind === 'arm')) {
      const { machine } = call;
      machine.later = machine.later.map((one) => (one.at === at ? { ...one, armed } : one));
    }
    return rest();
  },
});

export const LATER_MODELS: Models = {
  bpf_timer_set_callback: sets,
  bpf_wq_set_callback: sets,
  bpf_wq_set_callback_impl: sets,
  bpf_timer_start: arms(true),
  bpf_wq_start: arms(true),
  bpf_timer_cancel: arms(false),
};

/**
 * The program, or the callback that ran after it, has returned. Goes on in the next callback that was started, and answers whether there is one: not if
 * the run is killed, if it broke a check or still holds something, or if the environment says that none runs.
 */
export function runLater(machine: MachineState): boolean {
  if (machine.killed || machine.violations.length > 0 || machine.ledger.holds.length > 0) return false;
  const { choices, memory } = machine;
  while (true) {
    const next = machine.later.find(({ armed }) => armed);
    if (next === undefined) return false;
    machine.later = machine.later.map((one) => (one === next ? { ...one, armed: false } : one));
    const value = regionOf(next.at);
    const key = keyOf(machine, value);
    // The timer of an entry that is deleted is cancelled.
    if (key === undefined) continue;
    const name = choices.next('later');
    if (choices.recorded(name).value !== 1n) return false;
    choices.record(name, { value: 1n });
    const { map } = memory.get(value)!;
    machine.beginLater(next);
    machine.write(1, address(machine.mapHandle(map), 0));
    machine.write(2, address(key, 0));
    machine.write(3, address(value, 0));
    return true;
  }
}

/** A new region with the key of a map value; undefined where the value is in no map any more. */
function keyOf({ maps, memory }: MachineState, value: number): number | undefined {
  const region = memory.get(value);
  if (region === undefined || region.kind !== 'map_value') return undefined;
  const key = maps.keyOf(region.map, value);
  if (key === undefined) return undefined;
  return memory.add({ kind: 'map_key', bytes: key, writable: false, name: 'map key', map: region.map });
}
