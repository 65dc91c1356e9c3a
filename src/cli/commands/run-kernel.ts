/** `run-kernel FILE`: test runs of a program in the kernel, each killed, and what that shows. */
import { loadRuleSets } from '../../campaign/naming/rules.js';
import { InputError } from '../../isa/errors.js';
import { didYouMean } from '../../isa/nearest.js';
import { DISTANCE, promisedBy } from '../../live/export.js';
import { type PollingCost, pollingCost } from '../../live/run/polling-cost.js';
import { runSession } from '../../live/run/session.js';
import { wordOf, wordsOf } from '../../live/run/stamps.js';
import { readObject } from '../../object/load.js';
import type { Program } from '../../object/program.js';
import { kernelAvailable } from '../../oracle/available.js';
import type { TestInput } from '../../oracle/testrun.js';
import type { PromisedRun, RunKernelDocument } from '../../report/documents.js';
import { killsExit } from '../../report/exit.js';
import { runKernelInWords } from '../../report/programs/exports.js';
import { proveProgram } from '../../smt/program-proof.js';
import { type Define, withCommon } from '../command.js';
import { kindOf, readBytes } from '../input/files.js';
import { hexBytes, integer, powerOfTwo, shortTime } from '../input/options.js';
import { onInterrupt } from '../output/interrupt.js';
import type { Common, Outcome } from '../output/outcome.js';
import { countBar } from '../output/progress.js';
import { type ExportCliOptions, exported } from './export.js';

interface Options extends ExportCliOptions {
  readonly prog?: string;
  readonly original?: string;
  readonly repeat: number;
  readonly killAfter?: number;
  readonly within: number;
  readonly seed: number;
  readonly packet?: Uint8Array;
  readonly ctx?: Uint8Array;
}

/** Insns of a run above which the original is not run to its end. */
const MOST_INSNS = 500_000_000;

/** Adds `run-kernel` to the command line. Nothing is attached, nothing is pinned. */
export const runKernel: Define = (program, act) => {
  withCommon(program.command('run-kernel'))
    .description('run a program in the kernel, kill it, and measure how soon it is gone')
    .argument('FILE', 'an object; one that was not exported is exported first')
    .option('--prog <NAME>', 'the program to run, where the object has several')
    .option('--original <FILE>', 'the object that FILE was exported from, to compare with')
    .option('--repeat <RUNS>', 'number of runs', integer(1, 1_000_000), 20)
    .option('--kill-after <TIME>', 'kill each run this long after it began, such as 500us', shortTime)
    .option('--within <TIME>', 'kill at random within this time', shortTime, 10_000_000)
    .option('--seed <SEED>', 'seed of the random times', integer(0), 0)
    .option('--packet <HEX>', 'the packet of each run, at least 14 bytes', hexBytes)
    .option('--ctx <HEX>', 'the context of each run', hexBytes)
    .option('--rules <RULES>', 'rule set of the text after a kill, by name or file', 'sound')
    .option('--poll <INSNS>', 'most insns between polls', integer(1, 1_000_000), DISTANCE)
    .option('--entry', 'poll before the first insn, too')
    .option('--per-cpu', 'words for each CPU')
    .option('--deadline <ROUNDS>', 'with a limit for each run', powerOfTwo(1, 1 << 20))
    .option('--running', 'with notes of when each run begins and ends')
    .action((file: string, options: Options) => act(options, (common) => runFile(file, options, common)));
};

async function runFile(file: string, options: Options, common: Common): Promise<Outcome> {
  if (kindOf(file) !== '.o') throw new InputError('expected an object (.o)', { file });
  const kernel = kernelAvailable();
  if (!kernel.ok) throw new InputError(kernel.reason);
  const given = readObject(readBytes(file), file).programs;
  const isExported = given.some((one) => wordsOf(one) !== undefined);
  const original = isExported
    ? options.original === undefined
      ? undefined
      : named(
          readObject(readBytes(options.original), options.original).programs,
          options.prog,
          options.original,
        )
    : named(given, options.prog, file);
  const program = isExported
    ? named(given, options.prog ?? original?.name, file)
    : named(await exportedPrograms(file, options, original!.name), original!.name, file);
  const word = wordOf(program);
  if (word === undefined)
    throw new InputError(
      `program '${program.name}' does not poll: it ends within ${options.poll} insns (--poll, --entry)`,
      { file },
    );
  const { packet, ctx } = options;
  const input: TestInput = { ...(packet && { data: packet }), ...(ctx && { ctx }) };
  const bar = countBar(common, 'run-kernel', options.repeat);
  let stopped = false;
  const giveBack = onInterrupt(() => {
    stopped = true;
  });
  try {
    const session = await runSession(program, word, {
      runs: options.repeat,
      within: options.within,
      seed: options.seed,
      input,
      progress: (done, killed) => bar.show(done, `${killed} killed`),
      ended: () => stopped,
      ...(options.killAfter === undefined ? {} : { after: options.killAfter }),
    });
    const promised = original === undefined ? undefined : await promise(original, options);
    const cost = compare(original, program, input, promised?.insns);
    const document: RunKernelDocument = {
      file,
      program: program.name,
      kernel: kernel.release,
      seed: options.seed,
      ...session,
      ...cost,
      promised: promised?.promised ?? null,
    };
    return { exit: killsExit(session), json: document, text: runKernelInWords(document) };
  } finally {
    giveBack();
    bar.close();
  }
}

async function exportedPrograms(file: string, options: Options, name: string): Promise<readonly Program[]> {
  const made = await exported(file, options, true);
  const row = made.programs.find((one) => one.name === name)!;
  if (row.verdict !== 'exported')
    throw new InputError(`program '${name}' cannot be exported: ${row.message}`, { file });
  return readObject(made.bytes!, file).programs;
}

function named(programs: readonly Program[], name: string | undefined, file: string): Program {
  const names = programs.map((one) => one.name);
  const found = name === undefined ? undefined : programs.find((one) => one.name === name);
  if (found !== undefined) return found;
  if (name === undefined && programs.length === 1) return programs[0]!;
  if (name === undefined) throw new InputError(`choose a program with --prog: ${names.join(', ')}`, { file });
  throw new InputError(
    `no program is called '${name}'; there are ${names.join(', ')}${didYouMean(name, names)}`,
    {
      file,
    },
  );
}

/** What `prove` promises, and how many insns the original may run. */
async function promise(
  original: Program,
  options: Options,
): Promise<{ readonly promised: PromisedRun; readonly insns: number }> {
  const [rules] = await loadRuleSets([options.rules]);
  const proof = await proveProgram(original, rules!.rules);
  const { longest, insns } = promisedBy(original, rules!.rules, options.poll, options.entry);
  const { verdict, boundKind, bound, kept } = proof;
  return { promised: { verdict, boundKind, bound: bound ?? null, longest, kept }, insns };
}

function compare(
  original: Program | undefined,
  program: Program,
  input: TestInput,
  insns = Number.POSITIVE_INFINITY,
): { readonly polling: PollingCost | null; readonly pollingReason: string } {
  if (original === undefined)
    return { polling: null, pollingReason: 'the original was not given (--original)' };
  if (insns > MOST_INSNS) return { polling: null, pollingReason: `the original may run for ${insns} insns` };
  const polling = pollingCost(original, program, input);
  return polling === undefined
    ? { polling: null, pollingReason: 'Linux does not run the original and the exported program' }
    : { polling, pollingReason: '' };
}
