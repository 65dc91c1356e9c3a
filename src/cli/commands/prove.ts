/** `prove FILE...`: the program proof of each program under a rule set. */
import type { NamedRules } from '../../campaign/rules.js';
import { loadRuleSets } from '../../campaign/rules.js';
import { storeWitness } from '../../campaign/storage/corpus.js';
import { PROG_TYPES, type ProgType } from '../../object/program.js';
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
import { proveProgram } from '../../smt/program-proof.js';
import { printExpectation } from '../../vm/expectation.js';
import { MOST_ENTRIES } from '../../vm/fill.js';
import { printCase } from '../../vm/print-case.js';
import { type Define, since, withCommon } from '../command.js';
import { type LoadedProgram, type LoadOptions, leftOut, loadPrograms } from '../files.js';
import {
  type JudgedProfile,
  judgedFor,
  judgedProfile,
  type ProfileChoice,
  profileChoice,
  profileHelp,
} from '../kernel-profile.js';
import { integer, oneOf } from '../options.js';
import type { Common, Outcome } from '../outcome.js';
import { filesBelow } from '../paths.js';

interface Options extends LoadOptions {
  readonly rules: string;
  readonly profile?: ProfileChoice;
  readonly rlimit?: number;
  readonly runs?: number;
  readonly budget?: number;
  readonly fill?: number;
  readonly out?: string;
  readonly explain?: true;
}

/** Adds `prove` to the command line. It exits with 1 if a program is refuted, and with 3 if one is unknown and none is refuted. */
export const prove: Define = (program, act) => {
  withCommon(program.command('prove'))
    .description('prove that programs can be killed anywhere')
    .argument('FILE...', 'objects, cases, raw insns, or folders of them')
    .option('--rules <RULES>', 'rule set, by name or file', 'sound')
    .option('--prog <NAME>', 'only the program of this name')
    .option('--profile <PROFILE>', profileHelp('built-in'), profileChoice)
    .option('--rlimit <N>', "bound of one question to Z3, in Z3's units", integer(1))
    .option('--runs <N>', 'runs that the search for a counterexample may make (300)', integer(1))
    .option('--budget <N>', 'insns to walk after a kill at the most (1000000)', integer(1))
    .option(
      '--fill <N>',
      'entries of hash maps and tries where the search wants them full (2)',
      integer(0, MOST_ENTRIES),
    )
    .option('--explain', 'tell the whole way to each refusal, and of each run that refutes a program')
    .option('--out <DIR>', 'write witnesses there, as cases')
    .option('--type <TYPE>', 'type of programs in raw insns', oneOf<ProgType>(PROG_TYPES))
    .option('--btf <FILE>', 'BTF of the kernel that CO-RE relocations are for')
    .action((files: string[], options: Options) =>
      act(options, (common) => proveFiles(files, options, common)),
    );
};

async function proveFiles(paths: readonly string[], options: Options, { show }: Common): Promise<Outcome> {
  const [rules] = await loadRuleSets([options.rules]);
  const loaded = loadPrograms(filesBelow(paths, ['.o', '.bpf', '.bin']), options);
  const { programs, skipped } = loaded;
  const unjudged = leftOut(loaded, options);
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
  for (const one of programs) await add(await proveOne(one, rules!, judged, options));
  for (const one of unjudged) await add(leftOutRow(one));
  return {
    exit: worst(rows.map(({ verdict }) => PROOF_EXIT[verdict])),
    json: { rules: options.rules, profile: judged.json, programs: rows, skipped },
    text: '',
  };
}

async function proveOne(
  { file, program, case: one }: LoadedProgram,
  rules: NamedRules,
  judged: JudgedProfile,
  options: Options,
): Promise<ProofRow> {
  const start = performance.now();
  const { madeFor, ...target } = judgedFor(judged, one);
  const proof = await proveProgram(program, rules.rules, {
    ...target,
    explain: true,
    ...(options.rlimit === undefined ? {} : { rlimit: options.rlimit }),
    ...(options.runs === undefined ? {} : { maxRuns: options.runs }),
    ...(options.fill === undefined ? {} : { fill: options.fill }),
    ...(options.budget === undefined ? {} : { budget: options.budget }),
  });
  const { verdict, bound, boundKind, refusal, witness, witnessPath, ...rest } = proof;
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
