/**
 * Rules drawn at random for functions that write memory or make, take and give back dynptrs: r0 is anything, any of the outputs is written or not,
 * any of the slots is cleared. A program that calls the function and is proven breaks no check wherever it is
 * killed, in many worlds; one that is refuted has a witness that replays.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ruleArbitrary } from '../../../generators/rule.js';
import { sample } from '../../../generators/sample.js';
import { smallestCall } from '../../../generators/smallest-call.js';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import { contracts } from '../../../src/kernel/catalog.js';
import { isOutput } from '../../../src/kernel/describe.js';
import type { Program } from '../../../src/object/program.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import type { RuleSet } from '../../../src/patch/rule.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { killEverywhere } from '../../../src/vm/kill.js';
import { replay } from '../../../src/vm/replay.js';
import { seeded } from '../../support/seed.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const RUNS = 60;
const WORLDS = 4;

const NAMES = contracts()
  .filter(({ args }) => args.some((arg) => isOutput(arg) || arg.kind === 'dynptr'))
  .map(({ name }) => name)
  .filter((name) => smallestCall(name) !== undefined);

/** The smallest program that calls the function, or a random one. */
function programOf(name: string, which: number): Program {
  return which === 0 ? smallestCall(name)! : sample(SEED, which, { only: [name], maxInsns: 60 }).program;
}

async function contradiction(program: Program, rules: RuleSet): Promise<string | undefined> {
  const verified = verify(program);
  if (!verified.ok) return `refused: ${verified.message}`;
  const { facts } = verified;
  const path = fastPath(program, facts, rules);
  const proof = await proveProgram(program, rules, { verified, maxRuns: 30 });
  if (proof.verdict === 'refuted') {
    const { witness } = proof;
    if (witness === undefined) return 'refuted without a witness';
    return replay(parseCase(printCase(witness)), path, { facts }).ok
      ? undefined
      : 'the witness does not replay';
  }
  if (proof.verdict === 'unknown') return undefined;
  for (let world = 0; world < WORLDS; world++) {
    const { env, ...options } = runEnvironment(program, SEED, 0, world);
    const killed = killEverywhere(program, path, env, { ...options, facts, maxSteps: 400 });
    const [first] = killed.violations;
    if (first !== undefined)
      return `proven, but world ${world} killed before insn ${first.from} breaks ${first.check}: ${first.message}`;
  }
  return undefined;
}

it('proofs and killed runs agree', async () => {
  const verdicts = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...NAMES).chain((name) => fc.tuple(ruleArbitrary([name]), fc.nat(3))),
      async ([{ contract, stub, rules }, which]) => {
        const program = programOf(contract.name, which);
        verdicts.add(stub.slots.length > 0 ? 'slots' : stub.writes.length > 0 ? 'writes' : 'neither');
        expect(await contradiction(program, rules)).toBeUndefined();
      },
    ),
    seeded(RUNS),
  );
  expect([...verdicts].sort()).toEqual(['neither', 'slots', 'writes']);
});
