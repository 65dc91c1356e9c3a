import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { KernelMap } from '../../src/oracle/maps.js';
import { drainRingbuf } from '../../src/oracle/ringbuf.js';
import { def, forgetCalls, world } from '../support/oracle/recorded-bpf.js';
import { seeded } from '../support/seed.js';

vi.mock('../../src/oracle/syscall.js', async (original) =>
  (await import('../support/oracle/recorded-bpf.js')).recordedSyscall(await original()),
);
vi.mock('node:fs', async (original) =>
  (await import('../support/oracle/recorded-bpf.js')).filesOfAKernel(await original()),
);

beforeEach(forgetCalls);

describe('ring buffers', () => {
  const PAGE = 4096;
  const ring = (size: number): KernelMap => new KernelMap({ ...def, type: 'ringbuf', maxEntries: size }, 5);
  const record = fc.record({
    bytes: fc.uint8Array({ maxLength: 40 }),
    state: fc.constantFrom('submitted', 'submitted', 'submitted', 'discarded', 'busy'),
  });

  it('give what was submitted, in order, up to what is being written, also where they wrap around', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 20 }),
        fc.nat(1 << 20),
        fc.boolean(),
        (records, laps, large) => {
          const size = large ? 8192 : 4096;
          // Position of the consumer: anywhere, to 8 bytes.
          const start = laps * 8;
          world.memory = Buffer.alloc(2 * PAGE + 2 * size);
          let at = start;
          const expected: number[][] = [];
          let stop: number | undefined;
          for (const { bytes, state } of records) {
            const piece = Buffer.alloc(8 + Math.ceil(bytes.length / 8) * 8);
            const flag = state === 'busy' ? 0x8000_0000 : state === 'discarded' ? 0x4000_0000 : 0;
            piece.writeUInt32LE((bytes.length | flag) >>> 0, 0);
            piece.set(bytes, 8);
            // Both copies of the data, byte by byte.
            piece.forEach((byte, i) => {
              world.memory[2 * PAGE + ((at + i) % size)] = byte;
              world.memory[2 * PAGE + size + ((at + i) % size)] = byte;
            });
            if (state === 'busy') stop ??= at;
            if (stop === undefined && state === 'submitted') expected.push([...bytes]);
            at += piece.length;
          }
          world.memory.writeBigUInt64LE(BigInt(start), 0);
          world.memory.writeBigUInt64LE(BigInt(at), PAGE);
          expect(drainRingbuf(ring(size)).map((found) => [...found])).toEqual(expected);
          expect(Number(world.memory.readBigUInt64LE(0))).toBe(stop ?? at);
          expect(drainRingbuf(ring(size))).toEqual([]);
          expect(world.mapped.slice(-2)).toEqual([
            [0, PAGE, true],
            [PAGE, PAGE + 2 * size, false],
          ]);
        },
      ),
      seeded(300),
    );
  });

  it('are the only maps that are drained', () => {
    expect(() => drainRingbuf(new KernelMap({ ...def, type: 'user_ringbuf' }, 5))).toThrow(
      'map m is no ring buffer',
    );
  });
});
