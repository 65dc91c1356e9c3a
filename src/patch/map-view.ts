/** What an invariant sees of a program's maps: their entries as they are when a run has ended. Nothing can be changed through it. */

/** A key: a number (in as many bytes as the key has, little endian), or all its bytes as hex. */
export type MapKey = number | bigint | string;

/** One map. Numbers are read as the machine has them, little endian and unsigned; of a key without entry everything is undefined. */
export interface MapView {
  readonly name: string;
  readonly type: string;
  /** Sizes in bytes. */
  readonly keySize: number;
  readonly valueSize: number;
  /** Entries that there are: all of an array. */
  readonly size: number;
  /** Keys as hex, in the order in which a loop over the map meets them. */
  readonly keys: readonly string[];
  has(key: MapKey): boolean;
  /** The value's bytes, as hex. */
  value(key: MapKey): string | undefined;
  /** A number of the value, at this offset in bytes; 0 unless told. */
  u8(key: MapKey, offset?: number): number | undefined;
  u16(key: MapKey, offset?: number): number | undefined;
  u32(key: MapKey, offset?: number): number | undefined;
  u64(key: MapKey, offset?: number): bigint | undefined;
}

/** The maps of a program by name. A name that the program does not have is undefined. */
export type MapsView = Readonly<Record<string, MapView | undefined>>;
