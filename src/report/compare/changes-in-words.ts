/** What changed between two documents: a table that fits 80 columns, a row for each change; and the same in Markdown, for the summary of a CI step. */
import type { Change, Changes } from './change.js';
import type { ComparedWithBaseline } from './judged.js';

/** Programs and their changes as text; the last line counts. */
export function changesInWords({ changes, ...counts }: Changes): string {
  let file: string | undefined;
  let name: string | undefined;
  const lines = changes.flatMap((one) => {
    const above = one.file === file ? [] : [one.file];
    const isSame = one.file === file && one.name === name;
    file = one.file;
    name = one.name;
    return [...above, ...row(isSame ? '' : one.name || '-', one)];
  });
  const head = changes.length === 0 ? [] : [cells(['program', 'what', 'from', 'to', ''])];
  return [...head, ...lines, countsInWords(counts)].map((line) => `${line}\n`).join('');
}

const WIDTHS = [24, 9, 15, 15, 6] as const;

function row(name: string, { field, from, to, worse }: Change): readonly string[] {
  const told = [field, shown(from), shown(to), worse ? 'worse' : ''];
  const first = `  ${name}`;
  return first.length > WIDTHS[0] ? [first, cells(['', ...told])] : [cells([first, ...told])];
}

const cells = (texts: readonly string[]): string =>
  texts
    .map((text, i) => (i === 2 || i === 3 ? text.padStart(WIDTHS[i]!) : text.padEnd(WIDTHS[i]!)))
    .join('  ')
    .trimEnd();

const shown = (value: Change['from']): string => (value === null ? '-' : `${value}`);

/** `12 programs compared, 1 worse; 0 gone, 2 new`. */
export function countsInWords({ compared, worse, gone, new: added }: Omit<Changes, 'changes'>): string {
  return `${compared} compared, ${worse} worse; ${gone} gone, ${added} new`;
}

/** As a table of GitHub's Markdown. `title`: what was compared. Nothing in a name is taken for Markdown. */
export function changesInMarkdown(title: string, { changes, ...counts }: Changes): string {
  const rows = [...changes]
    .sort((a, b) => Number(b.worse) - Number(a.worse))
    .map(({ file, name, field, from, to, worse }) =>
      [
        code(file),
        code(name),
        field,
        code(shown(from)),
        `${code(shown(to))}${grown(from, to)}`,
        worse ? '**worse**' : '',
      ]
        .map((text) => ` ${text} `)
        .join('|'),
    );
  const table =
    rows.length === 0
      ? []
      : [
          '',
          '| file | program | what | from | to | |',
          '|---|---|---|---:|---:|---|',
          ...rows.map((text) => `|${text}|`),
        ];
  return [`### ${title}`, '', `${countsInWords(counts)}.`, ...table, ''].map((line) => `${line}\n`).join('');
}

/** ` (+12.5 %)` for numbers. */
function grown(from: Change['from'], to: Change['to']): string {
  if (typeof from !== 'number' || typeof to !== 'number' || from === 0) return '';
  const percent = (100 * (to - from)) / from;
  return ` (${percent > 0 ? '+' : ''}${percent.toFixed(1)} %)`;
}

/** A text as code in a cell of a table: bars would end the cell, backticks the code. */
export function code(text: string): string {
  if (text === '') return '';
  const plain = text.replace(/[\r\n]+/g, ' ').replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return longest === 0 ? `${fence}${plain}${fence}` : `${fence} ${plain} ${fence}`;
}

/** Below the summary of a command that was compared with a baseline: figures that are worse, then how many changed. */
export function baselineInMarkdown({
  file,
  worse = [],
  changed = [],
  mended,
  missing,
}: ComparedWithBaseline): string {
  const rows = worse.map(
    ({ file: of, name, field, from, to }) =>
      `| ${[code(of), code(name), field, code(shown(from)), `${code(shown(to))}${grown(from, to)}`].join(' | ')} |`,
  );
  const head = ['| file | program | what | from | to |', '|---|---|---|---:|---:|'];
  return [
    `Beside ${code(file)}: ${worse.length} figures worse, ${changed.length} changed otherwise; ${mended.length} mended, ${missing.length} not judged now.`,
    '',
    ...(rows.length === 0 ? [] : [...head, ...rows, '']),
  ]
    .map((line) => `${line}\n`)
    .join('');
}
