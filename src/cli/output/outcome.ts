/** What a command answers. How it is printed is decided in one place (answer.ts). */
import type { ExitCode } from '../../report/exit.js';

/** The answer of a command in both forms; `--format` decides which is printed. */
export interface Outcome {
  readonly exit: ExitCode;
  /** The members of the document of `--json`, as `Documents` has them. Big integers are printed as numbers where they are safe, else as decimal strings. */
  readonly json: object;
  /** What a person reads. Bytes are written as they are. */
  readonly text: string | Uint8Array;
  /** The same as Markdown, where the command has words of its own for it. */
  readonly markdown?: string;
  /** Bytes that were asked for by name: they are written to a terminal, too. */
  readonly binaryAsked?: boolean;
}

/** Options that every command takes. */
export interface Common {
  readonly json: boolean;
  /** No text for people, no progress: only the exit code tells (and `--json`, where it is given). */
  readonly quiet: boolean;
  /** Prints text for people at once, before the outcome's. Nothing with `--json` and `--quiet`. */
  show(text: string): Promise<void>;
  /** A line for people on standard error. Nothing with `--quiet`. */
  note(line: string): void;
  /** Says on standard error, in one line, what is wrong, where the outcome is told all the same. */
  complain(error: Error): void;
}
