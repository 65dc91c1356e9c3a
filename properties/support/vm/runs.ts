/** What two runs must have in common to count as the same. */
import { hash } from 'node:crypto';
import type { Vm } from '../../../src/vm/vm.js';

/**
 * Members that are no part of a run's state: what all runs of a program share, where choices come from, who may write in place, and other
 * views of the same bytes.
 */
const NO_STATE: ReadonlySet<string> = new Set([
  'code',
  'program',
  'options',
  'spec',
  'chooser',
  'given',
  'shared',
  'token',
  'writer',
  'view',
  'signed',
  'words',
]);

/** Longer bytes are compared by their hash. */
const LONG = 1024;

/** Everything that a run is, as plain data: all members of its machine state, whatever they are. Two runs with the same go on alike. */
export function fingerprint(vm: Vm): unknown {
  return plain(vm.machine);
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (value instanceof Uint8Array)
    return value.length > LONG
      ? `${value.length} bytes, ${hash('md5', value)}`
      : Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex');
  if (ArrayBuffer.isView(value)) return [...(value as BigUint64Array)];
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return [...value].map(plain);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (NO_STATE.has(name) ? [] : [[name, plain(member)]])),
  );
}
