/** The maps of a run as invariants see them. Looking changes nothing: no value comes into being, no entry counts as used. */
import { InputError } from '../isa/errors.js';
import type { MapKey, MapsView, MapView } from '../patch/map-view.js';
import { toHex } from './state/environment.js';
import type { MachineState } from './state/machine.js';
import { isOuter } from './state/maps.js';

/** The maps of the program by name, those of maps left out. */
export function mapViews(machine: MachineState): MapsView {
  const views: Record<string, MapView> = {};
  machine.code.program.maps.forEach((map, index) => {
    if (!isOuter(map)) views[map.name] = viewOf(machine, index);
  });
  return views;
}

function viewOf({ maps, memory }: MachineState, index: number): MapView {
  const { name, type, keySize, valueSize } = maps.def(index);
  const keys = maps.snapshot(index);
  const bytesOf = (key: MapKey): Uint8Array | undefined =>
    maps.contents(memory, index, keyBytes(key, keySize, name));
  const number = (key: MapKey, offset: number, size: number): bigint | undefined => {
    const bytes = bytesOf(key);
    if (bytes === undefined) return undefined;
    if (!Number.isInteger(offset) || offset < 0 || offset + size > bytes.length)
      throw new InputError(`map ${name}: ${size} bytes at ${offset} of a value of ${bytes.length} bytes`);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i]!);
    return value;
  };
  const small =
    (size: number) =>
    (key: MapKey, offset = 0): number | undefined => {
      const value = number(key, offset, size);
      return value === undefined ? undefined : Number(value);
    };
  return {
    name,
    type,
    keySize,
    valueSize,
    size: keys.count,
    get keys() {
      return Array.from({ length: keys.count }, (_, i) => toHex(keys.at(i)));
    },
    has: (key) => bytesOf(key) !== undefined,
    value: (key) => {
      const bytes = bytesOf(key);
      return bytes && toHex(bytes);
    },
    u8: small(1),
    u16: small(2),
    u32: small(4),
    u64: (key, offset = 0) => number(key, offset, 8),
  };
}

function keyBytes(key: MapKey, size: number, map: string): Uint8Array {
  if (typeof key === 'string') {
    if (!/^([0-9a-f]{2})*$/i.test(key) || key.length !== 2 * size)
      throw new InputError(`map ${map}: '${key}' is no key of ${size} bytes in hex`);
    return Uint8Array.from(Buffer.from(key, 'hex'));
  }
  if (typeof key !== 'bigint' && !Number.isInteger(key))
    throw new InputError(`map ${map}: ${String(key)} is no key`);
  const bytes = new Uint8Array(size);
  let rest = BigInt(key);
  for (let i = 0; i < size; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}
