/** Programs from the files that a person names: objects, cases and assembly, raw insns. */
import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { fromBytes } from '../../isa/bytes.js';
import { decodeAll } from '../../isa/decode.js';
import { InputError } from '../../isa/errors.js';
import { subprogStarts } from '../../isa/target.js';
import { withDeclared } from '../../kernel/catalog.js';
import { dieDeclaration } from '../../kernel/die.js';
import { readObject, type Skipped } from '../../object/load.js';
import { type LoaderSettings, nameGlob } from '../../object/loader-settings.js';
import { PROG_TYPES, type Program, type ProgType } from '../../object/program.js';
import { programKind } from '../../object/sections.js';
import type { UnreadableFile } from '../../report/programs/verdicts.js';
import { type Case, type GivenFunctions, parseCase } from '../../vm/case/case.js';
import type { LoaderOptions } from './loader-options.js';
import { type FoundFile, isBpfHeader, STANDARD_INPUT } from './paths.js';

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
export interface LoadOptions extends LoaderOptions {
  /** Only the programs with such a name: `*` and `?` stand for any characters, and there may be several names between commas. */
  readonly prog?: string;
  /** BTF file that CO-RE relocations are resolved against; the running kernel's unless told. */
  readonly btf?: string;
  /** Functions that are declared outside of the files. */
  readonly declared?: GivenFunctions;
}

/** What standard input held: it can be read only once, and its text and its programs are asked for apart. */
let input: Uint8Array | undefined;

/** Takes what standard input held from a thread that has read it. */
export function giveInput(bytes: Uint8Array): void {
  input = bytes;
}

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

/** A file that could not be read, and whether a person named it or only a folder above it. */
export interface BrokenFile extends UnreadableFile {
  readonly named: boolean;
}

/**
 * Reads programs from all files, in order. A file among several that cannot be used is in `broken`. Throws InputError where none can be used, or when
 * `prog` is nowhere.
 */
export function loadPrograms(
  files: readonly (FoundFile | string)[],
  options: LoadOptions = {},
): LoadedFiles & { readonly broken: readonly BrokenFile[] } {
  const broken: BrokenFile[] = [];
  const all: LoadedFiles[] = [];
  const wanted = nameFilter(options.prog);
  const found = files.map((file) => (typeof file === 'string' ? { path: file, named: true } : file));
  for (const loaded of eachFile(found, { ...options, prog: undefined }, (one) => broken.push(one)))
    all.push(loaded);
  const there = all.flatMap(({ programs }) => programs);
  const skipped = all.flatMap((one) => one.skipped);
  const programs = there.filter(({ program }) => wanted(program.name));
  if (programs.length === 0 && !skipped.some(({ name }) => wanted(name))) {
    const [first] = broken;
    if (first !== undefined) throw new InputError(first.reason, { file: first.file });
    const names = there.map(({ program }) => program.name).join(', ');
    throw new InputError(`no program is called '${options.prog}'; there are ${names}`);
  }
  return { programs, skipped, broken };
}

/** Whether a program is asked for by this value of `--prog`. */
export function nameFilter(prog: string | undefined): (name: string) => boolean {
  if (prog === undefined) return () => true;
  const patterns = prog.split(',').map((word) => nameGlob(word.trim()));
  return (name) => patterns.some((pattern) => pattern.test(name));
}

/** Programs that were asked for and left out: of them nothing is known, so that a command may not say that all holds. */
export function leftOut({ skipped }: LoadedFiles, { prog }: LoadOptions): LoadedFiles['skipped'] {
  const wanted = nameFilter(prog);
  return skipped.filter(({ name }) => wanted(name));
}

/**
 * Reads programs from all files, one file at a time, in order; files that cannot be used are handed to `broken` instead. Throws InputError for a file
 * that cannot be used where it is the only one and was named itself.
 */
