/** The files of a judge: each is read when it is opened, and kept until the next one is. */
import { InputError } from '../../isa/errors.js';
import type { Program } from '../../object/program.js';
import { brokenFile, fileLoader, type LoadedProgram, type LoadOptions, nameFilter } from '../input/files.js';
import type { FoundFile } from '../input/paths.js';
import type { Opened } from './judge.js';

/** Reads files as `LoadOptions` say. */
export class ProgramFiles {
  private readonly load: ReturnType<typeof fileLoader>;
  private readonly wanted: (name: string) => boolean;
  private at = -1;
  private programs: readonly LoadedProgram[] = [];
  private all: readonly LoadedProgram[] = [];

  constructor(
    private readonly files: readonly FoundFile[],
    options: LoadOptions,
  ) {
    this.load = fileLoader(options);
    this.wanted = nameFilter(options.prog);
  }

  /** Reads a file. Throws InputError, or the file system's error, for one that cannot be used where it is the only one and was named itself. */
  open(file: number): Opened {
    const found = this.files[file]!;
    this.at = file;
    this.programs = [];
    this.all = [];
    try {
      const { programs, skipped } = this.load(found.path);
      this.all = programs;
      this.programs = programs.filter(({ program }) => this.wanted(program.name));
      return {
        programs: this.programs.map(({ program }) => ({ name: program.name, insns: program.insns.length })),
        others: programs.flatMap(({ program }) => (this.wanted(program.name) ? [] : [program.name])),
        skipped,
        unjudged: skipped.filter(({ name }) => this.wanted(name)),
      };
    } catch (error) {
      if (!(error instanceof Error) || (found.named && this.files.length === 1)) throw error;
      return { programs: [], others: [], skipped: [], unjudged: [], broken: brokenFile(found, error) };
    }
  }

  /** All programs of the file that was read last, those that were not asked for among them. */
  inObject(): readonly Program[] {
    return this.all.map(({ program }) => program);
  }

  /** A program of a file; the file is read again where it is not the one that was opened last. */
  program(file: number, program: number): LoadedProgram {
    if (this.at !== file) this.open(file);
    const found = this.programs[program];
    if (found === undefined) throw new InputError('the file has changed', { file: this.files[file]!.path });
    return found;
  }
}
