/** Function by rule set: what the rules do, whether that is proven, whether it ran after a kill, and the findings that blame it. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { PageCell } from '../report/page/shape.js';
import { type Facet, Filters, filtered } from './filters.js';
import { linkTo, type Route } from './route.js';
import { Head } from './table.js';
import { Badge, number, toneOf } from './words.js';

/** The cells of one function. */
interface Row {
  readonly name: string;
  readonly cells: readonly PageCell[];
  readonly found: number;
  readonly ran: number;
}

const some = (row: Row, wanted: (cell: PageCell) => boolean): boolean => row.cells.some(wanted);

/** How much a function deserves to be looked at. */
function standing(row: Row): string {
  if (row.found > 0) return 'found';
  if (some(row, ({ verdict }) => verdict === 'refuted')) return 'refuted, not found yet';
  if (row.ran === 0) return 'never ran after a kill';
  return 'ran, and holds';
}

const ORDER = ['found', 'refuted, not found yet', 'ran, and holds', 'never ran after a kill'];
const FACETS: readonly Facet<Row>[] = [{ name: 'standing', label: 'functions', of: standing }];
/** Rows that are shown at first. */
const FIRST = 40;

/** The table of functions by rule sets, what deserves a look first, with its filters. */
export function Matrix({
  cells,
  rules,
  route,
}: {
  readonly cells: readonly PageCell[];
  readonly rules: readonly string[];
  readonly route: Route;
}): JSX.Element {
  const [all, setAll] = useState(false);
  const rows = useMemo(() => rowsOf(cells), [cells]);
  const sets = [...new Set(cells.map((one) => one.rules))];
  const result = filtered(
    rows,
    FACETS,
    ({ name, cells: own }) => `${name} ${own.map(({ rule }) => rule).join(' ')}`,
    route,
  );
  if (cells.length === 0)
    return (
      <section aria-labelledby="matrix-title">
        <h2 id="matrix-title">Functions by rules</h2>
        <p class="muted">The rule sets {rules.join(', ')} cannot be loaded any more.</p>
      </section>
    );
  const shown = all ? result.shown : result.shown.slice(0, FIRST);
  return (
    <section aria-labelledby="matrix-title">
      <h2 id="matrix-title">Functions by rules</h2>
      <p class="muted">
        What each rule set does with a function after a kill; whether the rule proof holds for all programs;
        in how many runs such a call really ran after a kill, all rule sets together; and the findings that
        blame it.
      </p>
      <Filters items={rows} facets={FACETS} route={route} what="functions" result={result} />
      <table class="list matrix">
        <caption class="sr">Functions by rule sets</caption>
        <Head columns={['function', ...sets]} />
        <tbody>
          {shown.map(({ name, cells: own }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {sets.map((set) => (
                <td key={set} data-label={set}>
                  {own
                    .filter((cell) => cell.rules === set)
                    .map((cell) => (
                      <Cell key={`${cell.action} ${cell.rule}`} cell={cell} />
                    ))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {result.shown.length <= shown.length ? null : (
        <button type="button" onClick={() => setAll(true)}>
          show all {result.shown.length}
        </button>
      )}
    </section>
  );
}

function rowsOf(cells: readonly PageCell[]): readonly Row[] {
  const byName = new Map<string, PageCell[]>();
  for (const cell of cells) byName.set(cell.function, [...(byName.get(cell.function) ?? []), cell]);
  const rows = [...byName].map(([name, own]): Row => {
    return {
      name,
      cells: own,
      found: own.reduce((sum, cell) => sum + cell.cases.length, 0),
      ran: own.reduce((sum, cell) => sum + cell.ran, 0),
    };
  });
  return rows.sort(
    (a, b) =>
      ORDER.indexOf(standing(a)) - ORDER.indexOf(standing(b)) ||
      b.found - a.found ||
      b.ran - a.ran ||
      (a.name < b.name ? -1 : 1),
  );
}

function Cell({ cell }: { readonly cell: PageCell }): JSX.Element {
  const { action, rule, verdict, ran, cases } = cell;
  return (
    <div class="cell">
      <Badge tone={toneOf(verdict)}>{action}</Badge>{' '}
      {cases.length === 0 ? null : (
        <span class="links">
          {cases.map((id, i) => (
            <a
              key={id}
              href={linkTo(['case', id])}
              aria-label={`finding ${i + 1} of ${cell.function} under ${cell.rules}`}
            >
              {i === 0 ? `finding${cases.length > 1 ? 's' : ''} 1` : i + 1}
            </a>
          ))}
        </span>
      )}{' '}
      <span class="muted">
        {ran === 0 ? 'never ran' : `ran ${number(ran)}×`} · {rule ?? 'no rule'}
        {verdict === null ? '' : ` · ${verdict}`}
      </span>
    </div>
  );
}
