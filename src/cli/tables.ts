/** `npm run tables`: writes the tables of helpers and kfuncs anew, from the BTF of a kernel and, for what BTF lacks, its sources. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { InputError } from '../isa/errors.js';
import { type KfuncFlags, kfuncFlagsInC } from '../kernel/declare/c/kfuncs.js';
import { HELPER_LINES } from '../kernel/tables/helpers.js';
import { KFUNC_LINES } from '../kernel/tables/kfuncs.js';
import { regenerate, tableText } from '../kernel/tables/regenerate.js';
import { Btf } from '../object/btf/read.js';
import { kernelBtf } from '../oracle/btf.js';
import { KernelError } from '../oracle/syscall.js';

interface Options {
  readonly btf: string;
  readonly source?: string;
  readonly out: string;
  readonly check?: boolean;
}

/** Folders of a kernel tree that hold no kfuncs, and many files. */
const SKIPPED: ReadonlySet<string> = new Set([
  '.git',
  'Documentation',
  'tools',
  'scripts',
  'samples',
  'rust',
]);

function btfOf(file: string): Btf {
  if (file === 'running') return kernelBtf();
  return new Btf(read(file), file, 'the BTF of a kernel');
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InputError(`cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'EIO'}`, { file });
  }
}

/** The lines of flags in all C files below a folder. What a file says of program types is added to what others say. */
function flagsIn(folder: string): ReadonlyMap<string, KfuncFlags> {
  const found = new Map<string, KfuncFlags>();
  const visit = (path: string): void => {
    let entries: ReturnType<typeof list>;
    try {
      entries = list(path);
    } catch (error) {
      throw new InputError(`no folder that can be read: ${(error as NodeJS.ErrnoException).code ?? 'EIO'}`, {
        file: path,
      });
    }
    for (const entry of entries) {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) visit(inside);
      } else if (entry.isFile() && /\.[ch]$/.test(entry.name)) {
        const text = read(inside).toString('utf8');
        if (!text.includes('BTF_ID_FLAGS')) continue;
        for (const [name, { flags, types }] of kfuncFlagsInC(text)) {
          const before = found.get(name);
          if (before !== undefined && before.flags.join() !== flags.join())
            throw new InputError(
              `${name} has flags ${flags.join(' | ') || 'none'} here, and ${before.flags.join(' | ') || 'none'} in another file: a row has one list`,
              { file: inside },
            );
          found.set(name, { flags, types: [...new Set([...(before?.types ?? []), ...types])] });
        }
      }
    }
  };
  visit(folder);
  if (found.size === 0) throw new InputError('no BTF_ID_FLAGS line in any C file below it', { file: folder });
  return found;
}

const list = (path: string) =>
  readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));

function main({ btf, source, out, check }: Options): number {
  const base = { helpers: HELPER_LINES, kfuncs: KFUNC_LINES };
  const made = regenerate(base, btfOf(btf), source === undefined ? undefined : flagsIn(source));
  for (const note of made.notes) process.stdout.write(`${note}\n`);
  const changed = (['helpers', 'kfuncs'] as const).filter((which) => {
    const file = join(out, `${which}.ts`);
    const text = tableText(which, made[which]);
    if (read(file).toString('utf8') === text) return false;
    if (check !== true) writeFileSync(file, text);
    return true;
  });
  const words = changed.map((which) => relative('', join(out, `${which}.ts`))).join(', ');
  process.stdout.write(
    changed.length === 0
      ? 'the tables are as they were\n'
      : `${check ? 'would change' : 'written'}: ${words}\n`,
  );
  return changed.length > 0 && check === true ? 1 : 0;
}

const options = new Command('tables')
  .description('Writes the tables of helpers and kfuncs anew, from a kernel.')
  .requiredOption('--btf <FILE|running>', 'raw BTF, as /sys/kernel/btf/vmlinux has it')
  .option(
    '--source <DIR>',
    'a tree of its sources, for the flags of kfuncs and the program types of new ones',
  )
  .option('--out <DIR>', 'where helpers.ts and kfuncs.ts are', resolve('src/kernel/tables'))
  .option('--check', 'write nothing; exit 1 where something would change')
  .parse()
  .opts<Options>();
try {
  process.exitCode = main(options);
} catch (error) {
  if (!(error instanceof InputError || error instanceof KernelError)) throw error;
  const text = error instanceof InputError ? error.describe() : error.message;
  process.stderr.write(`tables: ${text.split('\n')[0]}\n`);
  process.exitCode = 2;
}
