/** Whether a program does what its proof says, wherever it is killed. */
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import type { KernelProfile } from '../../../src/kernel/profile.js';
import type { Program } from '../../../src/object/program.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import type { FastPath, RuleSet } from '../../../src/patch/rule.js';
import type { ProgramProof } from '../../../src/smt/proof.js';
import type { Accepted } from '../../../src/verifier/result.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { replay } from '../../../src/vm/replay.js';
import { Vm } from '../../../src/vm/vm.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const WORLDS = 4;
/** Runs longer than this are killed up to there. */
const MAX_STEPS = 1_200;
/** A killed run that goes on for longer is left alone; the proof's bound may be larger. */
const PATIENCE = 20_000;

/** A program that our verifier accepts. */
export interface Subject {
  readonly program: Program;
  readonly verified: Accepted;
}

/** Verifies a program, for the built-in kernel unless told. Throws where it is refused. */
export function subjectOf(program: Program, kernel?: KernelProfile): Subject {
  const verified = verify(program, kernel === undefined ? {} : { kernel });
  if (!verified.ok) throw new Error(`refused: ${verified.message}`);
  return { program, verified };
}

/** What speaks against the proof; undefined if nothing does. */
export function contradiction(one: Subject, rules: RuleSet, proof: ProgramProof): string | undefined {
  const path = fastPath(one.program, one.verified.facts, rules);
  if (proof.verdict === 'proven') return survives(one, path, proof);
  if (proof.verdict === 'refuted') return falls(one, path, proof);
  return undefined;
}

/** Kills it everywhere in several worlds. */
function survives({ program, verified }: Subject, path: FastPath, proof: ProgramProof): string | undefined {
  const { boundKind, bound: most = proof.timeLimit?.insns } = proof;
  if (boundKind === 'unbounded' || most === undefined) return 'proven without a bound';
  for (let k = 0; k < WORLDS; k++) {
    const options = { ...runEnvironment(program, SEED, 0, k), facts: verified.facts, fastPath: path };
    const vm = new Vm(program, { ...options, bound: Math.min(most, PATIENCE) });
    while (vm.running && vm.machine.steps < MAX_STEPS) {
      const { pc, steps } = vm.machine;
      const killed = vm.fork();
      killed.kill();
      const result = killed.run();
      const where = `world ${k}, killed at insn ${pc} after ${steps} steps`;
      const [first] = result.violations.filter(({ check }) => check !== 'bound' || most <= PATIENCE);
      if (first !== undefined) return `${where}: ${first.check}: ${first.message}`;
      // No time passes in the VM, so the insns beside the time are all that there are.
      const bound = proof.bounds.get(pc) ?? proof.timeLimits.get(pc)?.insns ?? 0;
      if (result.steps - steps > bound) return `${where}: ${result.steps - steps} insns, not ${bound}`;
      vm.step();
    }
  }
  return undefined;
}

function falls({ verified }: Subject, path: FastPath, { witness }: ProgramProof): string | undefined {
  if (witness === undefined) return 'refuted without a witness';
  if (witness.expect?.kind !== 'breaks' || witness.kill === undefined) return 'the witness says nothing';
  const read = parseCase(printCase(witness));
  const { facts } = verified;
  if (!replay(read, path, { facts }).ok) return 'the witness does not replay';
  const { kill: _, ...unkilled } = read;
  const alive = replay(unkilled, path, { facts }).result.violations;
  return alive.length > 0 ? `the witness breaks ${alive[0]!.check} without a kill` : undefined;
}
