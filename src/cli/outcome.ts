/** What a command answers, and how it is printed: text for people or one JSON document, and an exit code. */
import type { ExitCode } from '../report/exit.js';

/** The answer of a command in both forms; `--json` decides which is printed. */
export interface Outcome {
  readonly exit: ExitCode;
  /** The document of `--json`. Big integers are printed as numbers where they are safe, else as decimal strings. */
  readonly json: unknown;
  /** What a person reads. Bytes are written as they are. */
  readonly text: string | Uint8Array;
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

/** JSON text, two blanks a level, with a newline at its end. */
export function toJson(value: unknown): string {
  const plain = (_key: string, one: unknown): unknown => {
    if (typeof one === 'bigint') return Number.isSafeInteger(Number(one)) ? Number(one) : one.toString();
    if (one instanceof Map) return Object.fromEntries(one);
    if (one instanceof Set) return [...one];
    return one;
  };
  return `${JSON.stringify(value, plain, 2)}\n`;
}

/** What goes to standard output. */
export function render(outcome: Outcome, common: Common): string | Uint8Array {
  if (common.json) return toJson(outcome.json);
  if (common.quiet && typeof outcome.text === 'string') return '';
  return outcome.text;
}
