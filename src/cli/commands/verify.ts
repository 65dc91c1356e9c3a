/** `verify FILE...`: our verifier's verdict, and beside it the kernel's. */
import { PROG_TYPES, type Program, type ProgType } from '../../object/program.js';
import { type Judgement, KernelJudge } from '../../oracle/bulk.js';
import type { Profile, Verdict } from '../../verifier/result.js';
import { verify as verifyProgram } from '../../verifier/verify.js';
import { type Define, since, withCommon } from '../command.js';
import { type LoadOptions, loadPrograms } from '../files.js';
import { oneOf } from '../options.js';
import { type ExitCode, type Outcome, worst } from '../outcome.js';
import { filesBelow } from '../paths.js';
import { table } from '../table.js';

interface Options extends LoadOptions {
  readonly kernel?: true;
  readonly profile?: Profile;
}

export const verify: Define = (program, act) => {
  withCommon(program.command('verify'))
    .description("verify programs with our verifier, and with the kernel's")
    .argument('FILE...', 'objects, cases, raw insns, or folders of them')
    .option('--kernel', 'ask the kernel as well')
    .option('--profile <PROFILE>', 'privileged or strict', oneOf<Profile>(['privileged', 'strict']))
    .option('--prog <NAME>', 'only the program of this name')
    .option('--type <TYPE>', 'type of programs in raw insns', oneOf<ProgType>(PROG_TYPES))
    .option('--btf <FILE>', 'BTF of the kernel that CO-RE relocations are for')
    .action((files: string[], options: Options) => act(options, () => verifyFiles(files, options)));
};

/** The words for a verdict; only the first two speak of the program. */
type Word = 'accepted' | 'rejected' | 'unsupported' | 'budget';

function verifyFiles(paths: readonly string[], options: Options): Outcome {
  const { programs, skipped } = loadPrograms(filesBelow(paths, ['.o', '.bpf', '.bin']), options);
  const profile = options.profile;
  const judge = options.kernel ? new KernelJudge({ strictCaps: profile === 'strict' }) : undefined;
  try {
    const rows = programs.map(({ file, program, case: one }) => {
      const start = performance.now();
      const verdict = verifyProgram(program, {
        facts: false,
        profile: profile ?? one?.profile ?? 'privileged',
      });
      const ours = { ...describe(verdict), ms: since(start) };
      const kernel = judge && ask(judge, program);
      return {
        file,
        name: program.name,
        ...ours,
        insns: program.insns.length,
        ...(kernel ? { kernel } : {}),
      };
    });
    const text = table(
      ['program', 'verdict', 'insns', 'walked', 'states', 'ms', ...(judge ? ['kernel'] : []), 'message'],
      rows.map((row) => [
        `${row.file}:${row.name}`,
        row.verdict,
        row.insns,
        row.walked,
        row.states,
        row.ms,
        ...(row.kernel ? [row.kernel.verdict] : []),
        row.message || (row.kernel?.message ?? ''),
      ]),
      ['insns', 'walked', 'states', 'ms'],
    );
    const exit = worst(rows.map((row) => exitOf(row.verdict, row.kernel?.verdict)));
    return { exit, json: { programs: rows, skipped }, text: text + skippedLines(skipped) };
  } finally {
    judge?.close();
  }
}

/** One line for each program of an object that was left out. */
export function skippedLines(skipped: readonly { file: string; name: string; reason: string }[]): string {
  return skipped.map(({ file, name, reason }) => `left out: ${file}:${name}: ${reason}\n`).join('');
}

function describe(verdict: Verdict): {
  readonly verdict: Word;
  readonly message: string;
  readonly slot?: number;
  readonly walked: number;
  readonly states: number;
} {
  const { walked, states } = verdict;
  if (verdict.ok) return { verdict: 'accepted', message: '', walked, states };
  return { verdict: verdict.reason, message: verdict.message, slot: verdict.slot, walked, states };
}

function ask(judge: KernelJudge, program: Program): { verdict: string; message: string; ms: number } {
  const start = performance.now();
  const { accepted, judged, message }: Judgement = judge.judge(program);
  const verdict = accepted ? 'accepted' : judged ? 'rejected' : 'not judged';
  return { verdict, message: message ?? '', ms: since(start) };
}

function exitOf(ours: Word, kernels: string | undefined): ExitCode {
  if (ours === 'rejected' || kernels === 'rejected') return 1;
  return ours === 'accepted' ? 0 : 3;
}
