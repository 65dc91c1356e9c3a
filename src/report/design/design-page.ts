/** The tables of docs/design-space.md, from the document of a run of `design`. */
import type { Spread } from '../../design/counts.js';
import type { DesignDocument } from '../documents.js';
import type { DesignRow } from './design.js';

/** What the page needs of a document: all but cases and times. */
export type DesignRun = Pick<
  DesignDocument,
  'seed' | 'generated' | 'programs' | 'worlds' | 'runs' | 'points' | 'holdingPoints'
> & {
  readonly strategies: readonly Omit<DesignRow, 'ms' | 'failures'>[];
};

/** The document as it is kept for the page. */
export function keptRun(document: DesignDocument): DesignRun {
  const { seed, generated, programs, worlds, runs, points, holdingPoints, strategies } = document;
  const kept = strategies.map(({ ms: _, failures: __, ...row }) => row);
  return { seed, generated, programs, worlds, runs, points, holdingPoints, strategies: kept };
}

const spread = (one: Spread | null): string =>
  one === null ? '–' : `${one.median} / ${one.p99} / ${one.max}`;
const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const percent = (part: number, of: number): string => {
  if (of === 0) return '–';
  return part > 0 && part / of < 0.0005 ? 'below 0.1 %' : `${((100 * part) / of).toFixed(1)} %`;
};

/** Tables by name: `costs` and `failures`, and `refused`, in Markdown. */
export function designTables(run: DesignRun): Readonly<Record<string, string>> {
  const { strategies } = run;
  const head = (...names: readonly string[]): readonly string[] => [
    line(names),
    line(names.map((_, i) => (i === 0 ? '---' : '---:'))),
  ];
  const costs = [
    ...head(
      'strategy',
      'takes',
      'at once',
      'never',
      'insns to effect',
      'insns to exit',
      'insns more a run',
      'bytes a program',
    ),
    ...strategies.map((row) =>
      line([
        row.name,
        percent(row.programs, run.programs),
        percent(row.stopsAtOnce, row.points === 0 ? 0 : 1),
        percent(row.withoutEffect, row.points),
        spread(row.toEffect),
        spread(row.toExit),
        row.extraInsns,
        row.bytes,
      ]),
    ),
  ];
  const failures = [
    ...head('strategy', 'leaks', 'faults', 'acquires', 'too long', 'what leaks most', 'what faults most').map(
      (row) => row.replace(/---: \| ---: \|$/, '--- | --- |'),
    ),
    ...strategies.map((row) =>
      line([
        row.name,
        percent(row.leakPoints, row.points),
        percent(row.faults, row.points),
        percent(row.broken.acquire ?? 0, row.points),
        percent(row.broken.bound ?? 0, row.points),
        first(row.leaks),
        first(row.faultKinds),
      ]),
    ),
  ];
  const refused = [
    line(['strategy', 'cannot take', 'programs']),
    line(['---', '---', '---:']),
    ...strategies.flatMap((row) => reasons(row.refused).map(([why, count]) => line([row.name, why, count]))),
  ];
  const ran = `${run.programs} programs (${run.generated} generated, seed ${run.seed}), ${run.runs} runs, ${run.points} points; at ${run.holdingPoints} of them something is held.`;
  return { ran, costs: costs.join('\n'), failures: failures.join('\n'), refused: refused.join('\n') };
}

const first = (kinds: Readonly<Record<string, number>>): string =>
  Object.keys(kinds).slice(0, 3).join(', ') || '–';

/** Reasons without the type of program that they name, the most frequent first. */
function reasons(refused: Readonly<Record<string, number>>): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>();
  for (const [why, count] of Object.entries(refused)) {
    const alike = why.replace(/of type \w+/, 'of other types');
    sums.set(alike, (sums.get(alike) ?? 0) + count);
  }
  return [...sums].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, 6);
}

/** A page with the tables between its marks `<!-- name -->` and `<!-- end -->` written anew. Throws RangeError for a mark of no table. */
export function withTables(page: string, tables: Readonly<Record<string, string>>): string {
  return page.replace(/<!-- (\w+) -->\n.*?<!-- end -->/gs, (_, name: string) => {
    const table = tables[name];
    if (table === undefined) throw new RangeError(`there is no table '${name}'`);
    return `<!-- ${name} -->\n${table}\n<!-- end -->`;
  });
}
