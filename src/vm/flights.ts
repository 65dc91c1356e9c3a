/**
 * Helpers that call back: how often, with which arguments, and what they answer in the end. A Flight is a value; it is kept in the
 * callback's frame and moved on when the callback returns.
 */
import type { CallbackSpec, Outcome } from '../kernel/contract.js';
import { address } from './address.js';
import type { Call } from './call.js';
import { kernelBytes } from './kernelstruct.js';
import { ERRNO } from './maps.js';
import { MAX_LOOPS } from './models/iterators.js';
import { fault } from './trap.js';
import type { Advance, Flight, World } from './world.js';

/** Calls that a helper makes whose number the environment decides, at most. */
const MAX_CALLS = 3;

/** What all flights of one call share. */
export interface Course {
  readonly slot: number;
  readonly name: string;
  readonly callback: number;
  readonly spec: CallbackSpec;
}

/** The callback among the arguments of a call. */
export function courseOf(call: Call): Course {
  const index = call.contract.args.findIndex((arg) => arg.kind === 'callback');
  const arg = call.contract.args[index];
  if (arg?.kind !== 'callback') throw fault(`${call.name} has no callback`);
  const region = call.region(index);
  if (region.kind !== 'func') throw fault(`argument ${index + 1} of ${call.name} is no function`);
  return { slot: call.slot, name: call.name, callback: call.offset(index), spec: arg.callback };
}

const done = (r0: bigint): Advance => ({ kind: 'done', r0: BigInt.asUintN(64, r0) });

/** Calls a function `count` times, until it returns something else than 0; the answer is how often it was called. */
class Counted implements Flight {
  readonly slot: number;
  readonly name: string;
  readonly callback: number;
  readonly spec: CallbackSpec;

  constructor(
    private readonly course: Course,
    private readonly count: number,
    private readonly at: number,
    /** Arguments of call number i, undefined to pass over it. */
    private readonly args: (world: World, i: number) => readonly bigint[] | undefined,
    /** What the helper answers in the end: the number of calls unless told. */
    private readonly result?: bigint,
    /** Calls made before this one. */
    private readonly calls = 0,
  ) {
    ({ slot: this.slot, name: this.name, callback: this.callback, spec: this.spec } = course);
  }

  advance(world: World, returned: bigint | undefined, stop: boolean): Advance {
    const from = returned === undefined ? this.at : this.at + 1;
    const calls = returned === undefined ? this.calls : this.calls + 1;
    if (stop || (returned !== undefined && returned !== 0n)) return done(this.result ?? BigInt(calls));
    for (let i = from; i < this.count; i++) {
      const args = this.args(world, i);
      if (args !== undefined) {
        return {
          kind: 'call',
          args,
          flight: new Counted(this.course, this.count, i, this.args, this.result, calls),
        };
      }
    }
    return done(this.result ?? BigInt(calls));
  }
}

/** The first step of a helper that calls back, for an outcome that says so. */
export function takeOff(call: Call, outcome: Outcome): Advance {
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

/** Whether the callback would be called at all, where that follows from the state of the run. */
export function callsAtAll(call: Call): boolean | undefined {
  if (call.name === 'bpf_loop') return call.size(0) > 0 && call.size(0) <= MAX_LOOPS && call.arg(3) === 0n;
  if (call.name === 'bpf_for_each_map_elem')
    return call.world.maps.size(call.map(0)) > 0 && call.arg(3) === 0n;
  return undefined;
}

function loop(call: Call): Advance {
  const count = call.size(0);
  if (call.arg(3) !== 0n) return done(ERRNO.EINVAL);
  if (count > MAX_LOOPS) return done(ERRNO.E2BIG);
  const context = call.arg(2);
  return new Counted(courseOf(call), count, 0, (_, i) => [BigInt(i), context]).advance(
    call.world,
    undefined,
    false,
  );
}

function forEach(call: Call): Advance {
  const { world } = call;
  const index = call.map(0);
  if (call.arg(3) !== 0n) return done(ERRNO.EINVAL);
  const map = call.arg(0);
  const context = call.arg(2);
  const { keySize } = world.code.program.maps[index]!;
  const keys = keysInOrder(call, index, keySize);
  const keyRegion = world.memory.add({
    kind: 'map_key',
    bytes: new Uint8Array(keySize),
    writable: false,
    name: 'map key',
    map: index,
  });
  const args = (now: World, i: number): readonly bigint[] | undefined => {
    const key = keys.at(i);
    const value = now.maps.present(now.memory, index, key);
    if (value === 0) return undefined;
    now.memory.replace(keyRegion, key);
    return [map, address(keyRegion, 0), address(value, 0), context];
  };
  return new Counted(courseOf(call), keys.count, 0, args).advance(world, undefined, false);
}

const runsCallback = (outcome: Outcome): boolean =>
  outcome.effects.some((effect) => effect.kind === 'callback' && effect.times === 'any');

/** The keys that a loop over a map goes through: as recorded, for nobody says in which order a hash is gone through. */
function keysInOrder(call: Call, index: number, keySize: number): ReturnType<World['maps']['snapshot']> {
  const order = call.givenBytes;
  if (order === undefined) return call.world.maps.snapshot(index);
  return {
    count: Math.floor(order.length / keySize),
    at: (i) => order.slice(i * keySize, (i + 1) * keySize),
  };
}

/** One call if there is memory at the address, and then 0, whatever the callback returns; otherwise an error. */
function findVma(call: Call, outcome: Outcome): Advance {
  if (!runsCallback(outcome)) return done(call.number(-4095n, -1n));
  const { args } = made(call);
  return new Counted(courseOf(call), 1, 0, args, 0n).advance(call.world, undefined, false);
}

/** The environment says how often; arguments are made up by their kinds. */
function decided(call: Call): Advance {
  const { course, args } = made(call);
  const count = Number(call.number(0n, BigInt(MAX_CALLS)));
  return new Counted(course, count, 0, args).advance(call.world, undefined, false);
}

/** The callback and what it is called with. */
function made(call: Call): {
  readonly course: Course;
  readonly args: (world: World, i: number) => readonly bigint[];
} {
  const course = courseOf(call);
  const context = call.arg(course.spec.contextArg ?? 0);
  const args = (now: World, i: number): readonly bigint[] =>
    course.spec.args.map((kind) => {
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
  return { course, args };
}
