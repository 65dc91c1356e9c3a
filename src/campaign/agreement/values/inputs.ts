/** The inputs of a test run, drawn from a seed: packet, context, map contents, and the targets of tail calls. */
import type { MapDef, Program } from '../../../object/program.js';
import { LOG } from './log.js';
import { ETH_HLEN, isCompared, isSkb } from './test-run-types.js';

/** An entry that a map begins with, in bytes as bpf(2) takes them. */
export interface MapEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** What the kernel and the VM are both given at the start of a test run. */
export interface Inputs {
  /** From the Ethernet header on. */
  readonly packet: Uint8Array;
  /** What user space says of the context; empty for nothing. */
  readonly ctx: Uint8Array;
  /** By index of the map; no key twice. */
  readonly maps: readonly (readonly MapEntry[])[];
  /** Rounds that may_goto goes on, all loops together. */
  readonly budget: number;
  /** By index of the map, for program arrays: by entry, which target is there; undefined for none. */
  readonly jumps: readonly (readonly (number | undefined)[])[];
}

/** A stream of random numbers from a seed: splitmix32. */
export class RandomStream {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0;
  }

  /** A 32-bit number, unsigned. */
  next(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** A number from 0 to `count`, exclusive. */
  below(count: number): number {
    return this.next() % count;
  }

  /** True one time in `n`. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next() >>> 24);
  }
}

/** The longest packet that a test run keeps in one piece: a page less head and tail room (net/bpf/test_run.c). */
export const LONGEST_PACKET = 3500;
const SHORTEST_PACKET = 14;
/** Members of struct __sk_buff that user space may set, as offset and size (convert___skb_to_skb). */
const SKB_SETTABLE: readonly (readonly [number, number])[] = [
  [8, 4],
  [32, 4],
  [48, 20],
  [152, 8],
];
const SKB_SIZE = 192;
/** Bytes of a syscall program's context: as many as the verifier lets it reach, and now and then fewer than that. */
const SYSCALL_CTX = 65_535;
/** Twelve arguments, the most that a raw tracepoint takes. */
const RAW_ARGS = 96;

/** Everything a run of `program` starts from. `targets` programs may be tail-called. */
export function drawInputs(program: Program, random: RandomStream, targets: number): Inputs {
  return {
    packet: drawPacket(random),
    ctx: drawContext(program, random),
    maps: program.maps.map((map) => drawEntries(map, random)),
    budget: random.below(12),
    jumps: program.maps.map((map) =>
      map.type === 'prog_array'
        ? Array.from({ length: map.maxEntries }, () => (random.oneIn(2) ? random.below(targets) : undefined))
        : [],
    ),
  };
}

function drawPacket(random: RandomStream): Uint8Array {
  const kind = random.below(8);
  const length =
    kind < 2
      ? SHORTEST_PACKET + random.below(8)
      : kind < 7
        ? SHORTEST_PACKET + random.below(110)
        : SHORTEST_PACKET + random.below(LONGEST_PACKET - SHORTEST_PACKET + 1);
  const packet = random.oneIn(8) ? new Uint8Array(length) : random.bytes(length);
  const view = new DataView(packet.buffer);
  // Plausible headers, as far as they fit: IPv4 or IPv6, TCP or UDP.
  const family = random.below(4);
  if (family === 0 && length >= ETH_HLEN + 20) {
    view.setUint16(12, 0x0800);
    packet[ETH_HLEN] = 0x45;
    view.setUint16(ETH_HLEN + 2, length - ETH_HLEN);
    packet[ETH_HLEN + 9] = random.pick([6, 17, 1]);
  } else if (family === 1 && length >= ETH_HLEN + 40) {
    view.setUint16(12, 0x86dd);
    packet[ETH_HLEN] = 0x60;
    view.setUint16(ETH_HLEN + 4, length - ETH_HLEN - 40);
    packet[ETH_HLEN + 6] = random.pick([6, 17, 58]);
  }
  return packet;
}

function drawContext(program: Program, random: RandomStream): Uint8Array {
  if (program.type === 'raw_tracepoint') return random.bytes(RAW_ARGS);
  if (program.type === 'syscall') {
    const ctx = new Uint8Array(SYSCALL_CTX);
    ctx.set(random.bytes(random.oneIn(4) ? 0 : 512));
    return ctx;
  }
  if (!isSkb(program.type)) return new Uint8Array(0);
  const ctx = new Uint8Array(SKB_SIZE);
  for (const [offset, size] of SKB_SETTABLE) if (!random.oneIn(3)) ctx.set(random.bytes(size), offset);
  return ctx;
}

/** How full maps are: empty, some, as many as programs ask for. */
function drawEntries(map: MapDef, random: RandomStream): readonly MapEntry[] {
  const readOnly = map.frozen === true || map.initial !== undefined || map.name === LOG.name;
  if (!isCompared(map) || readOnly) return [];
  const fill = random.below(3);
  const entries: MapEntry[] = [];
  // An LRU map that is nearly full drops entries that cannot be predicted.
  const most = map.type === 'lru_hash' ? map.maxEntries / 4 : map.maxEntries;
  for (let i = 0; i < Math.min(most, 16); i++) {
    if (fill === 0 || (fill === 1 && random.oneIn(2))) continue;
    const key = new Uint8Array(map.keySize);
    key[0] = i;
    const value = random.oneIn(6) ? new Uint8Array(map.valueSize) : random.bytes(map.valueSize);
    for (const { offset, size } of map.fields) value.fill(0, offset, offset + size);
    entries.push({ key, value });
  }
  return entries;
}
