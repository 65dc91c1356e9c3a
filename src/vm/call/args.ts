/**
 * Checks the arguments of a call. They are bad where the kernel function itself would go wrong: it follows a NULL pointer, it reads memory
 * that is missing or was never written, the object was released, the stack slot holds no iterator. The verifier rules all of this out
 * for the program as written. After a kill, a wrong stub can cause any of it.
 */
import type { Arg } from '../../kernel/contract.js';
import { takesMap } from '../../kernel/maptypes.js';
import { DYNPTR_SIZE, IRQ_FLAG_SIZE, ITER_WORDS } from '../../kernel/structs.js';
import { offsetOf, regionOf, showAddress } from '../state/address.js';
import type { Region } from '../state/memory.js';
import { SHADOW } from '../state/memory.js';
import type { SlotObject } from '../state/slot-object.js';
import { fault, misuse, Trap } from '../state/trap.js';
import type { Call } from './call.js';

/** Functions that pass on the memory they read: to a map, a ring buffer, a packet, user space. */
const SINKS =
  /^bpf_(map_update|map_push|ringbuf_output|perf_event_output|skb_output|xdp_output|skb_store|xdp_store|dynptr_write|probe_write_user|copy_to_user|trace_v?printk|stream_vprintk|seq_|skb_set_tunnel|msg_push|sk_storage|setsockopt|skb_vlan)/;

/** Checks all arguments in order. Traps at the first bad one. */
export function checkArgs(call: Call): void {
  call.contract.args.forEach((arg, index) => {
    checkArg(call, arg, index);
  });
}

function checkArg(call: Call, arg: Arg, index: number): void {
  const value = call.arg(index);
  switch (arg.kind) {
    case 'anything':
    case 'scalar':
    case 'size':
    case 'alloc_size':
    case 'ignored':
    case 'stack_or_null':
    case 'const_str':
      return;
    case 'map': {
      if (arg.types === undefined) return;
      const map = call.machine.maps.def(call.map(index));
      // A map of another type lacks the operation, or its entries are something else.
      if (!takesMap(call.name, arg, map))
        throw fault(`${call.name} does not take map ${map.name} of type ${map.type}`);
      return;
    }
    case 'map_key':
      checkRead(call, value, call.mapDef.keySize);
      return;
    case 'map_value': {
      if (value === 0n && arg.nullable) return;
      const size = call.mapDef.valueSize;
      if (arg.uninit) checkWrite(call, value, size);
      else checkRead(call, value, size);
      return;
    }
    case 'mem': {
      const size = call.memSize(arg.size);
      if (size === 0 || (value === 0n && (arg.nullable || arg.optional))) return;
      if (arg.access !== 'write') checkRead(call, value, size);
      if (arg.access !== 'read') checkWrite(call, value, size);
      return;
    }
    case 'ctx':
      if (value === 0n && arg.nullable) return;
      if (call.region(index).kind !== 'ctx')
        throw fault(`argument ${index + 1} of ${call.name} is no context`);
      return;
    case 'sock':
    case 'btf':
      if (value === 0n && arg.nullable) return;
      checkObject(call, value, index, arg.kind === 'sock' ? 'socket' : arg.structs.join(' or '));
      return;
    case 'graph_node':
      checkObject(call, value, index, arg.kind);
      return;
    case 'object':
    case 'refcounted':
    case 'record':
      checkStart(call, index, checkObject(call, value, index, arg.kind));
      return;
    case 'kptr_value':
      if (value !== 0n) checkObject(call, value, index, 'object');
      return;
    case 'kptr_slot':
      checkWrite(call, value, 8);
      return;
    case 'spin_lock':
    case 'timer':
    case 'wq':
    case 'graph_root':
      checkField(call, value, index);
      return;
    case 'dynptr':
      if (arg.state === 'uninit') checkWrite(call, value, DYNPTR_SIZE);
      else slotObject(call, index, 'dynptr');
      return;
    case 'iter':
      if (arg.state === 'uninit') checkWrite(call, value, 8 * ITER_WORDS[arg.type]);
      else slotObject(call, index, 'iter');
      return;
    case 'irq_flag':
      // The flags are saved only if the lock is taken; otherwise nothing is written.
      if (arg.state === 'uninit') checkWrite(call, value, IRQ_FLAG_SIZE);
      else slotObject(call, index, 'irq');
      return;
    case 'callback':
      if (call.region(index).kind !== 'func')
        throw fault(`argument ${index + 1} of ${call.name} is no function`);
      return;
  }
}

