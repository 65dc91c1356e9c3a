/** Objects that are cut, damaged or of another machine: one InputError of one line, never another exception, and soon. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { readObject } from '../../src/object/load.js';
import { objectBytes, objectFiles } from '../support/objects/files.js';
import { seeded } from '../support/seed.js';

/** 'read', or the line that a person sees. Any other exception goes through. */
function verdict(read: () => unknown): string {
  try {
    read();
    return 'read';
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const line = error.describe();
    expect(line).toMatch(/^broken\.o: .{10,400}$/);
    return line;
  }
}

/** CO-RE against nothing, so that no kernel's BTF is needed; the sample that needs one is refused for that, whole or not. */
function readBroken(bytes: Uint8Array): string {
  return verdict(() => readObject(bytes, 'broken.o', { targetBtf: 'none' }));
}

const file = fc.constantFrom(...objectFiles);

describe('broken objects are refused in one line', () => {
  it('cut at any byte: refused, because the section headers are at the end', () => {
    for (const name of objectFiles) {
      const bytes = objectBytes(name);
      const step = 1 + Math.floor(bytes.length / 150);
      for (let size = 0; size < bytes.length; size += step)
        expect(readBroken(bytes.slice(0, size))).not.toBe('read');
      expect(readBroken(bytes.slice(0, -1))).not.toBe('read');
    }
  });

  it('some bytes changed: refused or read', () => {
    const seen = { read: 0, refused: 0 };
    const flips = fc.array(fc.tuple(fc.nat(1 << 20), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(file, flips, (name, changes) => {
        const bytes = objectBytes(name);
        for (const [at, flip] of changes) bytes[at % bytes.length]! ^= flip;
        seen[readBroken(bytes) === 'read' ? 'read' : 'refused']++;
      }),
      seeded(4000),
    );
    // Both happen, or the changes would show nothing.
    expect(seen.read).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(100);
  });

  it('a word set to an extreme: refused or read, and soon', () => {
    const words = fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff);
    let slowest = 0;
    fc.assert(
      fc.property(file, fc.nat(1 << 20), words, (name, at, word) => {
        const bytes = objectBytes(name);
        new DataView(bytes.buffer).setUint32((at % (bytes.length >> 2)) * 4, word, true);
        const start = performance.now();
        readBroken(bytes);
        slowest = Math.max(slowest, performance.now() - start);
      }),
      seeded(4000),
    );
    expect(slowest).toBeLessThan(2000);
  });

  it('random bytes, with or without an ELF header before them: refused', () => {
    const header = objectBytes('socket_xdp.o').slice(0, 64);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.boolean(), (bytes, real) => {
        expect(readBroken(real ? new Uint8Array([...header, ...bytes]) : bytes)).not.toBe('read');
      }),
      seeded(500),
    );
  });

  it.each([
    ['nothing', [], 0, 'an empty file'],
    ['text', [[0, 0x23]], undefined, 'no ELF magic'],
    ['32 bits', [[4, 1]], undefined, 'a 32-bit ELF file'],
    ['big endian', [[5, 2]], undefined, 'a big-endian ELF file'],
    ['x86-64', [[18, 62]], undefined, 'machine 62 (x86-64)'],
    ['an executable', [[16, 2]], undefined, 'ELF type 2 (executable)'],
    ['a cut header', [], 40, 'found 40 bytes: the ELF header is cut'],
  ] as const)('%s is named', (_, changes, size, found) => {
    const bytes = objectBytes('socket_xdp.o');
    for (const [at, value] of changes) bytes[at] = value;
    const line = readBroken(bytes.slice(0, size ?? bytes.length));
    expect(line).toContain('expected a BPF object (ELF64, little endian, relocatable');
    expect(line).toContain(found);
  });

  it('a reader that crashes would be seen', () => {
    const careless = (bytes: Uint8Array): number => new DataView(bytes.buffer).getUint32(bytes.length, true);
    expect(() => verdict(() => careless(objectBytes('socket_xdp.o')))).toThrow(RangeError);
  });
});
