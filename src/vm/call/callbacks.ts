/**
 * Helpers that call a function of the program: how often they call it, with which arguments, and what they return in the end.
 * The helper's state is an immutable CallbackHelper in the callback's frame. When the callback returns, `next` answers what follows.
 */
import type { CallbackSpec, Outcome } from '../../kernel/contract.js';
import { address } from '../state/address.js';
import type { CallbackHelper, HelperStep, MachineState } from '../state/machine.js';
import { ERRNO } from '../state/maps.js';
import { fault } from '../state/trap.js';
import type { Call } from './call.js';
import { kernelBytes } from './kernel-struct.js';
import { MAX_LOOPS } from './models/iterators.js';

/** If the environment decides how often a helper calls back, this is the most. */
const MAX_CALLS = 3;

/** The call of a helper that takes a callback. It stays the same while the callback is called again and again. */
export interface CallbackSite {
  /** Slot of the helper's call. */
  readonly slot: number;
  /** Name of the helper. */
  readonly name: string;
  /** First slot of the callback. */
  readonly callback: number;
  readonly spec: CallbackSpec;
}

/** Finds the callback among the arguments of a call. Traps if the argument is no function of the program. */
export function callbackSite(call: Call): CallbackSite {
  const index = call.contract.args.findIndex((arg) => arg.kind === 'callback');
  const arg = call.contract.args[index];
  if (arg?.kind !== 'callback') throw fault(`${call.name} has no callback`);
  const region = call.region(index);
  if (region.kind !== 'func') throw fault(`argument ${index + 1} of ${call.name} is no function`);
  return { slot: call.slot, name: call.name, callback: call.offset(index), spec: arg.callback };
}

const done = (r0: bigint): HelperStep => ({ kind: 'done', r0: BigInt.asUintN(64, r0) });

/**
 * Calls a callback at most `count` times and stops early when it returns anything but 0, as bpf_loop and bpf_for_each_map_elem do.
 * Returns the number of calls made, or `result`.
 */
class CountedCalls implements CallbackHelper {
  readonly slot: number;
  readonly name: string;
  readonly callback: number;
  readonly spec: CallbackSpec;

  constructor(
    private readonly site: CallbackSite,
    private readonly count: number,
    private readonly at: number,
    /** Arguments of call number i (from 0); undefined: call i is left out. */
    private readonly args: (machine: MachineState, i: number) => readonly bigint[] | undefined,
    /** What the helper returns in the end; the number of calls if absent. */
    private readonly result?: bigint,
    /** Callbacks that have returned so far. */
    private readonly calls = 0,
  ) {
    ({ slot: this.slot, name: this.name, callback: this.callback, spec: this.spec } = site);
  }

  next(machine: MachineState, returned: bigint | undefined, stop: boolean): HelperStep {
    const from = returned === undefined ? this.at : this.at + 1;
    const calls = returned === undefined ? this.calls : this.calls + 1;
    if (stop || (returned !== undefined && returned !== 0n)) return done(this.result ?? BigInt(calls));
    for (let i = from; i < this.count; i++) {
      const args = this.args(machine, i);
      if (args !== undefined) {
        return {
          kind: 'call',
          args,
          helper: new CountedCalls(this.site, this.count, i, this.args, this.result, calls),
        };
      }
    }
    return done(this.result ?? BigInt(calls));
  }
}

/** The first step of a helper that takes a callback: calls it, or is done at once. */
export function startCallbacks(call: Call, outcome: Outcome): HelperStep {
  switch (call.name) {
    case 'bpf_loop':
      return loop(call);
    case 'bpf_for_each_map_elem':
      return forEach(call);
    case 'bpf_find_vma':
      return findVma(call, outcome);
    default:
      return runsCallback(outcome) ? decided(call) : done(0n);
  }
}

