/** `prove FILE...`: the program proof of each program under a rule set. */

import type { NamedRules } from '../../campaign/rules.js';
import { storeWitness } from '../../campaign/storage/corpus.js';
import { type TimeToDie, timeToDie, weighTime } from '../../cost/time-to-die.js';
import type { ProveDocument } from '../../report/documents.js';
import { PROOF_EXIT, worst } from '../../report/exit.js';
import { refusalFields } from '../../report/explanations.js';
import {
  belowProofLine,
  leftOutRow,
  type ProofRow,
  proofLine,
  proofsHead,
  proofsWidth,
} from '../../report/proofs.js';
import { finite } from '../../report/time.js';
import { proveProgram } from '../../smt/program-proof.js';
import { printExpectation } from '../../vm/expectation.js';
import { MOST_ENTRIES } from '../../vm/fill.js';
import { printCase } from '../../vm/print-case.js';
import { type Define, since, withFormats } from '../command.js';
import { COSTS_HELP, costsNamed } from '../costs-file.js';
import type { LoadedProgram } from '../files.js';
import { brokenExit, type JudgeOptions, loadJudged, withJudged } from '../judging.js';
import { type JudgedProfile, judgedFor, judgedProfile } from '../kernel-profile.js';
import { integer } from '../options.js';
import type { Common, Outcome } from '../outcome.js';

interface Options extends JudgeOptions {
  readonly rules: string;
  readonly rlimit?: number;
  readonly runs?: number;
  readonly budget?: number;
  readonly fill?: number;
  readonly out?: string;
  readonly cost?: true;
  readonly costs?: string;
  readonly explain?: true;
}

/** Adds `prove` to the command line. It exits with 1 if a program is refuted, and with 3 if one is unknown and none is refuted. */
export const prove: Define = (program, act) => {
  const command = withFormats(program.command('prove'))
    .description('prove that programs can be killed anywhere')
    .option('--rules <RULES>', 'rule set, by name or file', 'sound')
    .option('--rlimit <N>', "bound of one question to Z3, in Z3's units", integer(1))
    .option('--runs <N>', 'runs that the search for a counterexample may make (300)', integer(1))
    .option('--budget <N>', 'insns to walk after a kill at the most (1000000)', integer(1))
    .option(
      '--fill <N>',
      'entries of hash maps and tries where the search wants them full (2)',
      integer(0, MOST_ENTRIES),
    )
    .option('--cost', 'also tell the time to die, in nanoseconds')
    .option('--costs <FILE>', COSTS_HELP)
    .option('--explain', 'tell the whole way to each refusal, and of each run that refutes a program')
    .option('--out <DIR>', 'write witnesses there, as cases');
  withJudged(command, 'built-in').action((files: string[], options: Options) =>
    act(options, (common) => proveFiles(files, options, common)),
  );
};

async function proveFiles(paths: readonly string[], options: Options, { show }: Common): Promise<Outcome> {
  const { rules, programs, skipped, unjudged, broken } = await loadJudged(paths, options);
  const judged = judgedProfile(options.profile ?? {}, 'built-in');
  const width = proofsWidth([
    ...programs.map(({ file, program }) => ({ file, name: program.name })),
    ...unjudged,
  ]);
  const rows: ProofRow[] = [];
  const add = (row: ProofRow): Promise<void> => {
    rows.push(row);
    const head = rows.length === 1 ? proofsHead(width) : '';
    return show(head + proofLine(row, width) + belowProofLine(row, options.explain === true));
  };
  for (const one of programs) await add(await proveOne(one, rules, judged, options));
  for (const one of unjudged) await add(leftOutRow(one));
  return {
    exit: worst([...rows.map(({ verdict }) => PROOF_EXIT[verdict]), brokenExit(broken)]),
    json: { rules: options.rules, profile: judged.json, programs: rows, skipped } satisfies ProveDocument,
    text: '',
  };
}

async function proveOne(
  one: LoadedProgram,
  rules: NamedRules,
  judged: JudgedProfile,
  options: Options,
): Promise<ProofRow> {
  const { file, program } = one;
  const start = performance.now();
  const { madeFor, ...target } = judgedFor(judged, one.case);
  const cost =
    options.cost === undefined && options.costs === undefined
      ? undefined
      : { costs: costsNamed(options.costs) };
  const proof = await proveProgram(program, rules.rules, {
    ...target,
    explain: true,
    ...(cost === undefined ? {} : { weigh: weighTime(cost) }),
    ...(options.rlimit === undefined ? {} : { rlimit: options.rlimit }),
    ...(options.runs === undefined ? {} : { maxRuns: options.runs }),
    ...(options.fill === undefined ? {} : { fill: options.fill }),
    ...(options.budget === undefined ? {} : { budget: options.budget }),
  });
  const { verdict, bound, boundKind, refusal, witness, witnessPath, weighed: _, ...rest } = proof;
  const time = cost && timeToDie(proof, cost);
  const row: ProofRow = {
    ...rest,
    ...(madeFor === undefined ? {} : { madeFor }),
    ...(refusal !== undefined && refusalFields(refusal)),
    file,
    name: program.name,
    insns: program.insns.length,
    verdict,
    bound: bound ?? null,
    boundKind: rest.bounds.size > 0 ? boundKind : null,
    ...(time === undefined ? {} : { timeToDie: bounded(time) }),
    ms: since(start),
  };
  if (witness === undefined) return row;
  const text = printCase({ ...witness, rules: rules.name });
  const { expect, kill } = witness;
  const shown = {
    expect: expect === undefined ? 'holds' : printExpectation(expect),
    kill: kill ?? 0,
    case: text,
    ...(witnessPath !== undefined && { path: witnessPath }),
  };
  if (options.out === undefined) return { ...row, witness: shown };
  const path = storeWitness(options.out, file, program.name, rules.rules.name, text);
  return { ...row, witness: { ...shown, file: path } };
}

/** The same with null where nothing bounds the time. */
function bounded({ kill, run, bySlot }: TimeToDie): NonNullable<ProofRow['timeToDie']> {
  return {
    kill: finite(kill),
    run: finite(run),
    bySlot: new Map([...bySlot].map(([slot, ns]) => [slot, finite(ns)])),
  };
}
