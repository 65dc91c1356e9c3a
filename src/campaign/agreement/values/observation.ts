/** Everything that can be observed after a run, in the same form for the kernel and the VM. */

export interface Observation {
  /** r0 at exit, its low 32 bits, unsigned. */
  readonly r0: number;
  /** The packet as the program left it, with its metadata; empty for programs without one. */
  readonly packet: Uint8Array;
  /** Parts of the context that the program may write, by name. */
  readonly ctx: ReadonlyMap<string, Uint8Array>;
  /** By index of the map: values by key, in hex; fields that only helpers touch are zero. Of a per-CPU map by `key@cpu`. */
  readonly maps: readonly ReadonlyMap<string, string>[];
  /** By index of the map, of ring buffers: records in order. */
  readonly records: readonly (readonly string[])[];
  /** The log, as it is in the map. */
  readonly log: Uint8Array;
}
