/** Proves programs under a rule set, one after the other. */
import { givenFunctions, loadRuleSets, type NamedRules } from '../../campaign/naming/rules.js';
import { storeWitness } from '../../campaign/storage/corpus.js';
import { type TimeToDie, timeToDie, weighTime } from '../../cost/time-to-die.js';
import { InputError } from '../../isa/errors.js';
import type { Program } from '../../object/program.js';
import { explainedProof } from '../../report/programs/explained-proof.js';
import { refusalFields } from '../../report/programs/explanations.js';
import { replacedOf } from '../../report/programs/extensions.js';
import { hotInWords, hotLines } from '../../report/programs/hot-lines.js';
import { errorRow, type ProofRow } from '../../report/programs/proofs.js';
import { tailCallRows } from '../../report/programs/tail-calls.js';
import { finite } from '../../report/text/time.js';
import { proveProgram } from '../../smt/program-proof.js';
import type { ProgramProof } from '../../smt/proof.js';
import { Places } from '../../verifier/explain/place.js';
import { type Code, prepare } from '../../verifier/text/code.js';
import { printExpectation } from '../../vm/case/expectation.js';
import { printCase } from '../../vm/case/print.js';
import { since } from '../command.js';
import { costsNamed } from '../input/costs-file.js';
import type { LoadedProgram } from '../input/files.js';
import type { JudgeOptions } from '../input/judging.js';
import { type JudgedProfile, judgedFor, judgedProfile } from '../input/kernel-profile.js';
import type { Judge, Judged, JudgeSetting, Opened } from './judge.js';
import { ProgramFiles } from './program-files.js';

/** What `prove` may be told of the work on each program. */
export interface ProveOptions extends JudgeOptions {
  readonly rules: string;
  readonly rlimit?: number;
  readonly runs?: number;
  readonly budget?: number;
  readonly effort?: number;
  readonly fill?: number;
  readonly out?: string;
  readonly cost?: true;
  readonly costs?: string;
  readonly explain?: true;
  readonly bounds?: true;
  readonly hot?: true;
}

/** Makes the rows of `prove`. */
export class Prover implements Judge<ProofRow> {
  readonly profile: JudgedProfile['json'];

  private constructor(
    private readonly files: ProgramFiles,
    private readonly rules: NamedRules,
    private readonly judged: JudgedProfile,
    private readonly options: ProveOptions,
  ) {
    this.profile = judged.json;
  }

  /** Throws InputError for rules and files that cannot be used. */
  static async open({ files, options: given, again }: JudgeSetting): Promise<Prover> {
    const options = given as ProveOptions;
    const [rules] = await loadRuleSets([options.rules], [], again === true);
    const declared = await givenFunctions(options.functions, rules);
    const judged = judgedProfile(options.profile ?? {}, 'built-in');
    return new Prover(new ProgramFiles(files, { ...options, declared }), rules!, judged, options);
  }

  open(file: number): Opened {
    return this.files.open(file);
  }

