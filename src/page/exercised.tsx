/** What a night has exercised: functions, outcomes, and what was held, each with how often. */
import type { JSX } from 'preact';
import type { PageCounts, PageNight } from '../report/page/shape.js';
import { number } from './words.js';

/** Words of a table of counts that are shown at first. */
const FIRST = 12;

function Counts({ title, counts }: { readonly title: string; readonly counts: PageCounts }): JSX.Element {
  const rows = Object.entries(counts).sort(([, a], [, b]) => b - a);
  const most = Math.max(1, ...rows.map(([, count]) => count));
  const table = (some: typeof rows): JSX.Element => (
    <table class="counts">
      <caption class="sr">{title}</caption>
      <tbody>
        {some.map(([word, count]) => (
          <tr key={word}>
            <th scope="row">{word}</th>
            <td class="number">
              <span class="share" style={{ '--share': `${(count / most) * 100}%` }}>
                {number(count)}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
  return (
    <div>
      <h3>{title}</h3>
      {rows.length === 0 ? <p class="muted">none</p> : table(rows.slice(0, FIRST))}
      {rows.length <= FIRST ? null : (
        <details>
          <summary>{rows.length - FIRST} more</summary>
          {table(rows.slice(FIRST))}
        </details>
      )}
    </div>
  );
}

/** The counts of a night, and the functions that it never called. */
export function Exercised({ night }: { readonly night: PageNight }): JSX.Element {
  const { counts, called, contracts, missed } = night;
  return (
    <section aria-labelledby="exercised-title">
      <h2 id="exercised-title">What was exercised</h2>
      <p>
        {called} of {contracts} functions were called.
      </p>
      <div class="columns">
        <Counts title="Termination points, by what is held" counts={counts.held} />
        <Counts title="Pairs held together" counts={counts.pairs} />
        <Counts title="Outcomes of calls" counts={counts.outcomes} />
        <Counts title="Calls, by function" counts={counts.functions} />
        <Counts title="Programs, by type" counts={counts.types} />
        <Counts title="Broken checks" counts={counts.checks} />
      </div>
      {missed.length === 0 ? null : (
        <details>
          <summary>{missed.length} functions were never called</summary>
          <p class="names">{missed.join(', ')}</p>
        </details>
      )}
    </section>
  );
}
