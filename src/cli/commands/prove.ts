/** `prove FILE...`: the program proof of each program under a rule set. */
import type { NamedRules } from '../../campaign/rules.js';
import { loadRuleSets } from '../../campaign/rules.js';
import { storeWitness } from '../../campaign/storage/corpus.js';
import { PROG_TYPES, type ProgType } from '../../object/program.js';
import { PROOF_EXIT, worst } from '../../report/exit.js';
import { type ProofRow, proofsInWords } from '../../report/proofs.js';
import { skippedLines } from '../../report/verdicts.js';
import { proveProgram } from '../../smt/program-proof.js';
import { printExpectation } from '../../vm/expectation.js';
import { printCase } from '../../vm/print-case.js';
import { type Define, since, withCommon } from '../command.js';
import { type LoadedProgram, type LoadOptions, loadPrograms } from '../files.js';
import {
  type JudgedProfile,
  judgedProfile,
  type ProfileChoice,
  profileChoice,
  profileHelp,
} from '../kernel-profile.js';
import { integer, oneOf } from '../options.js';
import type { Outcome } from '../outcome.js';
import { filesBelow } from '../paths.js';

interface Options extends LoadOptions {
  readonly rules: string;
  readonly profile?: ProfileChoice;
  readonly rlimit?: number;
  readonly out?: string;
}

export const prove: Define = (program, act) => {
  withCommon(program.command('prove'))
    .description('prove that programs can be killed anywhere')
    .argument('FILE...', 'objects, cases, raw insns, or folders of them')
    .option('--rules <RULES>', 'rule set, by name or file', 'sound')
    .option('--prog <NAME>', 'only the program of this name')
    .option('--profile <PROFILE>', profileHelp('built-in'), profileChoice)
    .option('--rlimit <N>', "bound of one question to Z3, in Z3's units", integer(1))
    .option('--out <DIR>', 'write witnesses there, as cases')
    .option('--type <TYPE>', 'type of programs in raw insns', oneOf<ProgType>(PROG_TYPES))
    .option('--btf <FILE>', 'BTF of the kernel that CO-RE relocations are for')
    .action((files: string[], options: Options) => act(options, () => proveFiles(files, options)));
};

async function proveFiles(paths: readonly string[], options: Options): Promise<Outcome> {
  const [rules] = await loadRuleSets([options.rules]);
  const { programs, skipped } = loadPrograms(filesBelow(paths, ['.o', '.bpf', '.bin']), options);
  const judged = judgedProfile(options.profile ?? {}, 'built-in');
  const rows: ProofRow[] = [];
  for (const one of programs) rows.push(await proveOne(one, rules!, judged, options));
  const exit = worst(rows.map(({ verdict }) => PROOF_EXIT[verdict]));
  return {
    exit,
    json: { rules: options.rules, profile: judged.json, programs: rows, skipped },
    text: proofsInWords(rows) + skippedLines(skipped),
  };
}

async function proveOne(
  { file, program, case: one }: LoadedProgram,
  rules: NamedRules,
  { loader, kernel }: JudgedProfile,
  options: Options,
): Promise<ProofRow> {
  const start = performance.now();
  const proof = await proveProgram(program, rules.rules, {
    profile: loader ?? one?.profile ?? 'privileged',
    kernel,
    ...(options.rlimit === undefined ? {} : { rlimit: options.rlimit }),
  });
  const { points, verdict, reason, bound, bounds, sites, queries, walked, witness } = proof;
  const row: ProofRow = {
    file,
    name: program.name,
    insns: program.insns.length,
    points,
    verdict,
    reason,
    bound: bound ?? null,
    bounds,
    sites,
    queries,
    walked,
    ms: since(start),
  };
  if (witness === undefined) return row;
  const text = printCase({ ...witness, rules: rules.name });
  const { expect, kill } = witness;
  const shown = {
    expect: expect === undefined ? 'holds' : printExpectation(expect),
    kill: kill ?? 0,
    case: text,
  };
  if (options.out === undefined) return { ...row, witness: shown };
  const path = storeWitness(options.out, file, program.name, rules.rules.name, text);
  return { ...row, witness: { ...shown, file: path } };
}