  async judge(file: number, program: number): Promise<Judged<ProofRow>> {
    const one = this.files.program(file, program);
    try {
      return await this.prove(one);
    } catch (error) {
      // What a person has to mend ends the work. A bug of ours costs this program its verdict, and no other.
      if (error instanceof InputError || (error instanceof Error && 'syscall' in error)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      const { name, insns } = one.program;
      return { row: errorRow({ file: one.file, name, insns: insns.length, message }), below: '' };
    }
  }

  close(): void {}

  private async prove(one: LoadedProgram): Promise<Judged<ProofRow>> {
    const { rules, options } = this;
    const { file, program } = one;
    const start = performance.now();
    const { madeFor, ...target } = judgedFor(this.judged, one.case);
    const cost =
      options.cost === undefined && options.costs === undefined
        ? undefined
        : { costs: costsNamed(options.costs) };
    const proof = await proveProgram(program, rules.rules, {
      ...target,
      explain: true,
      hot: options.hot === true,
      ...(cost === undefined ? {} : { weigh: weighTime(cost) }),
      ...(options.rlimit === undefined ? {} : { rlimit: options.rlimit }),
      ...(options.runs === undefined ? {} : { maxRuns: options.runs }),
      ...(options.fill === undefined ? {} : { fill: options.fill }),
      ...(options.budget === undefined ? {} : { budget: options.budget }),
      ...(options.effort === undefined ? {} : { effort: options.effort }),
    });
    const {
      verdict,
      bound,
      boundKind,
      refusal,
      witness,
      witnessPath,
      weighed: _,
      hot,
      tailCalls,
      callbacks,
      ...rest
    } = proof;
    const calls = tailCallRows(program, tailCalls, this.files.inObject());
    const code = prepareFor(program);
    const places = code && new Places(program, code);
    const lines = places === undefined || hot === undefined ? undefined : hotLines(places, hot);
    const below =
      (places !== undefined && options.explain === true
        ? explainedProof({ file, name: program.name, proof, places, tailCalls: calls, slots: slotsOf(code) })
        : '') + (lines === undefined ? '' : hotInWords(`${file}:${program.name}`, lines));
    const time = cost && timeToDie(proof, cost);
    const row: ProofRow = {
      ...rest,
      ...(madeFor === undefined ? {} : { madeFor }),
      ...replacedOf(program),
      ...(refusal !== undefined && refusalFields(refusal)),
      file,
      name: program.name,
      insns: program.insns.length,
      verdict,
      bound: bound ?? null,
      ...placesOf(places, proof, options.bounds === true),
      ...(lines === undefined ? {} : { hot: lines }),
      boundKind: rest.bounds.size > 0 ? boundKind : null,
      ...(calls.length === 0 ? {} : { tailCalls: calls }),
      ...(callbacks.length === 0 ? {} : { callbacks }),
      ...(time === undefined ? {} : { timeToDie: bounded(time) }),
      ms: since(start),
    };
    if (witness === undefined) return { row, below };
    const text = printCase({ ...witness, rules: rules.name });
    const { expect, kill } = witness;
    const shown = {
      expect: expect === undefined ? 'holds' : printExpectation(expect),
      kill: kill ?? 0,
      case: text,
      ...(witnessPath !== undefined && { path: witnessPath }),
    };
    if (options.out === undefined) return { row: { ...row, witness: shown }, below };
    const path = storeWitness(options.out, file, program.name, rules.rules.name, text);
    return { row: { ...row, witness: { ...shown, file: path } }, below };
  }
}

/** The program as it is told; undefined for one whose insns cannot be read. */
function prepareFor(program: Program): Code | undefined {
  try {
    return prepare(program);
  } catch {
    return undefined;
  }
}

const slotsOf = (code: Code | undefined): readonly number[] =>
  code?.ops.flatMap((op, slot) => (op === undefined ? [] : [slot])) ?? [];

/** Where the worst place to be killed at is; with `all`, where each insn that has a bound is. */
function placesOf(
  places: Places | undefined,
  { worstPath, bounds }: ProgramProof,
  all: boolean,
): Pick<ProofRow, 'worst' | 'places'> {
  const [first] = worstPath;
  if (first === undefined || places === undefined) return { worst: null };
  const worst = places.at(first);
  if (!all) return { worst };
  const told = [...bounds.keys()].map((slot) => {
    const { slot: _, insn: __, ...place } = places.at(slot);
    return [slot, place] as const;
  });
  return { worst, places: new Map(told) };
}

/** The same with null where nothing bounds the time. */
function bounded({ kill, run, bySlot }: TimeToDie): NonNullable<ProofRow['timeToDie']> {
  return {
    kill: finite(kill),
    run: finite(run),
    bySlot: new Map([...bySlot].map(([slot, ns]) => [slot, finite(ns)])),
  };
}
