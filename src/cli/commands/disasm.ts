/** `disasm FILE...`: programs as text, in the kernel's syntax; what is printed can be read back. */

import { givenFunctions } from '../../campaign/naming/rules.js';
import type { DisasmDocument } from '../../report/documents.js';
import { printCase } from '../../vm/case/print.js';
import { EMPTY } from '../../vm/state/environment.js';
import { type Define, withCommon } from '../command.js';
import { type LoadedProgram, type LoadOptions, loadPrograms } from '../input/files.js';
import { brokenExit, type ProgramOptions, withPrograms } from '../input/judging.js';
import { foundFiles, PROGRAM_FILES } from '../input/paths.js';
import type { Outcome } from '../output/outcome.js';

/** Adds `disasm` to the command line. It prints every program of a file, or the one that --prog names. */
export const disasm: Define = (program, act) => {
  const command = withCommon(program.command('disasm'))
    .description('print programs as text')
    .argument('FILE...', 'objects, cases, raw insns, folders of them, or - for standard input');
  withPrograms(command).action((files: string[], options: ProgramOptions) =>
    act(options, async () => {
      const declared = await givenFunctions(options.functions);
      return disassembleFiles(files, { ...options, declared });
    }),
  );
};

function disassembleFiles(files: readonly string[], options: LoadOptions): Outcome {
  const { programs, skipped, broken } = loadPrograms(foundFiles(files, PROGRAM_FILES), options);
  const printed = programs.map((one) => ({
    file: one.file,
    name: one.program.name,
    type: one.program.type,
    insns: one.program.insns.length,
    text: textOf(one),
  }));
  const several = printed.length > 1;
  const text = printed.map(({ file, text: body }) => (several ? `# ${file}\n${body}` : body)).join('\n');
  const left = [...skipped, ...broken.map(({ file, reason }) => ({ file, name: '', section: '', reason }))];
  return {
    exit: brokenExit(broken),
    json: { programs: printed, skipped: left } satisfies DisasmDocument,
    text,
  };
}

function textOf({ program, case: one }: LoadedProgram): string {
  return printCase(one ?? { program, profile: 'privileged', env: EMPTY, comments: [] });
}
