/** Results as workflow commands of GitHub Actions, which show them beside the lines of a change. */

import { type Judged, judgedCounts } from '../compare/judged.js';
import type { Trouble } from '../document.js';
import type { ExitCode } from '../exit.js';
import type { FormatContext } from './form.js';

/** What follows `::`: percent signs and line ends would end the command (actions/toolkit, escapeData). */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** Values of properties: colons and commas as well (escapeProperty). */
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** One workflow command in one line. */
function command(
  kind: 'error' | 'warning' | 'notice',
  properties: Readonly<Record<string, string | number | undefined>>,
  message: string,
): string {
  const told = Object.entries(properties).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${property(String(value))}`],
  );
  return `::${kind}${told.length === 0 ? '' : ` ${told.join(',')}`}::${data(message)}\n`;
}

/** An annotation for each thing that does not hold, then one that counts. What the base had as well is only a warning. */
export function github(all: readonly Judged[], { command: name, isNew }: FormatContext): string {
  const lines = all.flatMap((one) => {
    if (one.standing === 'holds' || one.standing === 'left out') return [];
    const { file, line, column } = one.place ?? {};
    const fails = one.standing === 'failed' && isNew(one);
    const title = `swansong ${name}: ${one.what}`;
    const subject = one.name === '' || one.name === one.message ? one.of : `${one.of}: ${one.name}`;
    return [
      command(fails ? 'error' : 'warning', { file, line, col: column, title }, `${subject}: ${one.message}`),
    ];
  });
  return lines.join('') + command('notice', { title: `swansong ${name}` }, countsInWords(all));
}

/** `12 hold, 1 failed, 2 unknown`. */
export function countsInWords(all: readonly Judged[]): string {
  const { holds, failed, unknown, 'left out': left } = judgedCounts(all);
  return `${holds} hold, ${failed} failed, ${unknown} unknown${left === 0 ? '' : `, ${left} left out`}`;
}

/** Where there is no answer. */
export function githubTrouble({ error, file, line, column }: Trouble, exit: ExitCode): string {
  return command(
    'error',
    { file, line, col: column, title: exit === 2 ? 'swansong: bad input' : 'swansong' },
    error,
  );
}
