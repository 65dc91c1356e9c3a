/** `asm FILE`: assembly text to raw insns. */
import { writeFileSync } from 'node:fs';
import { toBytes } from '../../isa/bytes.js';
import { parseCase } from '../../vm/case.js';
import { type Define, withCommon } from '../command.js';
import { loadPrograms, readText } from '../files.js';
import type { Outcome } from '../outcome.js';

interface Options {
  readonly output?: string;
  readonly hex?: true;
}

/** Adds `asm` to the command line. It writes the assembled slots as bytes, or as hex with --hex. */
export const asm: Define = (program, act) => {
  withCommon(program.command('asm'))
    .description('assemble text to raw insns, on standard output or into a file')
    .argument('FILE', 'case or assembly')
    .option('-o, --output <FILE>', 'write the bytes to a file')
    .option('--hex', 'print the bytes as hex')
    .action((file: string, options: Options) => act(options, () => assembleFile(file, options)));
};

function assembleFile(file: string, { output, hex }: Options): Outcome {
  const { program } = file.endsWith('.bpf')
    ? loadPrograms([file]).programs[0]!
    : parseCase(readText(file), file);
  const bytes = toBytes(program.insns);
  const digits = Buffer.from(bytes).toString('hex');
  if (output !== undefined) writeFileSync(output, bytes);
  const json = {
    file,
    insns: program.insns.length,
    bytes: digits,
    maps: program.maps.map(({ name }) => name),
    kfuncs: program.kfuncs,
    ...(output === undefined ? {} : { output }),
  };
  if (output !== undefined) return { exit: 0, json, text: `${program.insns.length} insns to ${output}\n` };
  return { exit: 0, json, text: hex ? `${digits}\n` : bytes };
}
