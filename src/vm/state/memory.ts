/**
 * Memory: numbered regions of bytes, each of which lives as long as its owners. A region that was given back stays in the list, marked
 * dead, so that a use after release is recognised. Forks share regions until one side writes (copy on write).
 *
 * Stack regions carry a shadow: for each byte whether the program or a kernel function wrote it, and whether a stub left it
 * unwritten where the real call would have written it.
 */
import { highOf, isNearNull, lowOf, regionAt, startOf } from './address.js';
import { copyOf, newBytes } from './slab.js';
import type { SlotObject } from './slot-object.js';
import { bytesOf } from './slot-object.js';
import { fault, misuse, type Trap } from './trap.js';

export type RegionKind =
  | 'stack'
  | 'ctx'
  | 'packet'
  | 'map'
  | 'map_value'
  | 'map_key'
  | 'record'
  | 'func'
  | 'sock'
  /** A kernel struct. */
  | 'btf'
  /** An object of a local type. */
  | 'object'
  | 'mem';

/** Values of the shadow. `skipped`: a stub did not write what the real call would have. */
export const SHADOW = { never: 0, written: 1, skipped: 2 } as const;

/** What a region is made from. */
export interface RegionInit {
  readonly kind: RegionKind;
  readonly bytes: Uint8Array;
  readonly writable: boolean;
  /** What it is, for messages: a struct name, a map name, a kind. */
  readonly name: string;
  /** Index into Program.maps; -1 for none. */
  readonly map?: number;
  /** Region whose life this one shares (a socket seen as another type); 0 for none. */
  readonly parent?: number;
  /** How many owners keep it alive (the program, a graph, a kptr slot); Infinity for what never dies. */
  readonly owners?: number;
}

/**
 * A run of bytes that an address can point into: a stack frame, a map value, the packet, the context, a kernel object. Only the memory
 * whose token is `writer` may change it in place.
 */
export class Region {
  readonly kind: RegionKind;
  readonly name: string;
  readonly map: number;
  readonly parent: number;
  private contents: Uint8Array;
  /** Made when it is first asked for: most regions are never read word by word. */
  private words: DataView | undefined;
  shadow: Uint8Array | undefined;
  /** Objects of kernel functions by offset; only on stacks. Empty most of the time. */
  objects: ReadonlyMap<number, SlotObject> | undefined;
  alive = true;
  writable: boolean;
  owners: number;
  /** Low half of the address of its first byte: that of any of its addresses (signed), less this, is the offset. */
  readonly start: number;
  /** Token of the memory that may write to it in place. */
  readonly writer: object;

  constructor(init: RegionInit, start: number, writer: object) {
    this.kind = init.kind;
    this.name = init.name;
    this.map = init.map ?? -1;
    this.parent = init.parent ?? 0;
    this.contents = init.bytes;
    this.words = undefined;
    this.shadow = undefined;
    this.objects = undefined;
    this.writable = init.writable;
    this.owners = init.owners ?? Number.POSITIVE_INFINITY;
    this.start = start;
    this.writer = writer;
  }

  get bytes(): Uint8Array {
    return this.contents;
  }

  set bytes(bytes: Uint8Array) {
    this.contents = bytes;
    this.words = undefined;
  }

  get view(): DataView {
    if (this.words === undefined) {
      const { buffer, byteOffset, byteLength } = this.contents;
      this.words = new DataView(buffer, byteOffset, byteLength);
    }
    return this.words;
  }

  copyFor(writer: object): Region {
    const { kind, name, map, parent, writable, owners, contents } = this;
    // Read-only bytes are shared, not copied: kernel structs are large.
    const bytes = writable ? copyOf(contents) : contents;
    const copy = new Region({ kind, name, map, parent, writable, owners, bytes }, this.start, writer);
    if (this.shadow !== undefined) copy.shadow = copyOf(this.shadow);
    copy.objects = this.objects;
    copy.alive = this.alive;
    return copy;
  }
}

const NO_BYTES = new Uint8Array(0);

/**
 * All regions of one run, by number. Addresses name a region and an offset in it, so an access beyond its end never hits another.
 * Throws a Trap for a bad access.
 */
