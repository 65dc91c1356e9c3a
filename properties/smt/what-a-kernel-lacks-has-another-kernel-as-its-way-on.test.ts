/**
 * Where the types of a kernel lack what a CO-RE relocation names, loaders write a call that no kernel has. If a path comes there, the program is
 * unknown and its way on is another kernel's types; if none does, it is proven. Other refusals are for the program to mend.
 */
import { describe, expect, it } from 'vitest';
import { POISON } from '../../src/object/core/patch.js';
import { RULE_SETS } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import type { ProgramProof } from '../../src/smt/proof.js';
import { parseCase } from '../../src/vm/case/case.js';

/** The proof of a program that is poisoned where it asks the time. */
function proofOf(body: string): Promise<ProgramProof> {
  const { program } = parseCase(`.type xdp\n${body} r0 = 2\n exit\n`, 'made.bpf');
  const insns = program.insns.map((insn) =>
    insn.opcode === POISON.opcode && insn.imm === 5 ? POISON : insn,
  );
  return proveProgram({ ...program, insns }, RULE_SETS.find(({ name }) => name === 'sound')!);
}

const ASKED = ' call bpf_ktime_get_ns#5\n';

describe("what a kernel lacks has another kernel's types as its way on", () => {
  it('where a path comes there', async () => {
    const { verdict, advice, reason } = await proofOf(ASKED);
    expect([verdict, reason]).toEqual(['unknown', `not verified: invalid func unknown#${POISON.imm}`]);
    expect(advice).toMatch(/CO-RE.*--btf FILE/);
  });

  it('where no path does, it is proven', async () => {
    expect((await proofOf(` r6 = 0\n if r6 == 0x0 goto over\n${ASKED}over:\n`)).verdict).toBe('proven');
  });

  it('another refusal is for the program to mend', async () => {
    const { verdict, advice } = await proofOf(' r1 = r7\n');
    expect(verdict).toBe('unknown');
    expect(advice).toMatch(/mend the program/);
  });
});
