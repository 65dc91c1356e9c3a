/**
 * The text of a program is judged as its object is: the same proof with the same bounds, the same certificate of Linux, and source lines that
 * name the same places. Without the kernel's BTF, objects that need it are skipped.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sample } from '../../../generators/sample.js';
import type { LineInfo, Program } from '../../../src/object/program.js';
import { certify } from '../../../src/oracle/certify.js';
import { RULE_SETS } from '../../../src/patch/sets/index.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import type { ProgramProof } from '../../../src/smt/proof.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printLine, readLines } from '../../../src/vm/case/lines.js';
import { printCase } from '../../../src/vm/case/print.js';
import { EMPTY } from '../../../src/vm/state/environment.js';
import { describeKernel } from '../../support/kernel/skip.js';
import { objectFiles as files, NEEDS_BTF, programsOf } from '../../support/objects/files.js';

const rules = RULE_SETS.filter(({ name }) => name === 'sound' || name === 'rfc-v1');

const viaText = (program: Program): Program =>
  parseCase(printCase({ program, profile: 'privileged', env: EMPTY, comments: [] })).program;

/** What a proof says, apart from how it was found. */
const said = ({
  verdict,
  reason,
  boundKind,
  bound,
  bounds,
  timeLimit,
  sites,
  kept,
  loops,
}: ProgramProof): unknown => ({
  ...{ verdict, reason, boundKind, bound, bounds, timeLimit, sites, kept, loops },
});

async function expectSameProofs(program: Program): Promise<void> {
  const back = viaText(program);
  for (const set of rules) {
    const of = (one: Program): Promise<ProgramProof> => proveProgram(one, set, { maxRuns: 4 });
    expect([program.name, set.name, said(await of(back))]).toEqual([
      program.name,
      set.name,
      said(await of(program)),
    ]);
  }
}

describe('proofs', () => {
  test.for(files)('%s', async (file, { skip }) => {
    const programs = programsOf(file);
    if (programs === undefined) return skip(NEEDS_BTF);
    // What the kernel knows of a struct of operations, no text tells.
    for (const program of programs)
      if (!program.section?.startsWith('struct_ops')) await expectSameProofs(program);
  });

  test('of generated programs', async () => {
    for (let index = 0; index < 12; index++)
      await expectSameProofs(sample(9, index, { maxInsns: 60 }).program);
  });
});

describeKernel('certificates', () => {
  const told = (program: Program): unknown =>
    rules.map((set) => {
      const { verdict, message, insns, sitesStubbed, sitesLeftOut } = certify(program, set);
      return { verdict, message, insns, sitesStubbed, sitesLeftOut };
    });

  test.for(files)('%s', (file) => {
    for (const program of programsOf(file) ?? []) expect(told(viaText(program))).toEqual(told(program));
  });

  test('of generated programs', () => {
    for (let index = 0; index < 12; index++) {
      const { program } = sample(9, index, { maxInsns: 60 });
      expect([index, told(viaText(program))]).toEqual([index, told(program)]);
    }
  });
});

describe('source lines', () => {
  const trimmed = (lines: readonly LineInfo[] = []): readonly LineInfo[] =>
    lines.map((one) => ({ ...one, text: one.text.trim() }));

  test('of objects are kept', () => {
    let seen = 0;
    for (const program of files.flatMap((file) => programsOf(file) ?? [])) {
      expect(viaText(program).lines).toEqual(trimmed(program.lines));
      seen += program.lines!.length;
    }
    expect(seen).toBeGreaterThan(100);
  });

  test('are read as they were printed, whatever they say', () => {
    const line = fc.record({
      slot: fc.constantFrom(0, 1, 3),
      file: fc.constantFrom('a.c', './b c.c', '/src/100%.c', ''),
      line: fc.integer({ min: 0, max: 99_999 }),
      column: fc.nat(300),
      text: fc.string({ maxLength: 20 }).map((text) => text.trim()),
    });
    fc.assert(
      fc.property(line, (one) => {
        // Insns on the lines 11, 13 and 15 of a file, the second of two slots.
        const text = ['', '', '', '', '', ''];
        const above = { 0: 0, 1: 2, 3: 4 }[one.slot]!;
        text[above] = printLine(one);
        expect(readLines(text.join('\n'), [11, 13, 13, 15], 10)).toEqual([one]);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  test('can be pasted from a log of Linux', () => {
    const { program } = parseCase(
      '.type xdp\n\n; if (!v) @ lock.c:12\n0: (b7) r0 = 0\n; no place\n1: (95) exit\n',
    );
    expect(program.lines).toEqual([{ slot: 0, file: 'lock.c', line: 12, column: 0, text: 'if (!v)' }]);
  });
});