export class Memory {
  /** By region number; 0 is a hole. */
  private regions: (Region | undefined)[] = [undefined];
  /** Marks the regions that no fork sees; renewed by each fork. */
  private token: object = {};

  /** `strict`: reading stack bytes that were never written is a fault. Otherwise only those that a stub skipped. */
  constructor(readonly strict: boolean) {}

  /** A copy that shares all regions; writes on either side are not seen by the other. */
  fork(): Memory {
    const copy = new Memory(this.strict);
    copy.regions = this.regions.slice();
    // After a fork neither side may write to a shared region in place.
    this.token = {};
    return copy;
  }

  /** Adds a region and answers its number. */
  add(init: RegionInit): number {
    const number = this.regions.length;
    this.regions.push(new Region(init, startOf(number), this.token));
    return number;
  }

  /** The next number is no region's; those that follow get other addresses by it. */
  leaveOut(): void {
    this.regions.push(undefined);
  }

  get count(): number {
    return this.regions.length;
  }

  /** The region with this number, dead or alive. */
  get(number: number): Region | undefined {
    return this.regions[number];
  }

  /** The same, to be changed: copied first if a fork shares it. */
  own(number: number): Region {
    const region = this.regions[number]!;
    if (region.writer === this.token) return region;
    const copy = region.copyFor(this.token);
    this.regions[number] = copy;
    return copy;
  }

  /** Puts other bytes in the place of a region's, which may be read-only to the program. */
  replace(number: number, bytes: Uint8Array): void {
    this.own(number).bytes = bytes;
  }

  /** A stack that no frame has used yet, without bytes. Answers the number of its region. */
  addStack(): number {
    const number = this.add({ kind: 'stack', bytes: NO_BYTES, writable: true, name: 'stack' });
    this.regions[number]!.alive = false;
    return number;
  }

  /** The stack becomes that of a frame that begins: of this size, and nobody has written to it. */
  openStack(number: number, size: number): void {
    const stack = this.unused(number);
    stack.bytes = newBytes(size);
    stack.shadow = newBytes(size);
    stack.alive = true;
  }

  /** The stack's frame is closed. */
  closeStack(number: number): void {
    this.unused(number);
  }

  /** The stack without anything that was in it. So a fork need not copy what nobody will read. */
  private unused(number: number): Region {
    const { kind, name, writable } = this.regions[number]!;
    const stack = new Region({ kind, name, writable, bytes: NO_BYTES }, startOf(number), this.token);
    stack.alive = false;
    this.regions[number] = stack;
    return stack;
  }

  isAlive(number: number): boolean {
    const region = this.regions[number];
    if (!region?.alive) return false;
    return region.parent === 0 || this.isAlive(region.parent);
  }

  /** The region ends; its bytes are let go. */
  kill(number: number): void {
    const region = this.own(number);
    region.alive = false;
    this.replace(number, NO_BYTES);
    region.shadow = undefined;
    region.objects = undefined;
  }

  /**
   * The region that `size` bytes at (hi, lo) + off lie in; the caller finds them at `lo - start + off`, `lo` being signed. Traps: `fault` for
   * NULL, a stray address, out of bounds, a dead stack frame or packet; `misuse` for an object that was given back.
   */
  private locate(hi: number, lo: number, off: number, size: number): Region {
    const number = regionAt(hi, lo);
    const region = this.regions[number];
    if (region === undefined) throw nowhere(hi, lo);
    if (!region.alive || region.parent !== 0) this.checkAlive(number, region);
    const at = lo - region.start + off;
    if (at < 0 || at + size > region.bytes.length) {
      throw fault(`access to ${size} bytes at ${at} of ${region.name}, which has ${region.bytes.length}`);
    }
    return region;
  }

  /** The region that `size` bytes at an address (unsigned 64-bit) lie in. Traps as `locate`. */
  locateAt(at: bigint, size: number): Region {
    return this.locate(highOf(at), lowOf(at), 0, size);
  }

  /** The region that an address points into, or near. Traps for what is no address, and for a region that is gone. */
  pointedTo(at: bigint): Region {
    const number = regionAt(highOf(at), lowOf(at));
    const region = this.regions[number];
    if (region === undefined) throw nowhere(highOf(at), lowOf(at));
    this.checkAlive(number, region);
    return region;
  }

