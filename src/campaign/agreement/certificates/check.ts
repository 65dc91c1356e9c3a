/** One program under one rule set: what Linux's certificate, our walk and proof, and killed runs say of it, side by side. */

import { type Certificate, type CertifyOptions, certify, FORMS } from '../../../oracle/certify.js';
import type { FastPath, RuleSet } from '../../../patch/rule.js';
import { walkPatched } from '../../../smt/patched.js';
import { proveProgram } from '../../../smt/program-proof.js';
import type { ProgramProof } from '../../../smt/proof.js';
import type { Violation } from '../../../vm/state/trap.js';
import type { VmOptions } from '../../../vm/vm.js';
import { runEnvironment } from '../../kill/environments.js';
import { killBeforeEveryInsn } from '../../kill/kill-everywhere.js';
import { type PreparedProgram, runOptions } from '../../kill/prepared-program.js';
import type { Tally } from '../comparison.js';
import { kindOfComplaint } from '../verdicts.js';

/** Which of the witnesses are held against a certificate, and in how many worlds. */
export interface CertificateCheckOptions {
  /** Certified programs are not checked further; only programs without a certificate are examined. */
  readonly alone?: true;
  /** Worlds that each program is killed in, 3 unless told. */
  readonly worlds?: number;
}

/** Program `index` of the stream of `seed`, or one that stands for it. */
export interface ProgramNumber {
  readonly seed: number;
  readonly index: number;
}

/** Asks all of them, and records what does not fit. `path` is the fast path of `prepared` under `rules`. */
export function checkCertificate(
  prepared: PreparedProgram,
  rules: RuleSet,
  path: FastPath,
  where: ProgramNumber,
  options: CertificateCheckOptions,
  tally: Tally,
): Promise<void> {
  return new CertificateCheck(prepared, rules, path, where.seed, where.index, options, tally).run();
}

/** Steps of a run that are looked at, before the kill and after. */
const LONGEST_RUN = 1500;
/** Insns that our walk of the fast path may take. */
const BUDGET = 100_000;

/** The checks that Linux makes too. */
const LINUX_CHECKS: ReadonlySet<string> = new Set(['leak', 'misuse', 'fault', 'return']);

/** One program under one rule set. */
class CertificateCheck {
  constructor(
    private readonly prepared: PreparedProgram,
    private readonly rules: RuleSet,
    private readonly path: FastPath,
    private readonly seed: number,
    private readonly index: number,
    private readonly options: CertificateCheckOptions,
    private readonly tally: Tally,
  ) {}

  async run(): Promise<void> {
    const { tally } = this;
    const name = this.rules.name.replace(/-bpf_.*/, '');
    const certificate = this.certify();
    const { verdict } = certificate;
    tally.count(`${name}: ${verdict}`);
    tally.count(`form: ${certificate.form?.points ?? 'none'}, ${verdict}`);
    for (const site of certificate.sitesLeftOut) tally.count(`left out: ${site.function}: ${site.reason}`);
    if (verdict === 'inexpressible') {
      tally.count(`inexpressible: ${kindOfComplaint(certificate.message)}`);
      // The sound rules end every loop, so Linux walks few insns of their two-mode programs. That is not so where Linux walks speculative
      // paths too.
      const strict = this.prepared.profile === 'strict';
      if (name === 'sound' && certificate.sitesLeftOut.length === 0 && !strict)
        this.differ(`stricter: inexpressible: ${kindOfComplaint(certificate.message)}`, certificate);
    }
    if (verdict === 'certified' && this.options.alone) return;
    const walked = this.walkFastPath();
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
    const { prepared, rules, index } = this;
    const forms = FORMS[prepared.profile];
    return certify(prepared.program, rules, {
      profile: prepared.profile,
      verified: prepared.verdict,
      // Each form comes first for some programs, because the forms after an accepted one are not tried.
      forms: index % 2 === 0 ? forms : [...forms].reverse(),
      ...more,
    });
  }

