/** Writes what was judged, or what went wrong, in the forms that are made for other programs. */

import type { Judged } from '../compare/judged.js';
import { errorDocument, type Trouble, toJson } from '../document.js';
import type { ExitCode } from '../exit.js';
import type { Format, FormatContext } from './form.js';
import { github, githubTrouble } from './github.js';
import { junit, junitTrouble } from './junit.js';
import { markdown, markdownTrouble } from './markdown.js';
import { sarif, sarifTrouble } from './sarif.js';

/** Writes things in a form for other programs. */
export function formatted(
  format: 'junit' | 'sarif' | 'github' | 'markdown',
  all: readonly Judged[],
  context: FormatContext,
): string {
  return { junit, sarif, github, markdown }[format](all, context);
}

/** What stands in the place of an answer that there is not. Nothing as text: it is said on standard error. */
export function formattedTrouble(format: Format, trouble: Trouble, command: string, exit: ExitCode): string {
  switch (format) {
    case 'text':
      return '';
    case 'json':
      return toJson(errorDocument(trouble));
    case 'junit':
      return junitTrouble(trouble, command);
    case 'sarif':
      return sarifTrouble(trouble, exit);
    case 'github':
      return githubTrouble(trouble, exit);
    case 'markdown':
      return markdownTrouble(trouble, exit);
  }
}
