/** `export FILE -o OUT`: an object whose programs can be killed on a kernel that nobody patched. */
import { writeFileSync } from 'node:fs';
import { loadRuleSets } from '../../campaign/naming/rules.js';
import { InputError } from '../../isa/errors.js';
import { DISTANCE, exportObject } from '../../live/export.js';
import { KILL_SECTION, KILL_VARIABLE } from '../../live/words.js';
import { kernelAvailable } from '../../oracle/available.js';
import type { ExportDocument } from '../../report/documents.js';
import { EXPORT_EXIT, worst } from '../../report/exit.js';
import { exportInWords } from '../../report/programs/exports.js';
import { type Define, withCommon } from '../command.js';
import { kindOf, readBytes } from '../input/files.js';
import {
  judgedFor,
  judgedProfile,
  type ProfileChoice,
  profileChoice,
  profileHelp,
} from '../input/kernel-profile.js';
import { integer, powerOfTwo } from '../input/options.js';
import type { Outcome } from '../output/outcome.js';

/** Options that say how an object is exported. */
export interface ExportCliOptions {
  readonly rules: string;
  readonly poll: number;
  readonly entry?: true;
  readonly perCpu?: true;
  readonly deadline?: number;
  readonly running?: true;
  readonly btf?: string;
  readonly profile?: ProfileChoice;
}

interface Options extends ExportCliOptions {
  readonly output: string;
  readonly asIs?: true;
}

/** Adds `export` to the command line. It loads what it writes, and says what Linux said. */
export const exportCommand: Define = (program, act) => {
  withCommon(program.command('export'))
    .description('write an object whose programs can be killed on a kernel that nobody patched')
    .argument('FILE', 'an object (.o)')
    .requiredOption('-o, --output <FILE>', 'where to write the object')
    .option('--rules <RULES>', 'rule set of the text after a kill, by name or file', 'sound')
    .option(
      '--poll <INSNS>',
      'most insns from any place to a poll or the exit',
      integer(1, 1_000_000),
      DISTANCE,
    )
    .option('--entry', 'poll before the first insn, too: no run begins while the word is set')
    .option('--per-cpu', 'words for each CPU besides the one of each program')
    .option(
      '--deadline <ROUNDS>',
      'runs end themselves after the limit in the map; the clock is read every so many rounds of a loop',
      powerOfTwo(1, 1 << 20),
    )
    .option(
      '--running',
      'each run notes when it begins and that it has ended, so that watch sees those that go on',
    )
    .option('--as-is', 'write programs that cannot be exported as they were')
    .option(
      '--btf <FILE>',
      'BTF of the kernel that CO-RE relocations are resolved for when programs are judged',
    )
    .option('--profile <PROFILE>', profileHelp('running'), profileChoice)
    .action((file: string, options: Options) => act(options, () => exportFile(file, options)));
};

async function exportFile(file: string, options: Options): Promise<Outcome> {
  const { poll, output, perCpu, deadline, running } = options;
  const made = await exported(file, options, options.asIs === true);
  if (made.bytes !== undefined) writeFileSync(output, made.bytes);
  const kernel = kernelAvailable();
  const document: ExportDocument = {
    rules: options.rules,
    file,
    output: made.bytes === undefined ? null : output,
    kernel: kernel.ok ? kernel.release : null,
    map: KILL_SECTION,
    variable: KILL_VARIABLE,
    distance: poll,
    perCpu: perCpu === true,
    deadline: deadline ?? null,
    running: running === true,
    programs: made.programs,
  };
  return {
    exit: worst(made.programs.map(({ verdict }) => EXPORT_EXIT[verdict])),
    json: document,
    text: exportInWords(document),
  };
}

/** Exports the object in a file, as the options of a command say. Throws InputError for what is no object. */
export async function exported(
  file: string,
  options: ExportCliOptions,
  asIs: boolean,
): Promise<ReturnType<typeof exportObject>> {
  const bytes = readBytes(file);
  if (kindOf(file) !== '.o') throw new InputError('expected an object (.o)', { file });
  const [rules] = await loadRuleSets([options.rules]);
  const where = kernelAvailable().ok ? 'running' : 'built-in';
  const { profile, kernel } = judgedFor(judgedProfile(options.profile ?? {}, where), undefined);
  const { perCpu, deadline, running, entry, poll, btf } = options;
  return exportObject(bytes, file, rules!.rules, {
    distance: poll,
    asIs,
    profile,
    kernel,
    form: {
      ...(perCpu && { perCpu }),
      ...(deadline !== undefined && { deadline }),
      ...(running && { running }),
    },
    ...(entry && { entry }),
    ...(btf !== undefined && { targetBtf: readBytes(btf) }),
  });
}
