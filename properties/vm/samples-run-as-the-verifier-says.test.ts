/**
 * Every program of the sample objects runs without breaking a check, in states that the facts of the verifier cover: in the kindest world and in
 * others. Programs that write members of kernel structs are among them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readObject } from '../../src/object/load.js';
import { verify } from '../../src/verifier/verify.js';
import { defaultChooser, seededChooser } from '../../src/vm/state/chooser.js';
import { prepare } from '../../src/vm/state/code.js';
import { cannotRun } from '../../src/vm/state/runnable.js';
import { Vm } from '../../src/vm/vm.js';
import { objectsFolder } from '../support/objects/files.js';

const files = readdirSync(objectsFolder).filter((name) => name.endsWith('.o'));
/** A run of a sample takes fewer insns. */
const MAX_STEPS = 3_000;

test.each(files)('%s', (file) => {
  for (const program of readObject(readFileSync(objectsFolder + file), file).programs) {
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
