/**
 * The verifier's log, read for what it complains about.
 *
 * At level 1 the kernel prints the walk to the refusal, then the complaint (one line, or a few), then statistics.
 * The complaint is what follows the last line that tells of an insn or a state.
 */

/** What a log says of the refusal. */
export interface Complaint {
  /** The kernel's own words: the last line, preceded by the `Unreleased reference` lines it explains, joined with ` // `. */
  readonly message: string;
  /** Every line of the complaint, with hints that come before the last line. */
  readonly lines: readonly string[];
  /** The slot the verifier stood at, where the log tells. */
  readonly insn?: number;
}

/** `12: (85) call bpf_loop#181 ; R0=scalar()` */
const INSN = /^(\d+): \([0-9a-f]{2}\) /;
/** States, moves between states, source lines, precision tracking: all that is no complaint. */
const WALK = new RegExp(
  [
    String.raw`\d+: `,
    String.raw`from \d+ to \d+`,
    '; ',
    String.raw` *(frame\d+: )?R\d+(_\w+)?=`,
    String.raw`func#\d+ @\d+$`,
    'Live regs before insn:',
    String.raw` +\d+: [.0-9]+ \(`,
    String.raw`Validating \S+\(\) func#`,
    String.raw`Func#\d+ `,
    'caller:$',
    'callee:$',
    'returning from callee:$',
    'to caller at ',
    'mark_precise: ',
    String.raw`\(\d+\) frame \d+`,
    'SCC ',
    'propagating ',
  ]
    .map((line) => `^${line}`)
    .join('|'),
);
/** Statistics, and the two states that stand below `infinite loop detected`. */
const TAIL =
  /^((cur|old) state:|processed \d+ insns|verification time \d+ usec|stack depth \d+(\+\d+)*( max \d+)?$)/;

/** Finds the complaint in a log (any level). A log without one gives an empty message. */
export function complaint(log: string): Complaint {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  let end = lines.length;
  while (end > 0 && TAIL.test(lines[end - 1]!)) end--;
  let start = end;
  while (start > 0 && !WALK.test(lines[start - 1]!)) start--;
  const told = wholeSentences(lines.slice(start, end));
  const last = told.at(-1) ?? '';
  const leaks = told.slice(0, -1).filter((line) => line.startsWith('Unreleased reference'));
  const message = [...leaks, last].join(' // ');
  const insn = insnBefore(lines, start);
  return insn === undefined ? { message, lines: told } : { message, lines: told, insn };
}

/** Some complaints go on in a second line, after a comma. */
function wholeSentences(lines: readonly string[]): string[] {
  const whole: string[] = [];
  for (const line of lines) {
    if (whole.at(-1)?.endsWith(',') === true) whole.push(`${whole.pop()} ${line}`);
    else whole.push(line);
  }
  return whole;
}

function insnBefore(lines: readonly string[], start: number): number | undefined {
  for (let i = start - 1; i >= 0; i--) {
    const match = INSN.exec(lines[i]!);
    if (match !== null) return Number(match[1]);
  }
  return undefined;
}

/** Insns that Linux walked (`processed N insns`), from a log of any level; undefined where it does not tell. */
export function insnsWalked(log: string): number | undefined {
  const told = [...log.matchAll(/^processed (\d+) insns/gm)].at(-1)?.[1];
  return told === undefined ? undefined : Number(told);
}
