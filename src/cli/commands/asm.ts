/** `asm FILE...`: assembly text to raw insns. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { toBytes } from '../../isa/bytes.js';
import { InputError } from '../../isa/errors.js';
import type { AsmDocument, Assembled } from '../../report/documents.js';
import { parseCase } from '../../vm/case/case.js';
import { type Define, withCommon } from '../command.js';
import { loadPrograms, readText } from '../input/files.js';
import { filesBelow, STANDARD_INPUT } from '../input/paths.js';
import type { Outcome } from '../output/outcome.js';

interface Options {
  readonly output?: string;
  readonly hex?: true;
}

/** Adds `asm` to the command line. It writes the assembled slots as bytes, or as hex with --hex. */
export const asm: Define = (program, act) => {
  withCommon(program.command('asm'))
    .description('assemble text to raw insns, on standard output or into files')
    .argument('FILE...', 'cases or assembly, folders of them, or - for standard input')
    .option(
      '-o, --output <FILE>',
      'write the bytes to a file; of several FILEs into a folder; - for standard output',
    )
    .option('--hex', 'print the bytes as hex')
    .action((paths: string[], options: Options) => act(options, () => assembleFiles(paths, options)));
};

function assembleFiles(paths: readonly string[], { output, hex }: Options): Outcome {
  const files = filesBelow(paths, ['.bpf']);
  const several = files.length > 1;
  const into = output === STANDARD_INPUT ? undefined : output;
  if (several && into === undefined && hex !== true)
    throw new InputError('the bytes of several files need a folder: -o DIR, or --hex');
  const all = files.map((file) => ({ file, ...assembleFile(file) }));
  if (several && into !== undefined) mkdirSync(into, { recursive: true });
  const programs = all.map(({ file, bytes, ...rest }): Assembled => {
    const path =
      into !== undefined && several ? join(into, `${basename(file).replace(/\.bpf$/, '')}.bin`) : into;
    if (path !== undefined) writeFileSync(path, bytes);
    const digits = Buffer.from(bytes).toString('hex');
    return { file, ...rest, bytes: digits, ...(path === undefined ? {} : { output: path }) };
  });
  const json = { ...(several ? {} : programs[0]), programs } satisfies AsmDocument;
  const written = programs.map(({ insns, output: path }) => `${insns} insns to ${path}\n`).join('');
  if (into !== undefined) return { exit: 0, json, text: written };
  if (hex) return { exit: 0, json, text: programs.map(({ bytes }) => `${bytes}\n`).join('') };
  return { exit: 0, json, text: all[0]!.bytes, ...(output === undefined ? {} : { binaryAsked: true }) };
}

function assembleFile(file: string): Omit<Assembled, 'bytes' | 'file'> & { readonly bytes: Uint8Array } {
  const { program } =
    file.endsWith('.bpf') || file === STANDARD_INPUT
      ? loadPrograms([file]).programs[0]!
      : parseCase(readText(file), file);
  return {
    insns: program.insns.length,
    bytes: toBytes(program.insns),
    maps: program.maps.map(({ name }) => name),
    kfuncs: program.kfuncs,
  };
}
