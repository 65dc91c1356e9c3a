/**
 * What a program put into a ring buffer. The kernel shows it as memory: a page with the consumer's position, a page
 * with the producer's, then the data, twice in a row so that a record that wraps around reads as one piece
 * (kernel/bpf/ringbuf.c).
 */
import type { KernelMap } from './maps.js';
import { SharedMemory } from './syscall.js';

const PAGE = 4096;
const HEADER = 8;
const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;

/**
 * The records submitted since the last call, oldest first, which are taken out. Discarded ones are left out; it stops before
 * one that is still being written. The map must be a ring buffer, and the machine one with pages of 4 KiB.
 * Throws KernelError when the memory cannot be mapped.
 */
export function drainRingbuf(map: KernelMap): Uint8Array[] {
  if (map.def.type !== 'ringbuf') throw new RangeError(`map ${map.def.name} is no ring buffer`);
  const size = map.def.maxEntries;
  const consumer = new SharedMemory(map.fd, 0, PAGE, true);
  try {
    const producer = new SharedMemory(map.fd, PAGE, PAGE + 2 * size, false);
    try {
      const end = producer.read(0, 8).readBigUInt64LE();
      let at = consumer.read(0, 8).readBigUInt64LE();
      const records: Uint8Array[] = [];
      while (at < end) {
        const offset = PAGE + Number(at & BigInt(size - 1));
        const head = producer.read(offset, 4).readUInt32LE();
        if ((head & BUSY) !== 0) break;
        const length = head & ~DISCARD;
        if ((head & DISCARD) === 0) records.push(producer.read(offset + HEADER, length));
        at += BigInt(Math.ceil((length + HEADER) / 8) * 8);
      }
      const position = Buffer.alloc(8);
      position.writeBigUInt64LE(at);
      consumer.write(0, position);
      return records;
    } finally {
      producer.close();
    }
  } finally {
    consumer.close();
  }
}

/**
 * Bytes in a ring buffer that no consumer can take: records that were reserved and never given back, and what is behind them. 0 after
 * `drainRingbuf` where all were. Throws as `drainRingbuf`.
 */
export function ringbufBacklog(map: KernelMap): number {
  if (map.def.type !== 'ringbuf') throw new RangeError(`map ${map.def.name} is no ring buffer`);
  const position = (offset: number): bigint => {
    const memory = new SharedMemory(map.fd, offset, PAGE, false);
    try {
      return memory.read(0, 8).readBigUInt64LE();
    } finally {
      memory.close();
    }
  };
  return Number(position(PAGE) - position(0));
}
