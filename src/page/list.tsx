/** The findings, worst first. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { PageCase } from '../report/page/shape.js';
import { type Facet, Filters, filtered } from './filters.js';
import { linkTo, type Route } from './route.js';
import { Head } from './table.js';
import { Badge, moment, NumberCell } from './words.js';

const GRAVITY = ['leak', 'misuse', 'fault', 'disclosure', 'return', 'acquire', 'bound', 'holds'];
const STATUS = ['new', 'back', 'still there', '', 'gone'];

const FACETS: readonly Facet<PageCase>[] = [
  { name: 'check', label: 'check', of: ({ check }) => check ?? 'holds' },
  { name: 'rules', label: 'rules', of: ({ rules }) => rules },
  { name: 'rule', label: 'rule', of: ({ rule }) => rule ?? '–' },
  { name: 'status', label: 'status', of: ({ status }) => status ?? '–' },
];

/** What is searched. */
const textOf = ({ title, function: name, rule, rules, check, file, type }: PageCase): string =>
  [title, name, rule, rules, check, file, type].join(' ');

/** The worst first; of equally bad ones those that are new, then by function. */
function worstFirst(a: PageCase, b: PageCase): number {
  return (
    GRAVITY.indexOf(a.check ?? 'holds') - GRAVITY.indexOf(b.check ?? 'holds') ||
    STATUS.indexOf(a.status ?? '') - STATUS.indexOf(b.status ?? '') ||
    ((a.function ?? '') < (b.function ?? '') ? -1 : 1)
  );
}

/** All cases of the page in a table, the gravest check first, with filters over check, rules and status. */
export function FindingList({
  cases,
  route,
}: {
  readonly cases: readonly PageCase[];
  readonly route: Route;
}): JSX.Element {
  const sorted = useMemo(() => [...cases].sort(worstFirst), [cases]);
  const result = filtered(sorted, FACETS, textOf, route);
  const dated = cases.some(({ firstSeen, status }) => firstSeen !== null || status !== null);
  const counted = cases.some(({ hits }) => hits !== null);
  return (
    <section aria-labelledby="findings-title">
      <h2 id="findings-title">Findings</h2>
      <Filters items={sorted} facets={FACETS} route={route} what="findings" result={result} />
      <table class="list">
        <caption class="sr">Findings, the gravest check first</caption>
        <Head
          columns={[
            'check',
            'function to blame',
            'what its run says',
            'rule',
            'insns',
            ...(counted ? ['programs'] : []),
            ...(dated ? ['status'] : []),
            ...(dated ? ['first seen'] : []),
          ]}
        />
        <tbody>
          {result.shown.map((one) => (
            <FindingRow key={one.id} {...{ one, dated, counted }} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function FindingRow({
  one,
  dated,
  counted,
}: {
  readonly one: PageCase;
  readonly dated: boolean;
  readonly counted: boolean;
}): JSX.Element {
  const {
    id,
    check,
    function: name,
    title,
    rule,
    rules,
    insns,
    hits,
    status,
    firstSeen,
    goneSince,
    trouble,
  } = one;
  return (
    <tr class={status === 'gone' ? 'gone' : ''}>
      <td>
        {check === null ? (
          <Badge tone={trouble === null ? 'good' : 'open'}>{trouble === null ? 'holds' : 'not run'}</Badge>
        ) : (
          <Badge tone="bad">{check}</Badge>
        )}
      </td>
      <td>
        <a href={linkTo(['case', id])}>{name ?? id}</a>
      </td>
      <td class="message">{trouble ?? title}</td>
      <td class="muted">
        {rules}
        {rule === null ? '' : `: ${rule}`}
      </td>
      <NumberCell label="insns">{insns}</NumberCell>
      {counted ? <NumberCell label="programs">{hits ?? ''}</NumberCell> : null}
      {dated ? (
        <td>
          {status === null ? null : (
            <Badge tone={status === 'new' || status === 'back' ? 'new' : 'plain'}>
              {status}
              {goneSince === null ? '' : ` since ${moment(goneSince.at)}`}
            </Badge>
          )}
        </td>
      ) : null}
      {dated ? <td class="muted nowrap">{firstSeen === null ? '' : moment(firstSeen.at)}</td> : null}
    </tr>
  );
}
