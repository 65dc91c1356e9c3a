/**
 * Programs are judged one by one, in a thread of their own: so the terminal is answered meanwhile, a program that takes too long or too much
 * memory costs no other its verdict, and Ctrl-C prints what is known.
 */
import type { BrokenFile } from '../input/files.js';
import type { JudgedProfile } from '../input/kernel-profile.js';
import type { FoundFile } from '../input/paths.js';

/** What judges are made of. Plain data: it is handed to a thread. */
export interface JudgeSetting {
  readonly command: 'prove' | 'verify';
  readonly files: readonly FoundFile[];
  /** The options of the command line, as they were read. */
  readonly options: object;
  /** What standard input held, if it is among the files. */
  readonly input?: Uint8Array;
  /** The setting was used before without an error: what takes long to check need not be checked again. */
  readonly again?: true;
}

/** A program that nobody can judge here, and why. */
export interface LeftOutProgram {
  readonly file: string;
  readonly name: string;
  readonly section: string;
  readonly reason: string;
  readonly absent?: true;
}

/** What a file has. */
export interface Opened {
  /** The programs that were asked for, in order. */
  readonly programs: readonly { readonly name: string; readonly insns: number }[];
  /** Names of the others. */
  readonly others: readonly string[];
  /** Programs that are left out, those that were not asked for among them, and the ones of these that were. */
  readonly skipped: readonly LeftOutProgram[];
  readonly unjudged: readonly LeftOutProgram[];
  /** The file could not be used. */
  readonly broken?: BrokenFile;
}

/** What comes of one program: its row, and what is told below it. */
export interface Judged<R> {
  readonly row: R;
  readonly below: string;
}

/** Judges the programs of files. A file is opened before its programs are judged; files and programs are named by their place. */
export interface Judge<R> {
  /** For whom programs are judged, as documents have it. */
  readonly profile: JudgedProfile['json'];
  /** Throws InputError for a file that cannot be used where it is the only one and was named itself. */
  open(file: number): Opened;
  judge(file: number, program: number): Judged<R> | Promise<Judged<R>>;
  close(): void;
}
