/** What exports and killed runs in the kernel say, for people. */
import type { ExportedProgram } from '../../live/export.js';
import type { ExportDocument, RunKernelDocument } from '../documents.js';
import { table } from '../text/table.js';

/** The table of an export, and where it was written. */
export function exportInWords(document: ExportDocument): string {
  const rows = table(
    ['program', 'verdict', 'insns', 'exported', 'polls', 'longest', 'stubs', ''],
    document.programs.map((row) => [
      row.name,
      row.verdict,
      row.insns,
      row.exportedInsns,
      row.returnPolls > 0 ? `${row.polls} + ${row.returnPolls}` : row.polls,
      row.longest < 0 ? '-' : row.longest,
      row.sitesStubbed,
      note(row),
    ]),
    ['insns', 'exported', 'polls', 'longest', 'stubs'],
  );
  const where =
    document.output === null
      ? 'nothing was written: --as-is writes programs that cannot be exported as they were\n'
      : `${document.output}: ${document.kernel === null ? 'not loaded' : `loaded by Linux ${document.kernel}`}; words in '${document.variable}' of map '${document.map}'\n`;
  return rows + where;
}

function note(row: ExportedProgram): string {
  if (row.message !== '') return row.message;
  if (row.verdict === 'exported' && row.polls === 0) return 'ends before it would poll';
  return row.sitesLeftOut.map((site) => `kept: ${site.function} at ${site.slot}`).join(', ');
}

/** A time for people, three digits. */
function time(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)} ns`;
  if (ns < 1_000_000) return `${(ns / 1000).toPrecision(3)} us`;
  return `${(ns / 1_000_000).toPrecision(3)} ms`;
}

/** Killed runs in a few lines: how soon they ended, what was left, what polling costs, what was promised. */
export function runKernelInWords(one: RunKernelDocument): string {
  const { toExit, polling, promised } = one;
  const lines = [`${one.file}:${one.program} on Linux ${one.kernel}: ${one.runs} runs, ${one.killed} killed`];
  if (toExit !== null)
    lines.push(
      `from the word to the exit: median ${time(toExit.median)}, 99th of 100 ${time(toExit.p99)}, longest ${time(toExit.max)}`,
    );
  lines.push(
    `left behind: ${one.leaked === 0 ? 'nothing' : `${one.leaked} runs left bytes in a ring buffer that nobody can take`}; ${one.records} records consumed; loads and runs again: ${one.runsAgain ? 'yes' : 'no'}`,
  );
  for (const { name, type, before, after } of one.maps)
    if (before !== null) lines.push(`map ${name} (${type}): ${before} entries before, ${after} after`);
  if (polling === null) lines.push(`cost of polling: not measured, ${one.pollingReason}`);
  else {
    const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
    const [low, high] = polling.quartiles;
    lines.push(
      `cost of polling: ${percent(polling.share)} (${time(polling.original)} -> ${time(polling.exported)}, middle half of ${polling.turns} turns ${percent(low)} to ${percent(high)})`,
    );
  }
  if (promised !== null) {
    const { bound, longest, boundKind, kept } = promised;
    const insns = bound === null ? boundKind : `at most ${bound} insns`;
    const calls = kept.map((call) => `${call.function} (${call.may.join(', ')})`).join(', ');
    lines.push(
      `promised: ${longest < 0 ? 'a poll at some time' : `a poll within ${longest} insns`}, then ${insns}${calls === '' ? '' : `; kept calls: ${calls}`}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
