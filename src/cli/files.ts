/** Programs from the files that a person names: objects, cases and assembly, raw insns. */
import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { fromBytes } from '../isa/bytes.js';
import { decodeAll } from '../isa/decode.js';
import { InputError } from '../isa/errors.js';
import { subprogStarts } from '../isa/target.js';
import { withDeclared } from '../kernel/catalog.js';
import { readObject, type Skipped } from '../object/load.js';
import type { Program, ProgType } from '../object/program.js';
import type { UnreadableFile } from '../report/verdicts.js';
import { type Case, type GivenFunctions, parseCase } from '../vm/case.js';
import { type FoundFile, STANDARD_INPUT } from './paths.js';

/** A program from a file that a person named. */
export interface LoadedProgram {
  readonly file: string;
  readonly program: Program;
  /** What a `.bpf` file says besides. */
  readonly case?: Case;
}

/** All programs from the files that a person named, in their order. */
export interface LoadedFiles {
  readonly programs: readonly LoadedProgram[];
  /** Programs of objects whose kind is not modelled. */
  readonly skipped: readonly (Skipped & { readonly file: string })[];
}

/** The options that all commands which read programs have in common. */
export interface LoadOptions {
  /** Only the programs of this name. */
  readonly prog?: string;
  /** BTF file that CO-RE relocations are resolved against; the running kernel's unless told. */
  readonly btf?: string;
  /** Type of programs that come as raw insns; xdp unless told. */
  readonly type?: ProgType;
  /** Functions that are declared outside of the files. */
  readonly declared?: GivenFunctions;
}

/** What standard input held: it can be read only once, and its text and its programs are asked for apart. */
let input: Uint8Array | undefined;

/** Reads a file whole; `-` is standard input. Throws InputError for a folder and the file system's errors for what is not there. */
export function readBytes(file: string): Uint8Array {
  if (file === STANDARD_INPUT) {
    input ??= readFileSync(0);
    return input;
  }
  if (statSync(file).isDirectory()) throw new InputError('this is a directory', { file });
  return readFileSync(file);
}

/** Reads a file as UTF-8 text. Throws InputError where it is none. */
export function readText(file: string): string {
  const bytes = readBytes(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError('this is not text in UTF-8', { file });
  }
}

/** Reads programs from all files, in order. Throws InputError for a file that cannot be used, or when `prog` is nowhere. */
export function loadPrograms(files: readonly string[], options: LoadOptions = {}): LoadedFiles {
  const targetBtf = options.btf === undefined ? undefined : readBytes(options.btf);
  const all = files.map((file) => loadFile(file, targetBtf, options));
  const found = all.flatMap(({ programs }) => programs);
  const programs = found.filter(({ program }) => options.prog === undefined || program.name === options.prog);
  if (programs.length === 0) {
    const names = found.map(({ program }) => program.name).join(', ');
    throw new InputError(`no program is called '${options.prog}'; there are ${names}`);
  }
  return { programs, skipped: all.flatMap(({ skipped }) => skipped) };
}

/** Programs that were asked for and left out: of them nothing is known, so that a command may not say that all holds. */
export function leftOut({ skipped }: LoadedFiles, { prog }: LoadOptions): LoadedFiles['skipped'] {
  return skipped.filter(({ name }) => prog === undefined || prog === name);
}

/**
 * Reads programs from all files, one file at a time, in order; files below folders that cannot be used are handed to `broken` instead.
 * Throws InputError, before anything is handed out, for a file that was named itself and cannot be used.
 */
export function* eachFile(
  files: readonly FoundFile[],
  options: LoadOptions,
  broken: (file: UnreadableFile) => void,
): Generator<LoadedFiles> {
  const targetBtf = options.btf === undefined ? undefined : readBytes(options.btf);
  const load = (path: string): LoadedFiles => loadFile(path, targetBtf, options);
  const named = new Map(files.filter((one) => one.named).map(({ path }) => [path, load(path)]));
  for (const { path } of files) {
    let loaded = named.get(path);
    try {
      loaded ??= load(path);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      broken({ file: path, reason: error.message.trim().replace(/\s*\n\s*/g, ' ') });
      continue;
    }
    yield {
      programs: loaded.programs.filter(
        ({ program }) => options.prog === undefined || program.name === options.prog,
      ),
      skipped: loaded.skipped,
    };
  }
}

function loadFile(
  file: string,
  targetBtf: Uint8Array | undefined,
  { type = 'xdp', declared }: LoadOptions,
): LoadedFiles {
  const given = declared === undefined ? [] : [...declared.first, ...declared.last];
  switch (kindOf(file)) {
    case '.o': {
      const { programs, skipped } = readObject(readBytes(file), file, targetBtf ? { targetBtf } : {});
      return {
        programs: programs.map((program) => ({ file, program: withDeclared(program, given) })),
        skipped: skipped.map((one) => ({ file, ...one })),
      };
    }
    case '.bpf': {
      const one = parseCase(readText(file), file, declared);
      return { programs: [{ file, program: one.program, case: one }], skipped: [] };
    }
    case '.bin':
      return { programs: [{ file, program: withDeclared(readRaw(file, type), given) }], skipped: [] };
    default:
      throw new InputError('expected an object (.o), a case or assembly (.bpf), or raw insns (.bin)', {
        file,
      });
  }
}

const ELF = Buffer.from('\x7fELF', 'latin1');

/** `.o`, `.bpf` or `.bin`: what a file is by its name; standard input by what it holds. */
export function kindOf(file: string): string {
  if (file !== STANDARD_INPUT) return extname(file);
  const bytes = readBytes(file);
  if (ELF.equals(bytes.subarray(0, ELF.length))) return '.o';
  // Raw insns have bytes of zero; text has none.
  return bytes.includes(0) ? '.bin' : '.bpf';
}

/** A program from raw insns: no maps, no kfuncs, functions where calls lead. */
function readRaw(file: string, type: ProgType): Program {
  try {
    const insns = fromBytes(readBytes(file));
    if (insns.length === 0) throw new InputError('there are no insns');
    decodeAll(insns);
    const subprogs = subprogStarts(insns).map((start) => ({
      name: start === 0 ? 'main' : `sub_${start}`,
      start,
      linkage: 'static' as const,
    }));
    const sleepable = type === 'syscall' ? { sleepable: true } : {};
    return { name: 'main', type, insns, maps: [], kfuncs: [], subprogs, localTypes: [], ...sleepable };
  } catch (error) {
    if (error instanceof InputError && error.place.file === undefined) {
      throw new InputError(error.message, { ...error.place, file });
    }
    throw error;
  }
}