/** Whether the helper would call its callback at least once; undefined if the environment decides that. */
export function callsBack(call: Call): boolean | undefined {
  if (call.name === 'bpf_loop') return call.size(0) > 0 && call.size(0) <= MAX_LOOPS && call.arg(3) === 0n;
  if (call.name === 'bpf_for_each_map_elem')
    return call.machine.maps.size(call.map(0)) > 0 && call.arg(3) === 0n;
  return undefined;
}

function loop(call: Call): HelperStep {
  const count = call.size(0);
  if (call.arg(3) !== 0n) return done(ERRNO.EINVAL);
  if (count > MAX_LOOPS) return done(ERRNO.E2BIG);
  const context = call.arg(2);
  return new CountedCalls(callbackSite(call), count, 0, (_, i) => [BigInt(i), context]).next(
    call.machine,
    undefined,
    false,
  );
}

function forEach(call: Call): HelperStep {
  const { machine } = call;
  const index = call.map(0);
  if (call.arg(3) !== 0n) return done(ERRNO.EINVAL);
  const map = call.arg(0);
  const context = call.arg(2);
  const { keySize } = machine.maps.def(index);
  const keys = keysInOrder(call, index, keySize);
  const keyRegion = machine.memory.add({
    kind: 'map_key',
    bytes: new Uint8Array(keySize),
    writable: false,
    name: 'map key',
    map: machine.maps.template(index),
  });
  const args = (now: MachineState, i: number): readonly bigint[] | undefined => {
    const key = keys.at(i);
    const value = now.maps.present(now.memory, index, key);
    if (value === 0) return undefined;
    now.memory.replace(keyRegion, key);
    return [map, address(keyRegion, 0), address(value, 0), context];
  };
  return new CountedCalls(callbackSite(call), keys.count, 0, args).next(machine, undefined, false);
}

const runsCallback = (outcome: Outcome): boolean =>
  outcome.effects.some((effect) => effect.kind === 'callback' && effect.times === 'any');

/** Keys in the order in which a loop over a map visits them: the recorded order if there is one, because a hash has none of its own. */
function keysInOrder(
  call: Call,
  index: number,
  keySize: number,
): ReturnType<MachineState['maps']['snapshot']> {
  const order = call.givenBytes;
  if (order === undefined) return call.machine.maps.snapshot(index);
  return {
    count: Math.floor(order.length / keySize),
    at: (i) => order.slice(i * keySize, (i + 1) * keySize),
  };
}

/** bpf_find_vma: calls back once and returns 0 if there is a vma at the address; otherwise an error. */
function findVma(call: Call, outcome: Outcome): HelperStep {
  if (!runsCallback(outcome)) return done(call.number(-4095n, -1n));
  const { args } = inventedArgs(call);
  return new CountedCalls(callbackSite(call), 1, 0, args, 0n).next(call.machine, undefined, false);
}

/** The environment decides how often the callback is called, at most MAX_CALLS times. */
function decided(call: Call): HelperStep {
  const { site, args } = inventedArgs(call);
  const count = Number(call.number(0n, BigInt(MAX_CALLS)));
  return new CountedCalls(site, count, 0, args).next(call.machine, undefined, false);
}

/** The callback, and arguments made up by their kinds. */
function inventedArgs(call: Call): {
  readonly site: CallbackSite;
  readonly args: (machine: MachineState, i: number) => readonly bigint[];
} {
  const site = callbackSite(call);
  const context = call.arg(site.spec.contextArg ?? 0);
  const args = (now: MachineState, i: number): readonly bigint[] =>
    site.spec.args.map((kind) => {
      const add = (name: string): bigint =>
        address(now.memory.add({ kind: 'btf', name, bytes: kernelBytes(), writable: false }), 0);
      switch (kind) {
        case 'scalar':
          return BigInt(i);
        case 'context':
          return context;
        case 'task':
          return add('task_struct');
        case 'vma':
          return add('vm_area_struct');
        default:
          return 0n;
      }
    });
  return { site, args };
}
