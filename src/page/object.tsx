/** A program of an object: verdict, bounds as heat over insns and C lines, the worst place to be killed, and what becomes of each call. */
import type { JSX } from 'preact';
import type { PageBound, PageListing, PageObject, PageSite } from '../report/page/shape.js';
import { linkTo } from './route.js';
import { count, Head } from './table.js';
import { Badge, NumberCell, number, Scroll, toneOf } from './words.js';

/** A bound in a word. */
function boundInWords(bound: PageBound | null): string {
  if (bound === null) return '–';
  if (bound.insns === null) return 'unbounded';
  return bound.ms === null
    ? `${number(bound.insns)} insns`
    : `${number(bound.ms)} ms and ${number(bound.insns)} insns`;
}

/** The table of all programs. */
export function ObjectList({ objects }: { readonly objects: readonly PageObject[] }): JSX.Element {
  return (
    <section aria-labelledby="objects-title">
      <h2 id="objects-title">Programs</h2>
      <table class="list">
        <caption class="sr">Programs, as they were proven</caption>
        <Head
          columns={['verdict', 'program', 'type', count('insns'), count('points'), 'bound', 'rules', 'why']}
        />
        <tbody>
          {objects.map((one) => (
            <tr key={one.id}>
              <td>
                <Badge tone={toneOf(one.verdict)}>{one.verdict}</Badge>
              </td>
              <td>
                <a href={linkTo(['object', one.id])}>{one.name}</a> <span class="muted">{one.file}</span>
              </td>
              <td>{one.type}</td>
              <NumberCell label="insns">{number(one.insns)}</NumberCell>
              <NumberCell label="points">{number(one.points)}</NumberCell>
              <td data-label="bound">{boundInWords(one.bound)}</td>
              <td>{one.rules}</td>
              <td class="message">{one.reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The view of one program. */
export function ObjectView({ one }: { readonly one: PageObject }): JSX.Element {
  const {
    name,
    file,
    type,
    rules,
    verdict,
    reason,
    advice,
    refusal,
    insns,
    points,
    queries,
    bound,
    boundKind,
  } = one;
  const { worstPath, sites, loops, listing, witness } = one;
  const heat = heatOf(one);
  return (
    <article class="object">
      <header>
        <h1>
          <Badge tone={toneOf(verdict)}>{verdict}</Badge> {name}
        </h1>
        <p class="muted lead">
          {file}, {type}, under {rules}
        </p>
      </header>
      {reason === '' ? null : (
        <p class="trouble">
          {reason}
          {advice === '' ? '' : ` (${advice})`}
        </p>
      )}
      {witness === null ? null : (
        <p>
          <a class="action" href={linkTo(['case', witness])}>
            Step through the run that refutes it
          </a>
        </p>
      )}
      {refusal.length === 0 ? null : <pre>{refusal.join('\n')}</pre>}
      <dl class="figures">
        <div class="figure">
          <dt>longest killed run</dt>
          <dd>
            <b>{boundInWords(bound)}</b>
            <span class="muted">{boundKind === null ? 'not worked out' : boundKind}</span>
          </dd>
        </div>
        <div class="figure">
          <dt>termination points</dt>
          <dd>
            <b>{number(points)}</b>
            <span class="muted">{number(insns)} insns</span>
          </dd>
        </div>
        <div class="figure">
          <dt>calls</dt>
          <dd>
            <b>{sites.length}</b>
            <span class="muted">
              {sites.filter(({ action }) => action === 'stub').length} replaced,{' '}
              {sites.filter(({ action }) => action !== 'stub').length} kept; {number(queries)} questions to Z3
            </span>
          </dd>
        </div>
      </dl>
      {worstPath.length === 0 || listing === null ? null : <WorstPlace {...{ worstPath, listing, heat }} />}
      {loops.length === 0 ? null : (
        <section aria-labelledby="loops-title">
          <h2 id="loops-title">Loops that no number of insns bounds</h2>
          <ul>
            {loops.map(({ slot, by, endless }) => (
              <li key={slot}>
                insn {slot}, {by}
                {endless === null ? ', ended by time' : `: ${endless}`}
              </li>
            ))}
          </ul>
        </section>
      )}
      {sites.length === 0 ? null : <Sites sites={sites} listing={listing} />}
      {listing === null || heat.size === 0 ? null : <Lines {...{ listing, heat }} />}
      {listing === null ? null : <HeatListing {...{ one, listing, heat }} />}
    </article>
  );
}

/** By slot, the bound and how it compares with the worst, from 0 to 1. */
type Heat = ReadonlyMap<number, { readonly bound: PageBound; readonly share: number }>;

function heatOf({ bounds }: PageObject): Heat {
  const size = ({ insns, ms }: PageBound): number =>
    insns === null ? Number.POSITIVE_INFINITY : insns + (ms ?? 0) * 1e6;
  const all = Object.entries(bounds).map(([slot, bound]) => ({
    slot: Number(slot),
    bound,
    size: size(bound),
  }));
  const most = Math.max(1, ...all.map((one) => one.size).filter(Number.isFinite));
  return new Map(all.map(({ slot, bound, size: own }) => [slot, { bound, share: Math.min(1, own / most) }]));
}

function lineOf({ insns, lines }: PageListing, slot: number): string {
  const line = insns.find((one) => one.slot === slot)?.line;
  const found = line === undefined ? undefined : lines[line];
  return found === undefined ? '' : `${found.file.replace(/^.*\//, '')}:${found.line}: ${found.text}`;
}

/** Insns of a way that are listed at the most. */
const MOST_WAY = 400;

function WorstPlace({
  worstPath,
  listing,
  heat,
}: {
  readonly worstPath: readonly number[];
  readonly listing: PageListing;
  readonly heat: Heat;
}): JSX.Element {
  const [first] = worstPath;
  const text = (slot: number): string => listing.insns.find((one) => one.slot === slot)?.text ?? '';
  return (
    <section aria-labelledby="worst-title">
      <h2 id="worst-title">The worst place to be killed</h2>
      <p>
        Before insn {first} <code>{text(first!)}</code>: {boundInWords(heat.get(first!)?.bound ?? null)} to
        the exit. <span class="muted">{lineOf(listing, first!)}</span>
      </p>
      <details>
        <summary>its way to the exit, {worstPath.length} insns; a loop is gone through once</summary>
        <Scroll name="The way to the exit">
          <ol class="way">
            {worstPath.slice(0, MOST_WAY).map((slot, i) => (
              // a way may come to one insn twice
              <li key={i}>
                <span class="slot">{slot}</span> <code>{text(slot)}</code>{' '}
                <span class="muted">{lineOf(listing, slot)}</span>
              </li>
            ))}
          </ol>
        </Scroll>
      </details>
    </section>
  );
}

const SETTLED: Readonly<Record<string, string>> = {
  outcome: 'an outcome that is possible here',
  kept: 'right to keep',
  pad: 'goes to its landing pad',
  'no outcome': 'no outcome that is possible here',
  refusable: 'may acquire, and could be refused',
  lasting: 'may take long, and could be refused',
  unknown: 'not known',
};

function Sites({
  sites,
  listing,
}: {
  readonly sites: readonly PageSite[];
  readonly listing: PageListing | null;
}): JSX.Element {
  const isRight = (settled: string): boolean => ['outcome', 'kept', 'pad'].includes(settled);
  return (
    <section aria-labelledby="sites-title">
      <h2 id="sites-title">What becomes of each call after a kill</h2>
      <table class="list">
        <caption class="sr">Calls and what the rules do there</caption>
        <Head columns={[count('insn'), 'function', 'after a kill', 'rule', 'is that right', 'line']} />
        <tbody>
          {sites.map(({ slot, function: name, action, rule, does, settled, may }) => (
            <tr key={slot}>
              <NumberCell label="insn">{slot}</NumberCell>
              <th scope="row">{name}</th>
              <td>
                {action === 'stub' ? `replaced: ${does}` : action === 'keep' ? 'kept' : 'to its landing pad'}
                {may.length === 0 ? '' : `; may ${may.join(', ')}`}
              </td>
              <td class="muted">{rule ?? 'no rule'}</td>
              <td>
                <Badge tone={isRight(settled) ? 'good' : settled === 'unknown' ? 'open' : 'bad'}>
                  {SETTLED[settled] ?? settled}
                </Badge>
              </td>
              <td class="muted message">{listing === null ? '' : lineOf(listing, slot)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The lines of C, each with the longest run of a kill at one of its insns. */
function Lines({
  listing,
  heat,
}: {
  readonly listing: PageListing;
  readonly heat: Heat;
}): JSX.Element | null {
  const rows = listing.lines.flatMap((line, i) => {
    const here = listing.insns.flatMap(({ slot, line: of }) => {
      const one = of === i ? heat.get(slot) : undefined;
      return one === undefined ? [] : [one];
    });
    const worst = here.sort((a, b) => b.share - a.share)[0];
    return worst === undefined ? [] : [{ line, ...worst }];
  });
  if (rows.length === 0) return null;
  const sorted = rows.sort((a, b) =>
    a.line.file === b.line.file ? a.line.line - b.line.line : a.line.file < b.line.file ? -1 : 1,
  );
  return (
    <section aria-labelledby="lines-title">
      <h2 id="lines-title">Lines of C, and how long a run killed there still takes</h2>
      <table class="heat">
        <caption class="sr">Lines of C by their longest killed run</caption>
        <tbody>
          {sorted.map(({ line, bound, share }) => (
            <tr key={`${line.file}:${line.line}`}>
              <th scope="row" class="where">
                {line.file.replace(/^.*\//, '')}:{line.line}
              </th>
              <td class="code" style={{ '--heat': `${share * 100}%` }}>
                {line.text}
              </td>
              <td class="number">{boundInWords(bound)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function HeatListing({
  one,
  listing,
  heat,
}: {
  readonly one: PageObject;
  readonly listing: PageListing;
  readonly heat: Heat;
}): JSX.Element {
  const way = new Set(one.worstPath);
  return (
    <details class="heat-listing" open={listing.insns.length <= 120}>
      <summary>All insns, with the longest run of a kill at each; • is on the way of the worst</summary>
      <table class="heat">
        <caption class="sr">Insns by their longest killed run</caption>
        <tbody>
          {listing.insns.map(({ slot, text }) => {
            const own = heat.get(slot);
            return (
              <tr key={slot} class={way.has(slot) ? 'on-way' : ''}>
                <th scope="row" class="where">
                  {way.has(slot) ? '• ' : ''}
                  {slot}
                </th>
                <td class="code" style={{ '--heat': `${(own?.share ?? 0) * 100}%` }}>
                  {text}
                </td>
                <td class="number">{own === undefined ? '' : boundInWords(own.bound)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </details>
  );
}
