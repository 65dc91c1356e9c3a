/** The maps of a run as invariants see them. Looking changes nothing: no value comes into being, no entry counts as used. */
import { InputError } from '../isa/errors.js';
import type { MapDef } from '../object/program.js';
import type { MapKey, MapsView, MapView } from '../patch/map-view.js';
import { toHex } from './state/environment.js';
import type { MachineState } from './state/machine.js';
import type { Keys } from './state/maps.js';
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
  return new View(maps.def(index), maps.snapshot(index), (key) => maps.contents(memory, index, key));
}

/** A class, and no literal with a getter: V8 gives each object of such a literal a type of its own, and keeps what it refers to. */
class View implements MapView {
  readonly name: string;
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly size: number;
  readonly #keys: Keys;
  readonly #contents: (key: Uint8Array) => Uint8Array | undefined;

  // Functions of the object itself, which can be taken out of it.
  readonly has = (key: MapKey): boolean => this.#bytesOf(key) !== undefined;
  readonly value = (key: MapKey): string | undefined => {
    const bytes = this.#bytesOf(key);
    return bytes && toHex(bytes);
  };
  readonly u8 = (key: MapKey, offset = 0): number | undefined => this.#small(key, offset, 1);
  readonly u16 = (key: MapKey, offset = 0): number | undefined => this.#small(key, offset, 2);
  readonly u32 = (key: MapKey, offset = 0): number | undefined => this.#small(key, offset, 4);
  readonly u64 = (key: MapKey, offset = 0): bigint | undefined => this.#number(key, offset, 8);

  constructor(
    { name, type, keySize, valueSize }: MapDef,
    keys: Keys,
    contents: (key: Uint8Array) => Uint8Array | undefined,
  ) {
    this.name = name;
    this.type = type;
    this.keySize = keySize;
    this.valueSize = valueSize;
    this.size = keys.count;
    this.#keys = keys;
    this.#contents = contents;
  }

  get keys(): readonly string[] {
    return Array.from({ length: this.size }, (_, i) => toHex(this.#keys.at(i)));
  }

  #bytesOf(key: MapKey): Uint8Array | undefined {
    return this.#contents(keyBytes(key, this.keySize, this.name));
  }

  #number(key: MapKey, offset: number, size: number): bigint | undefined {
    const bytes = this.#bytesOf(key);
    if (bytes === undefined) return undefined;
    if (!Number.isInteger(offset) || offset < 0 || offset + size > bytes.length)
      throw new InputError(
        `map ${this.name}: ${size} bytes at ${offset} of a value of ${bytes.length} bytes`,
      );
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[offset + i]!);
    return value;
  }

  #small(key: MapKey, offset: number, size: number): number | undefined {
    const value = this.#number(key, offset, size);
    return value === undefined ? undefined : Number(value);
  }
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