  private checkAlive(number: number, region: Region): void {
    if (this.isAlive(number)) return;
    if (region.kind === 'stack' || region.kind === 'packet')
      throw fault(`access to a ${region.kind} that is gone`);
    throw misuse(`use of a ${region.name} after its release`);
  }

  /** As `locate`, and the bytes may be read: on a stack they were written. */
  forRead(hi: number, lo: number, off: number, size: number): Region {
    const region = this.locate(hi, lo, off, size);
    if (region.shadow !== undefined) this.checkWritten(region, lo - region.start + off, size);
    return region;
  }

  private checkWritten(region: Region, at: number, size: number): void {
    const bad = this.unwritten(region, at, size);
    if (bad === undefined) return;
    const fp = bad.at - region.bytes.length;
    throw fault(
      bad.shadow === SHADOW.skipped
        ? `read of the stack at fp${fp}, which a stub left unwritten`
        : `read of the stack at fp${fp}, which was never written`,
    );
  }

  /** The first byte that must not be read, with its shadow; undefined when all may be. */
  unwritten(
    region: Region,
    at: number,
    size: number,
  ): { readonly at: number; readonly shadow: number } | undefined {
    const shadow = region.shadow;
    if (shadow === undefined) return undefined;
    for (let i = at; i < at + size; i++) {
      const byte = shadow[i];
      if (byte === SHADOW.skipped || (byte === SHADOW.never && this.strict)) return { at: i, shadow: byte };
    }
    return undefined;
  }

  /** From now on these bytes of a stack count as written: the run has gone on with what lies there. */
  markWritten(number: number, at: number, size: number): void {
    this.own(number).shadow?.fill(SHADOW.written, at, at + size);
  }

  /** As `locate`, and the bytes may be written; the region is this memory's own, the shadow is updated, slot objects hit are gone. */
  forWrite(hi: number, lo: number, off: number, size: number): Region {
    let region = this.locate(hi, lo, off, size);
    if (!region.writable) throw fault(`write to ${region.name}, which may only be read`);
    if (region.writer !== this.token) region = this.own(regionAt(hi, lo));
    const shadow = region.shadow;
    if (shadow !== undefined) {
      const at = lo - region.start + off;
      for (let i = at; i < at + size; i++) shadow[i] = SHADOW.written;
      if (region.objects !== undefined) destroyObjects(region, at, size);
    }
    return region;
  }

  /** Puts an object of a kernel function into a stack slot; its bytes count as written. */
  placeObject(number: number, at: number, object: SlotObject): void {
    const region = this.own(number);
    const size = bytesOf(object);
    region.bytes.fill(0, at, at + size);
    region.shadow?.fill(SHADOW.written, at, at + size);
    destroyObjects(region, at, size);
    region.objects = new Map(region.objects).set(at, object);
  }

  /** Takes the object at this offset away; its bytes become unwritten again, as the verifier holds them. */
  removeObject(number: number, at: number): void {
    const region = this.own(number);
    const object = region.objects?.get(at);
    if (object === undefined) return;
    region.shadow?.fill(SHADOW.never, at, at + bytesOf(object));
    destroyObjects(region, at, bytesOf(object));
  }
}

/** An access to what is no address. */
function nowhere(hi: number, lo: number): Trap {
  if (hi === 0 && lo === 0) return fault('access to NULL');
  const value = (BigInt.asUintN(32, BigInt(hi)) << 32n) | BigInt(lo >>> 0);
  if (!isNearNull(hi, lo)) return fault(`access to 0x${value.toString(16)}, which is no address`);
  const offset = BigInt.asIntN(64, value);
  return fault(
    `access to NULL (${offset < 0n ? '-' : ''}0x${(offset < 0n ? -offset : offset).toString(16)})`,
  );
}

function destroyObjects(region: Region, at: number, size: number): void {
  const objects = region.objects;
  if (objects === undefined) return;
  const left = [...objects].filter(([start, object]) => start + bytesOf(object) <= at || at + size <= start);
  if (left.length !== objects.size) region.objects = left.length === 0 ? undefined : new Map(left);
}
