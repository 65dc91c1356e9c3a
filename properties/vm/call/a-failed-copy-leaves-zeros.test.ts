/**
 * A copy of a string from user space that fails leaves zeros where it was told to pad: the stub that imitates a failure does so too, and
 * a program that reads what it was given reads nothing that was never written.
 */
import { expect, it } from 'vitest';
import { rule, ruleSet } from '../../../src/patch/define.js';
import sound from '../../../src/patch/sets/sound.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import { parseCase } from '../../../src/vm/case/case.js';

const PROGRAM = parseCase(
  `.type syscall
main:
    r1 = r10
    r1 += -8
    r2 = 8
    r3 = 0
    r4 = 1
    call bpf_copy_from_user_str
    r1 = *(u8 *)(r10 -1)
    r0 = 0
    if r1 == 0x0 goto out
    r0 = 1
out:
    exit
`,
  'padded.bpf',
).program;

it('so that the sound rules are proven', async () => {
  expect(await proveProgram(PROGRAM, sound)).toMatchObject({ verdict: 'proven' });
});

it('and a stub that leaves the buffer alone is not', async () => {
  const leaves = ruleSet('leaves-it', [rule('it fails').stub({ r0: -14 })]);
  const proof = await proveProgram(PROGRAM, leaves);
  expect(proof.verdict).not.toBe('proven');
  expect(proof.reason).toContain('which a stub left unwritten');
});
