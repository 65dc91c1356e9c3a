/** Results as Markdown, for the summary of a step of GitHub Actions: what does not hold as a table, then how much holds. */
import { code } from '../compare/changes-in-words.js';
import type { Judged } from '../compare/judged.js';
import type { Trouble } from '../document.js';
import type { ExitCode } from '../exit.js';
import type { FormatContext } from './form.js';
import { countsInWords } from './github.js';

/** Rows at the most: GitHub takes a MiB for all steps. */
const MOST_ROWS = 500;

/** A table of all that does not hold, what the base had not first. */
export function markdown(all: readonly Judged[], { command, isNew, baseline }: FormatContext): string {
  const open = all.filter(({ standing }) => standing !== 'holds' && standing !== 'left out');
  const sorted = baseline ? [...open.filter(isNew), ...open.filter((one) => !isNew(one))] : open;
  const rows = sorted.slice(0, MOST_ROWS).map((one) => {
    const where = one.place?.line === undefined ? '' : code(`${one.place.file}:${one.place.line}`);
    const mark = baseline && isNew(one) ? '**new**' : '';
    const [message = ''] = one.message.split('\n');
    return `| ${[code(one.of), code(one.name), code(one.what), code(message), where, mark].join(' | ')} |`;
  });
  const more = sorted.length - rows.length;
  return [
    `### swansong ${command}`,
    '',
    `${countsInWords(all)}.`,
    ...(rows.length === 0
      ? []
      : ['', '| of | name | what | why | where | |', '|---|---|---|---|---|---|', ...rows]),
    ...(more > 0 ? ['', `And ${more} more.`] : []),
    '',
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** Where there is no answer. */
export function markdownTrouble({ error }: Trouble, exit: ExitCode): string {
  return `### swansong\n\n${exit === 2 ? 'Bad input' : 'No answer'}: ${code(error)}\n\n`;
}
