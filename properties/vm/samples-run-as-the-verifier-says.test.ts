/**
 * Every program of the sample objects runs without breaking a check, in states that the facts of the verifier cover: in the kindest world and in
 * others. Programs that write members of kernel structs are among them.
 */
import { expect, test } from 'vitest';
import { verify } from '../../src/verifier/verify.js';
import { defaultChooser, seededChooser } from '../../src/vm/state/chooser.js';
import { prepare } from '../../src/vm/state/code.js';
import { cannotRun } from '../../src/vm/state/runnable.js';
import { Vm } from '../../src/vm/vm.js';
import { NEEDS_BTF, objectFiles, programsOf } from '../support/objects/files.js';

/** A run of a sample takes fewer insns. */
const MAX_STEPS = 3_000;

test.for(objectFiles)('%s', (file, { skip }) => {
  const programs = programsOf(file);
  if (programs === undefined) return skip(NEEDS_BTF);
  for (const program of programs) {
    const verdict = verify(program);
    expect(verdict.ok, program.name).toBe(true);
    if (!verdict.ok || cannotRun(program) !== undefined) continue;
    const code = prepare(program);
    for (const chooser of [defaultChooser, seededChooser(1), seededChooser(2)]) {
      const { facts } = verdict;
      const { violations, disagreement } = new Vm(code, {
        ...{ facts, chooser, checkFacts: true, maxSteps: MAX_STEPS },
      }).run();
      expect([program.name, violations, disagreement]).toEqual([program.name, [], undefined]);
    }
  }
});
