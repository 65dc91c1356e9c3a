/**
 * Certificates held against proofs and runs: a generated program under rule sets, shipped ones and random ones, certified by Linux or not,
 * proven by us or not, and killed before every insn in several worlds.
 *
 * Certified, and a killed run breaks a check that Linux makes: one of the three is wrong. Proven, and refused by Linux: our proof is wrong,
 * or the two-mode program allows more runs than there are. Each reason that is written down in docs/certificates.md is asked for by taking it
 * away: a difference is put down to it only if it is gone then.
 */
import fc from 'fast-check';
import type { ProgramConstraints } from '../../../generators/program.js';
import { mix, randomFor } from '../../../generators/random.js';
import { ruleArbitrary, wrongRuleArbitrary } from '../../../generators/rule.js';
import { sample } from '../../../generators/sample.js';
import { InputError } from '../../isa/errors.js';
import type { Program } from '../../object/program.js';
import { kernelAvailable } from '../../oracle/available.js';
import { type Certificate, type CertifyOptions, certify, FORMS } from '../../oracle/certify.js';
import { ruleSet } from '../../patch/define.js';
import type { FastPath, RuleSet } from '../../patch/rule.js';
import { RULE_SETS } from '../../patch/sets/index.js';
import sound from '../../patch/sets/sound.js';
import type { TwoModeDefects } from '../../patch/two-mode/two-mode.js';
import { walkPatched } from '../../smt/patched.js';
import { type ProgramProof, proveProgram } from '../../smt/program-proof.js';
import type { Violation } from '../../vm/trap.js';
import type { VmOptions } from '../../vm/vm.js';
import { exercise } from '../exercise.js';
import { surroundings } from '../surroundings.js';
import { pathOf, type Ready, ready, runOptions } from '../trial.js';
import type { OpenComparison, Tally } from './comparison.js';
import { kindOfComplaint } from './verdicts.js';

export interface CertificatesOptions {
  /** Rule sets that each program is judged under, besides the random ones; all shipped ones unless told. */
  readonly rules?: readonly RuleSet[];
  /** Random rule sets for each program, 1 unless told. */
  readonly random?: number;
  /** Worlds that each program is killed in, 3 unless told. */
  readonly worlds?: number;
  /** What the programs are made of; anything unless told. */
  readonly constraints?: ProgramConstraints;
  /** Seeded defects of the two-mode program, for tests. */
  readonly defects?: TwoModeDefects;
}

/** Opens the comparison. Throws InputError where bpf(2) is refused. */
export function openCertificates(options: CertificatesOptions = {}): OpenComparison {
  const kernel = kernelAvailable();
  if (!kernel.ok) throw new InputError(kernel.reason);
  return {
    async compare(seed, index, tally) {
      const { program } = sample(seed, index, options.constraints ?? {});
      await compareProgram(program, seed, index, options, tally);
    },
    close() {},
  };
}

/** One program in so many is judged as for a loader without CAP_PERFMON, if it is one that such a loader may load. */
const STRICT_EVERY = 4;
const NEEDS_PERFMON: ReadonlySet<string> = new Set(['tracepoint']);

function readied(program: Program, index: number): Ready | string {
  if (index % STRICT_EVERY === STRICT_EVERY - 1 && !NEEDS_PERFMON.has(program.type)) {
    const strict = ready(program, 'strict');
    if (typeof strict !== 'string') return strict;
  }
  return ready(program, 'privileged');
}

async function compareProgram(
  program: Program,
  seed: number,
  index: number,
  options: CertificatesOptions,
  tally: Tally,
): Promise<void> {
  const made = readied(program, index);
  if (typeof made === 'string') {
    tally.count('not verified');
    return;
  }
  tally.count(`programs: ${made.profile}`);
  const sets = [...(options.rules ?? RULE_SETS), ...randomRules(made, seed, index, options.random ?? 1)];
  for (const rules of sets) {
    const path = fastPathOf(made, rules);
    if (path === undefined) tally.count('random: the stub does not fit the function');
    else await new Question(made, rules, path, seed, index, options, tally).ask();
  }
}

