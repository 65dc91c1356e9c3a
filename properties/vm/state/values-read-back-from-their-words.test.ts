/**
 * A value of a run in words stands for that value and no other: numbers at every edge of how they are written, and addresses in every region of a run, far
 * and near. Small numbers and errors are decimal, everything else is hexadecimal. A word of the stack is told byte by byte, unless all of it was written.
 */
import { expect, it } from 'vitest';
import { parseCase } from '../../../src/vm/case/case.js';
import { address } from '../../../src/vm/state/address.js';
import { SHADOW } from '../../../src/vm/state/memory.js';
import { stackPlace, stackWordInWords, valueInWords } from '../../../src/vm/value-words.js';
import { Vm } from '../../../src/vm/vm.js';
import { STATE_CASES } from '../../support/vm/state-cases.js';

const plain = new Vm(parseCase('.type tc\nr0 = 0\nexit\n').program);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The number that words stand for. */
function read(words: string): bigint {
  const short = /^(-\d+) \(32 bits\)$/.exec(words);
  if (short !== null) return BigInt.asUintN(32, BigInt(short[1]!));
  return unsigned(BigInt(words));
}

it('numbers', () => {
  const edges = [
    0n,
    1n << 20n,
    1n << 31n,
    1n << 32n,
    (1n << 32n) - 4096n,
    1n << 62n,
    1n << 63n,
    -(1n << 20n),
    -4096n,
  ];
  for (const edge of edges)
    for (const by of [-2n, -1n, 0n, 1n, 2n]) {
      const value = unsigned(edge + by);
      const words = valueInWords(plain.machine, value);
      expect(read(words)).toBe(value);
      const asSigned = BigInt.asIntN(64, value);
      const isShort = asSigned > -(1n << 20n) && asSigned < 1n << 20n;
      const isError = value < 1n << 32n && value > (1n << 32n) - 4096n;
      expect([value, /^-?\d+$/.test(words), / \(32 bits\)$/.test(words)]).toEqual([value, isShort, isError]);
    }
});

it('addresses', () => {
  let gone = 0;
  for (const program of STATE_CASES.values()) {
    const vm = new Vm(program);
    vm.run();
    const { memory } = vm.machine;
    const deep = program.subprogs.length > 1;
    for (let number = 1; number < memory.count; number++) {
      const region = memory.get(number);
      if (region === undefined) continue;
      for (const offset of [-16, -1, 0, 1, 500, 512, 513, 1 << 29, -(1 << 29)]) {
        const words = valueInWords(vm.machine, address(number, offset));
        const [, name, by = '0', end] = /^(.*?)([+-]\d+)?( \(given back\))?$/.exec(words)!;
        if (region.kind === 'stack')
          expect([name, Number(by)]).toEqual([deep ? `fp[${number - 1}]` : 'fp', offset - 512]);
        else if (region.kind === 'func') expect(words).toBe(`function at insn ${offset}`);
        else {
          expect([name, Number(by)]).toEqual([region.kind === 'ctx' ? 'ctx' : region.name, offset]);
          expect(end !== undefined).toBe(!region.alive);
          if (!region.alive) gone++;
        }
      }
      // So far away it is a number that looks like an address.
      for (const offset of [(1 << 29) + 1, -(1 << 29) - 1])
        expect(read(valueInWords(vm.machine, address(number, offset)))).toBe(address(number, offset));
    }
  }
  expect(gone).toBeGreaterThan(5);
});

it('words of the stack', () => {
  const { machine } = new Vm(parseCase('.type tc\nr0 = 0\nexit\n').program);
  const region = machine.memory.get(machine.stackOf(0))!;
  for (const offset of [0, 8, 504]) {
    expect(stackPlace(machine, 0, offset)).toBe(`fp${offset - 512}`);
    expect(stackWordInWords(machine, region, offset)).toBeUndefined();
    // Each byte in turn is written, or left unwritten by a stub.
    for (let bits = 1; bits < 1 << 8; bits++)
      for (const left of [SHADOW.never, SHADOW.skipped]) {
        const kinds = Array.from({ length: 8 }, (_, i) => (((bits >> i) & 1) === 1 ? SHADOW.written : left));
        kinds.forEach((kind, i) => {
          region.shadow![offset + i] = kind;
          region.bytes[offset + i] = 0xa0 + i;
        });
        const words = kinds.map((kind, i) =>
          kind === SHADOW.written ? `a${i}` : kind === SHADOW.skipped ? '??' : '__',
        );
        expect(stackWordInWords(machine, region, offset)).toBe(
          bits === 0xff ? '0xa7a6a5a4a3a2a1a0' : words.join(' '),
        );
      }
    region.shadow!.fill(SHADOW.never, offset, offset + 8);
    region.shadow![offset] = SHADOW.skipped;
    expect(stackWordInWords(machine, region, offset)).toBe('?? __ __ __ __ __ __ __');
    region.shadow![offset] = SHADOW.never;
  }
});