  /**
   * The first fault that the walk of the fast path finds; undefined if there is none. Of our proof, this is the part that Linux does too.
   */
  private walkFastPath(): string | undefined {
    const { program, verdict, profile } = this.prepared;
    const { code, facts, lastId } = verdict;
    const { failures } = walkPatched(program, code, facts, this.path, lastId, {
      profile,
      kernel: verdict.kernel,
      budget: BUDGET,
      failures: 1,
    });
    return failures[0]?.message;
  }

  /** The first check that a killed run breaks, among those that Linux makes. */
  private firstBroken(path: FastPath, more: Pick<VmOptions, 'readsUnwritten'> = {}): Violation | undefined {
    const { prepared, seed, index, options } = this;
    for (let k = 0; k < (options.worlds ?? 3); k++) {
      const world = runEnvironment(prepared.program, seed, index, k);
      const run = {
        ...runOptions(prepared, path),
        ...world,
        ...more,
        maxSteps: LONGEST_RUN,
        bound: LONGEST_RUN,
      };
      const { broken } = killBeforeEveryInsn(prepared.code, run);
      const found = broken.find(({ violation }) => LINUX_CHECKS.has(violation.check));
      if (found !== undefined) return found.violation;
    }
    return undefined;
  }

  private explainBroken(certificate: Certificate, broken: Violation): void {
    const { sitesLeftOut, notLookedFor } = certificate;
    const kept = new Set(sitesLeftOut.map(({ slot }) => slot));
    const stubs = new Map([...this.path.stubs].filter(([slot]) => !kept.has(slot)));
    if (kept.size > 0 && this.firstBroken({ ...this.path, stubs }) === undefined)
      this.tally.count('explained: the stub that does harm is left out');
    else if (
      notLookedFor.includes('unwritten memory') &&
      this.firstBroken({ ...this.path, stubs }, { readsUnwritten: true }) === undefined
    )
      this.tally.count('explained: unwritten memory is read, which Linux does not look for');
    else this.differ(`looser: certified, but a run breaks ${broken.check}`, certificate, broken.message);
  }

  /** We may be stricter than Linux, but our walk may also be wrong. */
  private explainUnwalked(certificate: Certificate, walked: string): void {
    const { sitesLeftOut, notLookedFor } = certificate;
    if (sitesLeftOut.length > 0) this.tally.count('explained: a stub that our walk refuses is left out');
    else if (notLookedFor.includes('unwritten memory') && /left unwritten/.test(walked))
      this.tally.count('explained: unwritten memory is read, which Linux does not look for');
    else this.differ(`stricter: certified, not proven: ${kindOfComplaint(walked)}`, certificate);
  }

  private async explainRefused(certificate: Certificate): Promise<void> {
    // The proof also says that a killed run ends. The walk does not.
    if (certificate.message.includes('infinite loop detected') && (await this.proof()) !== 'proven') {
      this.tally.count('refused, not proven: a loop without end');
      return;
    }
    const without = this.certify({ killsInCallbacks: false });
    if (without.verdict === 'certified')
      this.tally.count('explained: a helper goes on calling back after the kill');
    else this.differ(`looser: proven, refused: ${kindOfComplaint(certificate.message)}`, certificate);
  }

  private async proof(): Promise<ProgramProof['verdict']> {
    const { program, verdict, profile } = this.prepared;
    const options = { verified: verdict, profile, maxRuns: 1 };
    return (await proveProgram(program, this.rules, options)).verdict;
  }

  private async soundIsProven(certificate: Certificate): Promise<void> {
    const proof = await this.proof();
    this.tally.count(`sound: ${proof}`);
    if (proof !== 'proven') this.differ(`stricter: sound rules, ${proof}`, certificate);
  }

  private differ(kind: string, { message, form }: Certificate, more = ''): void {
    const where = `${this.rules.name}, ${this.prepared.profile}, seed ${this.seed} program ${this.index}`;
    const said = [form?.points, message, more].filter((word) => word !== undefined && word !== '').join('; ');
    this.tally.differ(kind, `${where}: ${said}`);
  }
}
