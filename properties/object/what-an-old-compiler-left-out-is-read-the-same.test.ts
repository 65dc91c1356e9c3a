/**
 * LLVM before 9 wrote objects whose functions have neither a type nor a size, with names for basic blocks, and the first one without a machine.
 * The same programs are read from them, whatever order their symbols stand in.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exit, mov, r0 } from '../../src/isa/build.js';
import { toBytes } from '../../src/isa/bytes.js';
import { encodeAll } from '../../src/isa/encode.js';
import { readObject } from '../../src/object/load.js';
import { elfOf, type MadeObject, type MadeSymbol } from '../support/objects/elf.js';
import { seeded } from '../support/seed.js';

const SECTIONS = ['xdp', 'tc', 'kprobe/some'];

/** Insns of each function of each section. */
const lengths = fc.tuple(
  ...SECTIONS.map(() => fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })),
);

const code = (functions: readonly number[]): Uint8Array =>
  toBytes(
    encodeAll(functions.flatMap((length) => [...Array(length).keys()].map((i) => mov(r0, i)).concat(exit()))),
  );

/** Where each function of the sections lies, in bytes. */
function symbolsOf(functions: readonly (readonly number[])[]): MadeSymbol[] {
  return functions.flatMap((lengths, at) => {
    let value = 0;
    return lengths.map((length, i) => {
      const size = 8 * (length + 1);
      value += size;
      return { name: `f${at}_${i}`, section: at + 1, value: value - size, size, type: 2, bind: 1 };
    });
  });
}

const programsOf = (made: MadeObject, machine?: number): unknown => {
  const bytes = elfOf(made);
  if (machine !== undefined) new DataView(bytes.buffer).setUint16(18, machine, true);
  return readObject(bytes, 'made.o', { targetBtf: 'none' })
    .programs.map(({ name, section, type, insns, subprogs }) => ({ name, section, type, insns, subprogs }))
    .sort((a, b) => a.name.localeCompare(b.name));
};

describe('what an old compiler left out is read the same', () => {
  it('types and sizes of functions, the machine', () => {
    fc.assert(
      fc.property(
        lengths,
        fc.boolean(),
        fc.array(fc.tuple(fc.nat(2), fc.nat(3)), { maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        (functions, machine, blocks, order) => {
          const sections = functions.map((one, at) => ({ name: SECTIONS[at]!, flags: 6, data: code(one) }));
          const symbols = symbolsOf(functions);
          const labels = blocks.map(
            ([at, slot], i): MadeSymbol => ({ name: `LBB${at}_${i}`, section: at + 1, value: 8 * slot }),
          );
          const data = { name: '.data', flags: 3, data: new Uint8Array(0) };
          const bare = [
            ...symbols.map(({ type: _type, size: _size, ...rest }): MadeSymbol => rest),
            ...labels,
            // Data has names without types too.
            { name: 'some_data', section: sections.length + 1, bind: 1 },
            ...sections.map((_, at): MadeSymbol => ({ name: '', section: at + 1, type: 3 })),
          ]
            .map((symbol) => ({ symbol, key: order.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ symbol }) => symbol);
          expect(
            programsOf({ sections: [...sections, data], symbols: bare }, machine ? 0 : undefined),
          ).toEqual(programsOf({ sections, symbols }));
        },
      ),
      seeded(200),
    );
  });

  it('where one function has a type, a name without one is no function', () => {
    const sections = [{ name: 'xdp', flags: 6, data: code([1, 1]) }];
    const [first, second] = symbolsOf([[1, 1]]);
    const { type: _, ...untyped } = second!;
    expect(programsOf({ sections, symbols: [first!, untyped] })).toEqual(
      programsOf({ sections, symbols: [first!] }),
    );
  });
});