/** The function reads this memory; unwritten stack in it is a disclosure if the function passes it on, a fault otherwise. */
function checkRead(call: Call, at: bigint, size: number): void {
  const { memory } = call.machine;
  const region = memory.locateAt(at, size);
  const bad = memory.unwritten(region, offsetOf(at), size);
  if (bad === undefined) return;
  const why = bad.shadow === SHADOW.skipped ? 'a stub left it unwritten' : 'it was never written';
  const where = `the stack at fp${bad.at - region.bytes.length}`;
  const check = SINKS.test(call.name) ? 'disclosure' : 'fault';
  const verb = check === 'fault' ? 'reads' : 'passes on';
  const trap = new Trap(check, `${call.name} ${verb} ${where}: ${why}`, call.name);
  // What is only passed on decides nothing in this run. What the function reads for itself decides what it does, and nobody knows it.
  if (check === 'fault') throw trap;
  call.machine.goOnBehind(trap);
  memory.markWritten(regionOf(at), offsetOf(at), size);
}

/** The function writes this memory. Nothing is written here. */
function checkWrite(call: Call, at: bigint, size: number): void {
  const region = call.machine.memory.locateAt(at, size);
  if (!region.writable) throw fault(`${call.name} writes to ${region.name}, which may only be read`);
}

function checkObject(call: Call, at: bigint, index: number, what: string): Region {
  if (at === 0n) throw fault(`argument ${index + 1} of ${call.name} (${what}) is NULL`);
  const region = call.machine.memory.pointedTo(at);
  switch (region.kind) {
    case 'sock':
    case 'btf':
    case 'object':
    case 'record':
    case 'mem':
    case 'ctx':
    case 'map_value':
      return region;
    default:
      throw fault(`argument ${index + 1} of ${call.name} is no ${what}`);
  }
}

/** The function finds what it needs by where the object starts: its fields, or the memory that it gives back. */
function checkStart(call: Call, index: number, { name }: Region): void {
  const offset = call.offset(index);
  if (offset === 0) return;
  const by = `${Math.abs(offset)} bytes ${offset < 0 ? 'before' : 'behind'}`;
  throw fault(`argument ${index + 1} of ${call.name} is ${by} the start of ${name}`);
}

function checkField(call: Call, at: bigint, index: number): void {
  const region = call.machine.memory.locateAt(at, 4);
  if (region.kind !== 'map_value' && region.kind !== 'object') {
    throw fault(`argument ${index + 1} of ${call.name} (${showAddress(at)}) is in no map value or object`);
  }
}

type Of<K extends SlotObject['kind']> = Extract<SlotObject, { readonly kind: K }>;

/** The object of this kind in the stack slot that an argument names. Traps: `misuse` when there is none. */
export function slotObject<K extends SlotObject['kind']>(call: Call, index: number, kind: K): Of<K> {
  const at = call.arg(index);
  const region = call.machine.memory.locateAt(at, 8);
  const object = region.objects?.get(offsetOf(at));
  if (object?.kind !== kind) {
    const what = { dynptr: 'dynptr', iter: 'iterator', irq: 'saved IRQ state' }[kind];
    throw misuse(`${call.name}: the slot of argument ${index + 1} holds no ${what}`);
  }
  const found = object as Of<K>;
  if (found.kind === 'dynptr' && found.hold !== 0 && !call.machine.ledger.has(found.hold)) {
    throw misuse(`${call.name}: the dynptr of argument ${index + 1} was given back before`);
  }
  return found;
}
