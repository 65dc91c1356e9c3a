/**
 * The explanation of a refusal: what is held is what the complaint names, it was acquired where the complaint says, the branches lead from
 * there to the end, and every insn has its line of the source. Explaining changes no verdict.
 */
import { expect, it } from 'vitest';
import { BREAKS, breakProgram } from '../../../generators/near-miss.js';
import { sample } from '../../../generators/sample.js';
import { decodeAll } from '../../../src/isa/decode.js';
import { targetOf } from '../../../src/isa/target.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 1);

it('of near misses', () => {
  let leaks = 0;
  let branches = 0;
  for (let index = 0; index < 8; index++) {
    const original = sample(SEED + 11, index, {});
    for (const way of BREAKS) {
      const { program } = breakProgram(original, way, index);
      const options = { facts: false, budget: 5000 };
      const plain = verify(program, options);
      const verdict = verify(program, { ...options, explain: true });
      if (plain.ok || verdict.ok) continue;
      const { explanation, ...rest } = verdict;
      expect(rest).toEqual(plain);
      if (explanation === undefined) continue;
      const named = [...verdict.message.matchAll(/id=(\d+) alloc_insn=(\d+)/g)];
      if (named.length > 0) {
        leaks++;
        const told = explanation.acquired.filter(({ what }) => what === 'reference');
        expect(told.map(({ id, at }) => [`${id}`, `${at.slot}`]).sort()).toEqual(
          named.map(([, id, at]) => [id, at]).sort(),
        );
        expect(told.every(({ at }) => at.insn.startsWith('call '))).toBe(true);
      }
      const ops = decodeAll(program.insns);
      for (const { slot, taken, to } of explanation.branches) {
        branches++;
        const op = ops[slot]!;
        expect(to).toBe(taken ? targetOf(op, slot) : slot + 1);
      }
      if (verdict.slot >= 0 && verdict.reason === 'rejected') expect(explanation.at?.slot).toBe(verdict.slot);
    }
  }
  expect(leaks).toBeGreaterThan(5);
  expect(branches).toBeGreaterThan(50);
});

const TEXT = `
.type xdp
.map ring ringbuf key=0 value=0 entries=4096
    r6 = 0
    call first
    call take
    if r0 == 0 goto out
    if r6 == 0 goto out
    r6 = 1
out:
    r0 = 0
    exit
first:
    r0 = 0
    exit
take:
    r1 = map ring
    r2 = 16
    r3 = 0
    call bpf_ringbuf_reserve
    exit
`;

it('of what a callee acquired', () => {
  const { program } = parseCase(TEXT, 'callee.bpf');
  const lines = [
    { slot: 2, file: 'a.c', line: 20, column: 1, text: '\te = take();' },
    { slot: 10, file: 'a.c', line: 3, column: 1, text: 'return reserve();' },
  ];
  const verdict = verify({ ...program, lines }, { explain: true });
  const explanation = verdict.ok ? undefined : verdict.explanation;
  expect(explanation?.acquired).toMatchObject([
    {
      what: 'reference',
      at: { slot: 14, function: 'take', file: 'a.c', line: 3, source: 'return reserve();' },
      calls: [{ slot: 2, function: 'main', line: 20, source: 'e = take();' }],
    },
  ]);
  expect(explanation?.branches.map(({ slot, taken }) => [slot, taken])).toEqual([
    [3, false],
    [4, true],
  ]);
});

it('of a walk without end: the loop that it was spent on', () => {
  const text =
    '.type xdp\n r0 = 0\n r1 = 0\nshort:\n r1 += 1\n if r1 != 3 goto short\nlong:\n r0 += 1\n if r0 != 9999 goto long\n exit\n';
  const { program } = parseCase(text, 'loops.bpf');
  const verdict = verify(program, { explain: true, budget: 1000 });
  const explanation = verdict.ok ? undefined : verdict.explanation;
  expect(explanation?.about).toBe(`program '${program.name}'`);
  expect(explanation?.loops.map(({ from, to, walked }) => [from.slot, to.slot, walked])).toEqual([
    [4, 5, 992],
    [2, 3, 6],
  ]);
});