/** Rule sets with a rule for a function of this program in front of the sound ones: any stub, or one that is surely wrong. */
function randomRules({ code }: Ready, seed: number, index: number, count: number): RuleSet[] {
  const names = [...new Set(code.contracts.flatMap((contract) => contract?.name ?? []))];
  if (names.length === 0) return [];
  return Array.from({ length: count }, (_, i) => {
    const random = randomFor(mix(seed, i), index);
    const arbitrary = fc.oneof(ruleArbitrary(names), wrongOf(names)).generate(random, undefined).value;
    const first = arbitrary.rules.rules[0]!;
    return ruleSet(`random-${arbitrary.contract.name}`, [first, ...sound.rules]);
  });
}

function fastPathOf(made: Ready, rules: RuleSet): FastPath | undefined {
  try {
    return pathOf(made, rules);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function wrongOf(names: readonly string[]): ReturnType<typeof ruleArbitrary> {
  try {
    return wrongRuleArbitrary(names);
  } catch {
    // Of some functions every stub is right.
    return ruleArbitrary(names);
  }
}

/** Steps of a run that are looked at, before the kill and after. */
const LONGEST = 1500;
/** Insns that our walk of the fast path may take. */
const BUDGET = 100_000;

/** What breaks a check that Linux makes too. */
const SEEN: ReadonlySet<string> = new Set(['leak', 'misuse', 'fault', 'return']);

/** One program under one rule set. */
class Question {
  constructor(
    private readonly made: Ready,
    private readonly rules: RuleSet,
    private readonly path: FastPath,
    private readonly seed: number,
    private readonly index: number,
    private readonly options: CertificatesOptions,
    private readonly tally: Tally,
  ) {}

  async ask(): Promise<void> {
    const { tally } = this;
    const name = this.rules.name.replace(/-bpf_.*/, '');
    const certificate = this.certify();
    const { verdict } = certificate;
    tally.count(`${name}: ${verdict}`);
    tally.count(`form: ${certificate.form?.points ?? 'none'}, ${verdict}`);
    for (const site of certificate.sitesLeftOut) tally.count(`left out: ${site.function}: ${site.reason}`);
    if (verdict === 'inexpressible') {
      tally.count(`inexpressible: ${kindOfComplaint(certificate.message)}`);
      // The sound rules end every loop: their two-mode programs are small.
      if (name === 'sound' && certificate.sitesLeftOut.length === 0)
        this.differ(`stricter: inexpressible: ${kindOfComplaint(certificate.message)}`, certificate);
    }
    const walked = this.walk();
    const broken = this.firstBroken(this.path, {});
    tally.count(
      `${verdict}, ${walked === undefined ? 'walked' : 'not walked'}, ${broken ? 'breaks' : 'holds'}`,
    );
    if (verdict === 'certified' && broken !== undefined) this.explainBroken(certificate, broken);
    else if (verdict === 'certified' && walked !== undefined) this.explainUnwalked(certificate, walked);
    if (walked === undefined && broken !== undefined)
      this.differ(`looser: walked, but a run breaks ${broken.check}`, certificate);
    if (verdict === 'refused' && walked === undefined) await this.explainRefused(certificate);
    if (this.rules.name === 'sound') await this.soundIsProven(certificate);
  }

  private certify(more: CertifyOptions = {}): Certificate {
    const { made, rules, options, index } = this;
    const forms = FORMS[made.profile];
    return certify(made.program, rules, {
      profile: made.profile,
      verified: made.verdict,
      // Every form gets its turn to be the first, since one that is accepted ends the matter.
      forms: index % 2 === 0 ? forms : [...forms].reverse(),
      ...(options.defects === undefined ? {} : { defects: options.defects }),
      ...more,
    });
  }

  /** What the walk of the fast path finds fault with; undefined: nothing. It is the part of the proof that Linux has as well. */
  private walk(): string | undefined {
    const { program, verdict, profile } = this.made;
    const { code, facts, lastId } = verdict;
    const { failures } = walkPatched(program, code, facts, this.path, lastId, {
      profile,
      budget: BUDGET,
      failures: 1,
    });
    return failures[0]?.message;
  }

  /** The first check of Linux's that a killed run breaks. */
  private firstBroken(path: FastPath, defects: NonNullable<VmOptions['defects']>): Violation | undefined {
    const { made, seed, index, options } = this;
    for (let k = 0; k < (options.worlds ?? 3); k++) {
      const world = surroundings(made.program, seed, index, k);
      const run = { ...runOptions(made, path), ...world, defects, maxSteps: LONGEST, bound: LONGEST };
      const { broken } = exercise(made.code, run);
      const found = broken.find(({ violation }) => SEEN.has(violation.check));
      if (found !== undefined) return found.violation;
    }
    return undefined;
  }

  private explainBroken(certificate: Certificate, broken: Violation): void {
    const { sitesLeftOut, notLookedFor } = certificate;
    const kept = new Set(sitesLeftOut.map(({ slot }) => slot));
    const stubs = new Map([...this.path.stubs].filter(([slot]) => !kept.has(slot)));
    if (kept.size > 0 && this.firstBroken({ ...this.path, stubs }, {}) === undefined)
      this.tally.count('explained: the stub that does harm is left out');
    else if (
      notLookedFor.includes('unwritten memory') &&
      this.firstBroken({ ...this.path, stubs }, { forgetsSkipped: true }) === undefined
    )
      this.tally.count('explained: unwritten memory is read, which Linux does not look for');
    else this.differ(`looser: certified, but a run breaks ${broken.check}`, certificate, broken.message);
  }

  /** We may be stricter than Linux; but the walk can be wrong, too. */
  private explainUnwalked(certificate: Certificate, walked: string): void {
    const { sitesLeftOut, notLookedFor } = certificate;
    if (sitesLeftOut.length > 0) this.tally.count('explained: a stub that our walk refuses is left out');
    else if (notLookedFor.includes('unwritten memory') && /left unwritten/.test(walked))
      this.tally.count('explained: unwritten memory is read, which Linux does not look for');
    else this.differ(`stricter: certified, not proven: ${kindOfComplaint(walked)}`, certificate);
  }

  private async explainRefused(certificate: Certificate): Promise<void> {
    // That a killed run comes to an end is no part of the walk, but of the proof.
    if (certificate.message.includes('infinite loop detected') && (await this.proof()) !== 'proven') {
      this.tally.count('refused, not proven: a loop without end');
      return;
    }
    const without = this.certify({ defects: { ...this.options.defects, callbacksLive: true } });
    if (without.verdict === 'certified')
      this.tally.count('explained: a helper goes on calling back after the kill');
    else this.differ(`looser: proven, refused: ${kindOfComplaint(certificate.message)}`, certificate);
  }

  private async proof(): Promise<ProgramProof['verdict']> {
    const { program, verdict, profile } = this.made;
    const options = { verified: verdict, profile, maxRuns: 1 };
    return (await proveProgram(program, this.rules, options)).verdict;
  }

  private async soundIsProven(certificate: Certificate): Promise<void> {
    const proof = await this.proof();
    this.tally.count(`sound: ${proof}`);
    if (proof !== 'proven') this.differ(`stricter: sound rules, ${proof}`, certificate);
  }

  private differ(kind: string, { message, form }: Certificate, more = ''): void {
    const where = `${this.rules.name}, ${this.made.profile}, seed ${this.seed} program ${this.index}`;
    const said = [form?.points, message, more].filter((word) => word !== undefined && word !== '').join('; ');
    this.tally.differ(kind, `${where}: ${said}`);
  }
}
