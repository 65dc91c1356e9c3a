/**
 * Every program of the sample objects is proven under `sound`, with a bound; what RFC v1 breaks in them is refuted, with a witness that
 * replays from its text. Without the kernel's BTF, objects that need it to be relocated are skipped.
 */
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { readObject } from '../../src/object/load.js';
import type { Program } from '../../src/object/program.js';
import { fastPath } from '../../src/patch/fast-path.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { printCase } from '../../src/vm/case/print.js';
import { replay } from '../../src/vm/replay.js';

const folder = fileURLToPath(new URL('../../corpus/objects/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.o'));

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

const kernel = readable('/sys/kernel/btf/vmlinux');

/** The programs of an object; undefined when it needs a BTF to be relocated against and there is none. */
function programsOf(
  file: string,
  targetBtf: 'kernel' | 'none' = kernel ? 'kernel' : 'none',
): readonly Program[] | undefined {
  try {
    return readObject(readFileSync(folder + file), file, { targetBtf }).programs;
  } catch (error) {
    if (
      targetBtf === 'none' &&
      error instanceof InputError &&
      /relocated against|is looked up in a kernel's BTF/.test(error.message)
    )
      return undefined;
    throw error;
  }
}

describe('each program is proven under sound', () => {
  test('few of them need the BTF of the kernel', () => {
    const needing = files.filter((file) => programsOf(file, 'none') === undefined);
    expect(needing.length).toBeLessThanOrEqual(files.length / 4);
    expect(needing).toContain('core_read.o');
  });

  test('there are some', () => expect(files.length).toBeGreaterThanOrEqual(8));

  test.for(files)('%s', async (file, { skip }) => {
    const programs = programsOf(file);
    if (programs === undefined) {
      skip('CO-RE needs the BTF of the kernel, and /sys/kernel/btf/vmlinux cannot be read');
      return;
    }
    expect(programs.length).toBeGreaterThan(0);
    for (const program of programs) {
      const proof = await proveProgram(program, shippedRuleSet('sound')!);
      expect([program.name, proof.verdict, proof.reason]).toEqual([program.name, 'proven', '']);
      expect(proof.points).toBeGreaterThan(0);
      expect([program.name, proof.bound]).toEqual([program.name, expect.any(Number)]);
      // It has no loop that runs on, so no patched run is longer than all its insns.
      expect(proof.bound).toBeLessThanOrEqual(program.insns.length);
    }
  });
});

test('what RFC v1 breaks is refuted, with a witness that replays from its text', async () => {
  const rules = shippedRuleSet('rfc-v1')!;
  const refuted: string[] = [];
  for (const file of files) {
    for (const program of programsOf(file) ?? []) {
      const proof = await proveProgram(program, rules);
      if (proof.verdict !== 'refuted') continue;
      const read = parseCase(printCase(proof.witness!));
      // Where a weak kfunc is absent, the program of the witness is another one.
      const verified = verify(read.program);
      if (!verified.ok) throw new Error(verified.message);
      const { facts } = verified;
      const again = replay(read, fastPath(read.program, facts, rules), { facts });
      expect([program.name, again.ok, again.got]).toEqual([program.name, true, again.expected]);
      expect(read.expect?.kind).toBe('breaks');
      // It is the rules that are wrong, not the program: under others, and unkilled, the same run holds.
      const sound = fastPath(read.program, facts, shippedRuleSet('sound')!);
      expect([program.name, replay(read, sound, { facts }).result.violations]).toEqual([program.name, []]);
      const { kill: _, ...unkilled } = read;
      expect(replay(unkilled, sound, { facts }).result.violations).toEqual([]);
      refuted.push(`${file} ${program.name}`);
    }
  }
  expect(refuted.length).toBeGreaterThan(0);
});
