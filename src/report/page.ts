/** The page of a campaign: one HTML file that opens from disk, with every figure beside what it counts. */
import type { Finding, Instance, Summary } from './summary.js';

/** Text as HTML. */
function html(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (char) => entities[char]!);
}

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; }
th, td { text-align: left; padding: 0.15rem 1rem 0.15rem 0; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f5f5f2; padding: 0.8rem; overflow-x: auto; }
.bad { color: #a00; } .good { color: #060; }
details { margin: 0.3rem 0; } summary { cursor: pointer; }
@media (prefers-color-scheme: dark) {
  body { background: #1b1b1b; color: #ddd; } pre { background: #262626; } .bad { color: #f88; } .good { color: #8d8; }
}`;

/** Where the page finds cases. */
export interface Cases {
  /** The text of the case in a file. */
  text(file: string): string;
  /** What the page calls the file: its path from the page's own folder. */
  name(file: string): string;
}

/** Writes the whole HTML page, which needs no other file and no script. `cases` are the texts of the findings. */
export function page(one: Summary, cases: Cases): string {
  const title = `swansong: seed ${one.seed}, rules ${one.rules.join(', ')}`;
  const sections = [
    `<h1>${html(title)}</h1>`,
    one.finished ? '' : '<p class="bad">The campaign was stopped before its end.</p>',
    figures(one),
    `<h2>${one.findings.length} findings</h2>`,
    ...one.findings.map((finding) => findingOf(finding, cases)),
    disagreements(one),
    '<h2>What was exercised</h2>',
    coverage(one),
  ];
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${html(title)}</title><style>${STYLE}</style></head>
<body>
${sections.filter((section) => section !== '').join('\n')}
</body>
</html>
`;
}

function rows(cells: readonly (readonly [what: string, count: number | string])[]): string {
  const lines = cells.map(
    ([what, count]) => `<tr><th>${html(what)}</th><td class="number">${html(String(count))}</td></tr>`,
  );
  return `<table>${lines.join('\n')}</table>`;
}

function figures(one: Summary): string {
  const kernel: readonly (readonly [string, number])[] =
    one.kernelAccepted === null
      ? []
      : [
          ['accepted by Linux', one.kernelAccepted],
          ['refused by Linux', one.kernelRejected ?? 0],
          ['which Linux cannot judge', one.kernelUnjudged ?? 0],
        ];
  return rows([
    ['programs', one.programs],
    ['accepted by our verifier', one.accepted],
    ...kernel,
    ['killed before every insn', one.killedEverywhere],
    ['termination points', one.points],
    ['proven', one.proven],
    ['refuted', one.refuted],
    ['unknown', one.unknown],
    ['most insns from a kill to the exit', one.worst],
    ['disagreements', one.disagreementCount],
  ]);
}

function findingOf(finding: Finding, cases: Cases): string {
  const heading = `<h3 class="bad">${html(finding.check)} under ${html(finding.rules)}: rule ‘${html(finding.rule)}’</h3>`;
  const all: readonly Instance[] = [finding, ...finding.also];
  return [heading, ...all.map((one, i) => instance(one, cases, i === 0))].join('\n');
}

function instance(
  { function: name, message, insns, hits, file }: Instance,
  cases: Cases,
  open: boolean,
): string {
  return `<details${open ? ' open' : ''}>
<summary><b>${html(name)}</b>: ${html(message)}; ${insns} insns, hit by ${hits} programs</summary>
<pre>${html(cases.text(file))}</pre><p><code>swansong replay ${html(cases.name(file))}</code></p></details>`;
}

function disagreements({ disagreements: all, disagreementCount }: Summary): string {
  if (disagreementCount === 0) return '<p class="good">No two witnesses disagree.</p>';
  const items = all.map(
    ({ program, between, message }) => `<li>program ${program}, ${between}: ${html(message)}</li>`,
  );
  return `<h2 class="bad">${disagreementCount} disagreements, which are bugs of swansong’s own</h2><ul>${items.join('\n')}</ul>`;
}

function coverage({ coverage: of }: Summary): string {
  const counts = (title: string, of: Readonly<Record<string, number>>): string =>
    `<details><summary>${html(title)}</summary>${rows(Object.entries(of).sort(([, a], [, b]) => b - a))}</details>`;
  return [
    `<p>${of.called} of ${of.contracts} functions were called.</p>`,
    counts('Calls, by function', of.functions),
    counts('Termination points, by what was held', of.held),
    counts('Programs, by type', of.types),
    counts('Broken checks, by check', of.checks),
    counts('Stubs that ran after a kill, by function', of.stubs),
    counts('Outcomes of calls', of.outcomes),
    counts('Termination points, by pairs held together', of.pairs),
    ...Object.entries(of.matrix).map(([held, row]) => counts(`Termination points holding ${held}`, row)),
    of.missed.length === 0
      ? ''
      : `<details><summary>Never called</summary><p>${html(of.missed.join(', '))}</p></details>`,
  ].join('\n');
}
