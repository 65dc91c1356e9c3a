/** The options that say how much one program may take, and how much more of it than in an earlier run. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { ALLOW_HELP, allowance, integer } from './options.js';

/** What `withLimits` reads. */
export interface WithLimits {
  /** Seconds. */
  readonly timeout?: number;
  /** MiB. */
  readonly memory?: number;
  /** Insns. */
  readonly effort?: number;
}

export const HOT_HELP = 'tell where walks go: insns walked by C line, or by insn where there are no lines';

/** Adds the options of `WithLimits`. A program that takes more is unknown, and the others are judged all the same. */
export function withLimits(command: Command): Command {
  return command
    .option('--timeout <SECONDS>', 'time that one program may take; more is unknown', seconds)
    .option('--effort <N>', 'insns that may be walked and run for one program; more is unknown', integer(1))
    .option('--allow <FIELD=PERCENT>', `with --baseline: ${ALLOW_HELP}`, allowance)
    .option('--memory <MIB>', 'memory that one program may take; more is unknown', integer(64, 1 << 20));
}

/** Node's timers count milliseconds in 31 bits. */
const MOST_SECONDS = 2_147_483;

function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= MOST_SECONDS) return value;
  throw new InvalidArgumentError(`It must be a number of seconds up to ${MOST_SECONDS}, such as 60 or 0.5.`);
}
