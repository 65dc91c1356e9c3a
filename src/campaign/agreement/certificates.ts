/**
 * Compares certificates with proofs and runs. A generated program is taken under shipped and random rule sets. It is certified by Linux
 * or not, proven by us or not, and killed before every insn in several worlds.
 *
 * If a program is certified and a killed run breaks a check that Linux makes, something is wrong: Linux, the two-mode program or the VM.
 * If a program is proven and refused by Linux, our proof is wrong, or the two-mode program allows more runs than there are.
 * docs/certificates.md lists the known reasons for the latter. Each is tested by taking it away: a difference counts as explained by it
 * only if it then disappears.
 */
import fc from 'fast-check';
import type { ProgramConstraints } from '../../../generators/program.js';
import { mix, randomFor } from '../../../generators/random.js';
import { ruleArbitrary, wrongRuleArbitrary } from '../../../generators/rule.js';
import { sample } from '../../../generators/sample.js';
import { InputError } from '../../isa/errors.js';
import type { Program } from '../../object/program.js';
import { runningProfile } from '../../oracle/profile/running.js';
import { ruleSet } from '../../patch/define.js';
import type { FastPath, RuleSet } from '../../patch/rule.js';
import { RULE_SETS } from '../../patch/sets/index.js';
import sound from '../../patch/sets/sound.js';
import { type PreparedProgram, pathOf, prepareProgram } from '../kill/prepared-program.js';
import { type CertificateCheckOptions, checkCertificate } from './certificates/check.js';
import type { JudgedFor, OpenComparison, Tally } from './comparison.js';

/** Which programs and rule sets to compare certificates on. */
export interface CertificatesOptions extends CertificateCheckOptions, JudgedFor {
  /** Rule sets that each program is judged under, besides the random ones; all shipped ones unless told. */
  readonly rules?: readonly RuleSet[];
  /** Random rule sets for each program, 1 unless told. */
  readonly random?: number;
  /** What the programs are made of; anything unless told. */
  readonly constraints?: ProgramConstraints;
}

/** Opens the comparison. Throws InputError where bpf(2) is refused. */
export function openCertificates(options: CertificatesOptions = {}): OpenComparison {
  const told = { ...options, kernel: options.kernel ?? runningProfile() };
  return {
    async compare(seed, index, tally) {
      const { program } = sample(seed, index, options.constraints ?? {});
      await compareProgram(program, seed, index, told, tally);
    },
    close() {},
  };
}

/** One program in so many is judged for a loader without CAP_PERFMON, if such a loader may load it. */
const STRICT_EVERY = 4;
/** The most insns that are walked then. Speculative paths make some programs endless, for Linux too. */
const STRICT_BUDGET = 20_000;

function prepareInSomeProfile(
  program: Program,
  index: number,
  { kernel, profiles = ['privileged', 'strict'] }: CertificatesOptions,
): PreparedProgram | string {
  const [only] = profiles.length === 1 ? profiles : [];
  if (only === 'strict' || (only === undefined && index % STRICT_EVERY === STRICT_EVERY - 1)) {
    const strict = prepareProgram(program, 'strict', { kernel, budget: STRICT_BUDGET });
    if (typeof strict !== 'string' || only === 'strict') return strict;
  }
  return prepareProgram(program, 'privileged', { kernel });
}

async function compareProgram(
  program: Program,
  seed: number,
  index: number,
  options: CertificatesOptions,
  tally: Tally,
): Promise<void> {
  const prepared = prepareInSomeProfile(program, index, options);
  if (typeof prepared === 'string') {
    tally.count('not verified');
    return;
  }
  tally.count(`programs: ${prepared.profile}`);
  const sets = [...(options.rules ?? RULE_SETS), ...randomRules(prepared, seed, index, options.random ?? 1)];
  for (const rules of sets) {
    const path = fastPathOf(prepared, rules);
    if (path === undefined) tally.count('random: the stub does not fit the function');
    else await checkCertificate(prepared, rules, path, { seed, index }, options, tally);
  }
}

/** Rule sets with a rule for a function of this program in front of the sound ones: any stub, or one that is surely wrong. */
function randomRules({ code }: PreparedProgram, seed: number, index: number, count: number): RuleSet[] {
  const names = [...new Set(code.contracts.flatMap((contract) => contract?.name ?? []))];
  if (names.length === 0) return [];
  return Array.from({ length: count }, (_, i) => {
    const random = randomFor(mix(seed, i), index);
    const arbitrary = fc.oneof(ruleArbitrary(names), wrongRuleOr(names)).generate(random, undefined).value;
    const first = arbitrary.rules.rules[0]!;
    return ruleSet(`random-${arbitrary.contract.name}`, [first, ...sound.rules]);
  });
}

function fastPathOf(prepared: PreparedProgram, rules: RuleSet): FastPath | undefined {
  try {
    return pathOf(prepared, rules);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function wrongRuleOr(names: readonly string[]): ReturnType<typeof ruleArbitrary> {
  try {
    return wrongRuleArbitrary(names);
  } catch {
    // For some functions every stub is right.
    return ruleArbitrary(names);
  }
}
