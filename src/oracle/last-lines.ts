/** The end of what Linux says of a two-mode program that it refuses, with where each insn comes from. */

import type { Program } from '../object/program.js';
import type { Origin } from '../patch/two-mode/lines.js';
import { type Place, Places } from '../verifier/explain/place.js';
import type { Code } from '../verifier/text/code.js';

/** One line of what Linux's verifier printed, with the place in our program that it speaks of. */
export interface LogLine {
  /** Linux's own line. */
  readonly text: string;
  /** Of a line that names an insn of the two-mode program: whether that is before or after the kill, and the insn of the program. */
  readonly mode?: Origin['mode'];
  readonly at?: Place;
}

/** Lines that are kept of a log. */
const MOST_LINES = 40;
/** `12: (85) call bpf_loop#181`, `12: R0=scalar() ...`: a line about the insn at 12. */
const ABOUT = /^(\d+): /;
const STATISTICS = /^(processed \d+ insns|verification time \d+ usec|stack depth \d)/;

/** The last lines of a log before its statistics. `origins`: by slot of the two-mode program. */
export function lastLines(
  log: string,
  program: Program,
  code: Code | undefined,
  origins: readonly Origin[] = [],
): readonly LogLine[] {
  const lines = log.split('\n').filter((line) => line.trim() !== '' && !STATISTICS.test(line));
  const places = code === undefined ? undefined : new Places(program, code);
  return lines.slice(-MOST_LINES).map((text): LogLine => {
    const origin = origins[Number(ABOUT.exec(text)?.[1] ?? -1)];
    if (origin === undefined || origin.slot < 0) return { text };
    const { mode, slot } = origin;
    return { text, mode, ...(places !== undefined && { at: places.at(slot) }) };
  });
}
