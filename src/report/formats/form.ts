/** The forms in which a command that judges answers, and what they know besides the things that were judged. */

import type { Judged } from '../compare/judged.js';
import type { ExitCode } from '../exit.js';

/** What `--format` may say. */
export const FORMATS = ['text', 'json', 'junit', 'sarif', 'github', 'markdown'] as const;
/** One of them. */
export type Format = (typeof FORMATS)[number];

/** What formats know besides the things themselves. */
export interface FormatContext {
  /** `prove`, `rules check`. */
  readonly command: string;
  readonly exit: ExitCode;
  /** Whether there is an earlier run to compare with. */
  readonly baseline: boolean;
  /** What fails or is unknown and was not so in the base; without one, all that does. */
  isNew(one: Judged): boolean;
}