export function* eachFile(
  files: readonly FoundFile[],
  options: Omit<LoadOptions, 'prog'> & { readonly prog?: string | undefined },
  broken: (file: BrokenFile) => void,
): Generator<LoadedFiles> {
  const load = fileLoader(options);
  const wanted = nameFilter(options.prog);
  for (const { path, named } of files) {
    let loaded: LoadedFiles;
    try {
      loaded = load(path);
    } catch (error) {
      if (!(error instanceof Error) || (named && files.length === 1)) throw error;
      broken(brokenFile({ path, named }, error));
      continue;
    }
    yield {
      programs: loaded.programs.filter(({ program }) => wanted(program.name)),
      skipped: loaded.skipped,
    };
  }
}

/** What is told of a file that could not be used. */
export const brokenFile = ({ path, named }: FoundFile, error: Error): BrokenFile => ({
  file: path,
  reason: reasonOf(error),
  named,
});

/** Reads files under these options, one at a time: all programs in them. What it answers throws as `loadPrograms` does for one file. */
export function fileLoader(options: Omit<LoadOptions, 'prog'>): (file: string) => LoadedFiles {
  const targetBtf = options.btf === undefined ? undefined : readBytes(options.btf);
  const rodata = options.rodata === undefined ? undefined : readBytes(options.rodata);
  const { type, attach, set, inner } = options;
  const loader: LoaderSettings = {
    ...(type && { types: type }),
    ...(attach && { attach }),
    ...(set && { variables: set }),
    ...(inner && { inner }),
    ...(rodata && { rodata }),
    programsOf: (other) =>
      inFile(other, () => readObject(readBytes(other), other, { ...(targetBtf && { targetBtf }) }).programs),
  };
  return (file) => inFile(file, () => loadFile(file, targetBtf, loader, options));
}

/** What `read` answers; an InputError of it that names no file names this one. */
function inFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError && error.place.file === undefined)
      throw new InputError(error.message, { ...error.place, file });
    throw error;
  }
}

/** What is wrong with a file, in one line and without its name. */
function reasonOf(error: Error): string {
  if ('code' in error && error.code === 'ENOENT') return 'no such file or directory';
  if ('code' in error && error.code === 'EACCES') return 'permission denied';
  return error.message.trim().replace(/\s*\n\s*/g, ' ');
}

function loadFile(
  file: string,
  targetBtf: Uint8Array | undefined,
  loader: LoaderSettings,
  { declared }: Pick<LoadOptions, 'declared'>,
): LoadedFiles {
  const given = [...(declared?.first ?? []), ...(declared?.last ?? []), dieDeclaration()];
  switch (kindOf(file)) {
    case '.o': {
      const { programs, skipped } = readObject(readBytes(file), file, {
        loader,
        ...(targetBtf && { targetBtf }),
      });
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
      return {
        programs: [{ file, program: withDeclared(readRaw(file, rawType(loader)), given) }],
        skipped: [],
      };
    default:
      throw new InputError(
        'expected an object (an ELF file for BPF), a case or assembly (.bpf), or raw insns (.bin)',
        {
          file,
        },
      );
  }
}

/** `.o`, `.bpf` or `.bin`: what a file is by its name, or else by what it holds. */
export function kindOf(file: string): string {
  const extension = file === STANDARD_INPUT ? '' : extname(file);
  if (extension === '.o' || extension === '.bpf' || extension === '.bin') return extension;
  const bytes = readBytes(file);
  if (isBpfHeader(bytes)) return '.o';
  if (file !== STANDARD_INPUT) return extension;
  if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '\x7fELF') return '.o';
  // Raw insns have bytes of zero; text has none.
  return bytes.includes(0) ? '.bin' : '.bpf';
}

/** The type of programs that come as raw insns: xdp unless told. */
function rawType({ types }: LoaderSettings): ProgType {
  const word = types?.get('') ?? 'xdp';
  return PROG_TYPES.find((type) => type === word) ?? programKind(word)?.type ?? 'xdp';
}

/** A program from raw insns: no maps, no kfuncs, functions where calls lead. */
function readRaw(file: string, type: ProgType): Program {
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
}
