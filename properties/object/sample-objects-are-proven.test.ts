/**
 * Every program of the sample objects is proven under `sound`, with a bound; what RFC v1 breaks in them is refuted, with a witness that
 * replays from its text. Without the kernel's BTF, objects that need it to be relocated are skipped.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fastPath } from '../../src/patch/fast-path.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { printCase } from '../../src/vm/case/print.js';
import { replay } from '../../src/vm/replay.js';
import { objectFiles as files, NEEDS_BTF, objectsFolder, programsOf } from '../support/objects/files.js';

describe('each program is proven under sound', () => {
  test('few of them need the BTF of the kernel', () => {
    const needing = files.filter((file) => programsOf(file, 'none') === undefined);
    expect(needing.length).toBeLessThanOrEqual(files.length / 3);
    expect(needing).toContain('core_read.o');
    expect(needing).toContain('kptr_stash.o');
  });

  test('pointers to what programs allocate need no kernel', () => {
    const own = readdirSync(`${objectsFolder}percpu`).filter((name) => name.endsWith('.o'));
    expect(own.length).toBeGreaterThan(0);
    for (const file of own) {
      const programs = programsOf(`percpu/${file}`, 'none');
      const fields = (programs ?? []).flatMap(({ maps }) => maps.flatMap((map) => map.fields));
      expect([file, fields.some(({ kind }) => kind === 'kptr' || kind === 'kptr_percpu')]).toEqual([
        file,
        true,
      ]);
    }
  });

  test('there are some', () => expect(files.length).toBeGreaterThanOrEqual(8));

  test.for(files)('%s', async (file, { skip }) => {
    const programs = programsOf(file);
    if (programs === undefined) {
      skip(NEEDS_BTF);
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
