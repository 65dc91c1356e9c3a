/** A night: what was run, how far it came, what it found, and what it has exercised. */
import type { ComponentChildren, JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { PageCase, PageCounts, PageNight, PageSample } from '../report/page/shape.js';
import { Chart, type ChartProps } from './chart.js';
import { Matrix } from './matrix.js';
import { linkTo, type Route } from './route.js';
import { Badge, moment, NumberCell, number, Sentence, span } from './words.js';

/** The view of a campaign. */
export function Night({
  night,
  cases,
  route,
  theme,
}: {
  readonly night: PageNight;
  readonly cases: readonly PageCase[];
  readonly route: Route;
  readonly theme: string;
}): JSX.Element {
  const fresh = cases.filter(({ status }) => status === 'new' || status === 'back');
  const [run] = night.runs.slice(-1);
  return (
    <>
      <h1>
        Seed {night.seed}, rules {night.rules.join(', ')}{' '}
        {night.finished ? null : <Badge tone="open">stopped before its end</Badge>}
      </h1>
      {run === undefined ? null : (
        <p class="muted lead">
          Last run begun {moment(run.begun)}
          {run.how === null ? ', still running or killed' : `, ${run.how}`}; swansong {run.version}, code{' '}
          {run.code}.
        </p>
      )}
      <Figures night={night} cases={cases} fresh={fresh.length} />
      {fresh.length === 0 ? null : <Fresh fresh={fresh} />}
      {night.gone.length === 0 ? null : <GoneList night={night} />}
      <Charts night={night} cases={cases} theme={theme} />
      <RuleFigures night={night} />
      <Matrix cells={night.matrix} rules={night.rules} route={route} />
      <Troubles night={night} />
      <Exercised night={night} />
      <Runs night={night} />
    </>
  );
}

function Figures({
  night,
  cases,
  fresh,
}: {
  readonly night: PageNight;
  readonly cases: readonly PageCase[];
  readonly fresh: number;
}): JSX.Element {
  const open = cases.filter(({ status, check }) => check !== null && status !== 'gone').length;
  const proofs = night.proven + night.refuted + night.unknown;
  const kernel =
    night.kernelAccepted === null
      ? ''
      : `; Linux accepted ${number(night.kernelAccepted)}, refused ${number(night.kernelRejected ?? 0)}`;
  return (
    <dl class="figures">
      <Figure
        name="findings"
        href={linkTo(['findings'])}
        tone={open > 0 ? 'bad' : 'good'}
        value={number(open)}
      >
        {fresh === 0 ? 'none is new' : `${fresh} new`}
        {night.gone.length === 0 ? '' : `, ${night.gone.length} gone`}
      </Figure>
      <Figure name="programs" value={number(night.programs)}>
        {number(night.accepted)} accepted{kernel}
      </Figure>
      <Figure name="termination points" value={number(night.points)}>
        at most {number(night.worst)} insns from a kill to the exit
      </Figure>
      <Figure name="program proofs" value={proofs === 0 ? '–' : number(night.proven)}>
        {proofs === 0
          ? 'not asked for'
          : `proven; ${number(night.refuted)} refuted, ${number(night.unknown)} unknown`}
      </Figure>
      <Figure
        name="disagreements"
        tone={night.disagreementCount > 0 ? 'bad' : 'good'}
        value={number(night.disagreementCount)}
      >
        of our own checkers
      </Figure>
      <Figure name="time" value={span(night.seconds)}>
        {night.programsPerSecond} programs a second
      </Figure>
    </dl>
  );
}

function Figure({
  name,
  value,
  href,
  tone,
  children,
}: {
  readonly name: string;
  readonly value: string;
  readonly href?: string;
  readonly tone?: 'bad' | 'good';
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class={`figure ${tone ?? ''}`}>
      <dt>{name}</dt>
      <dd>
        <b>{href === undefined ? value : <a href={href}>{value}</a>}</b>
        <span class="muted">{children}</span>
      </dd>
    </div>
  );
}

/** New findings that are listed here at the most; the list of all has the others. */
const MOST_NEW = 12;

function Fresh({ fresh }: { readonly fresh: readonly PageCase[] }): JSX.Element {
  return (
    <section aria-labelledby="fresh-title">
      <h2 id="fresh-title">New in the last run</h2>
      <ul class="fresh">
        {fresh.slice(0, MOST_NEW).map(({ id, check, title, function: name, rules }) => (
          <li key={id}>
            <Badge tone="bad">{check}</Badge> <a href={linkTo(['case', id])}>{name ?? id}</a>{' '}
            <span class="muted">{rules}</span> <Sentence text={title} />
          </li>
        ))}
      </ul>
      {fresh.length <= MOST_NEW ? null : (
        <p>
          <a href={linkTo(['findings'], { status: 'new' })}>all {fresh.length}</a>
        </p>
      )}
    </section>
  );
}

function GoneList({ night }: { readonly night: PageNight }): JSX.Element {
  return (
    <section aria-labelledby="gone-title">
      <h2 id="gone-title">Gone</h2>
      <table class="list">
        <caption class="sr">Findings that were there before and are not any more</caption>
        <thead>
          <tr>
            <th scope="col">check</th>
            <th scope="col">function</th>
            <th scope="col">rule</th>
            <th scope="col">first seen</th>
            <th scope="col">gone since</th>
          </tr>
        </thead>
        <tbody>
          {night.gone.map((one) => (
            <tr key={`${one.check} ${one.rules} ${one.function} ${one.firstSeen.at}`} class="gone">
              <td>{one.check}</td>
              <td>
                {one.case === null ? one.function : <a href={linkTo(['case', one.case])}>{one.function}</a>}
              </td>
              <td class="muted">
                {one.rules}: {one.rule}
              </td>
              <td class="nowrap">{moment(one.firstSeen.at)}</td>
              <td class="nowrap">
                {moment(one.goneSince.at)} {one.new ? <Badge tone="new">new</Badge> : null}{' '}
                <span class="muted">code {one.goneSince.code}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The samples on one axis of time: the time of earlier runs counts, the time between them does not. */
function timeOf(samples: readonly PageSample[]): readonly number[] {
  const before = new Map<number, number>();
  let sum = 0;
  let last: PageSample | undefined;
  return samples.map((one) => {
    if (last !== undefined && last.run !== one.run) sum += last.at;
    if (!before.has(one.run)) before.set(one.run, sum);
    last = one;
    return (before.get(one.run) ?? 0) + one.at;
  });
}

function rateOf(samples: readonly PageSample[]): readonly (number | null)[] {
  return samples.map((one, i) => {
    const last = samples[i - 1];
    if (last === undefined || last.run !== one.run || one.at <= last.at) return null;
    return (one.programs - last.programs) / (one.at - last.at);
  });
}

function Charts({
  night,
  cases,
  theme,
}: {
  readonly night: PageNight;
  readonly cases: readonly PageCase[];
  readonly theme: string;
}): JSX.Element | null {
  const { samples, runs } = night;
  const charts = useMemo(
    () => [...overPrograms(samples), ...overFindings(foundAt(night, cases)), ...overRuns(runs)],
    [night, cases, samples, runs],
  );
  if (charts.length === 0) return null;
  return (
    <section aria-labelledby="charts-title">
      <h2 id="charts-title">Over time</h2>
      <div class="charts">
        {charts.map((one) => (
          <Chart key={one.title} {...one} theme={theme} />
        ))}
      </div>
    </section>
  );
}

/** What a chart shows, without its colours. */
type Drawn = Omit<ChartProps, 'theme'>;

/** What was sampled while the campaign ran; none where that is too little. */
function overPrograms(samples: readonly PageSample[]): readonly Drawn[] {
  // A campaign that was begun anew counts from nothing again.
  const from = samples.findLastIndex((one, i) => i > 0 && one.programs < samples[i - 1]!.programs);
  const own = samples.slice(Math.max(0, from));
  const times = timeOf(own);
  if (times.length <= 2) return [];
  const programs = own.map((one) => one.programs);
  const inTime = { along: 'time', xs: times, name: span };
  return [
    {
      ...inTime,
      title: 'Progress: programs',
      lines: [{ label: 'programs', colour: '--accent', values: programs }],
    },
    {
      ...inTime,
      title: 'Rate: programs a second',
      lines: [{ label: 'programs a second', colour: '--accent', values: rateOf(own) }],
    },
    {
      title: 'Coverage: different things exercised',
      along: 'programs',
      xs: programs,
      lines: [
        {
          label: 'different things exercised',
          colour: '--good',
          values: own.map(({ features }) => features),
        },
      ],
    },
    {
      ...inTime,
      title: 'Causes found',
      lines: [{ label: 'causes', colour: '--bad', values: own.map(({ causes }) => causes), form: 'steps' }],
    },
  ];
}

function overFindings(found: readonly { readonly at: number }[]): readonly Drawn[] {
  if (found.length < 2) return [];
  const values = found.map((_, i) => i + 1);
  return [
    {
      title: 'Time to each finding',
      along: 'time since its run began',
      xs: found.map(({ at }) => at),
      lines: [{ label: 'findings', colour: '--bad', values, form: 'points' }],
      name: span,
    },
  ];
}

function overRuns(runs: PageNight['runs']): readonly Drawn[] {
  if (runs.length < 2) return [];
  return [
    {
      title: 'Findings by run',
      along: 'runs, oldest first',
      xs: runs.map((_, i) => i + 1),
      lines: [
        { label: 'there', colour: '--accent', values: runs.map(({ there }) => there), form: 'steps' },
        { label: 'new', colour: '--bad', values: runs.map((one) => one.new), form: 'points' },
        { label: 'gone', colour: '--good', values: runs.map(({ gone }) => gone), form: 'points' },
      ],
    },
  ];
}

/** Seconds from the beginning of its run to each finding, ascending. */
function foundAt({ runs }: PageNight, cases: readonly PageCase[]): readonly { readonly at: number }[] {
  return cases
    .flatMap(({ firstSeen }) => {
      if (firstSeen === null) return [];
      const seen = Date.parse(firstSeen.at);
      const run = runs.findLast(({ begun }) => Date.parse(begun) <= seen);
      return run === undefined ? [] : [{ at: (seen - Date.parse(run.begun)) / 1000 }];
    })
    .sort((a, b) => a.at - b.at);
}

function RuleFigures({ night }: { readonly night: PageNight }): JSX.Element {
  return (
    <section aria-labelledby="rules-title">
      <h2 id="rules-title">Rule sets</h2>
      <table class="list">
        <caption class="sr">Figures of each rule set</caption>
        <thead>
          <tr>
            <th scope="col">rules</th>
            <th scope="col" class="number">
              proven
            </th>
            <th scope="col" class="number">
              refuted
            </th>
            <th scope="col" class="number">
              unknown
            </th>
            <th scope="col" class="number">
              causes
            </th>
            <th scope="col">killed runs that broke a check</th>
          </tr>
        </thead>
        <tbody>
          {night.byRules.map(({ rules, proven, refuted, unknown, causes, broken }) => (
            <tr key={rules}>
              <th scope="row">{rules}</th>
              <NumberCell label="proven">{number(proven)}</NumberCell>
              <NumberCell label="refuted">{number(refuted)}</NumberCell>
              <NumberCell label="unknown">{number(unknown)}</NumberCell>
              <NumberCell label="causes">
                <a href={linkTo(['findings'], { rules })}>{number(causes)}</a>
              </NumberCell>
              <td>
                {Object.entries(broken).map(([check, count], i) => (
                  <span key={check}>
                    {i === 0 ? '' : ', '}
                    <a href={linkTo(['findings'], { rules, check })}>
                      {check} {number(count)}
                    </a>
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Troubles({ night }: { readonly night: PageNight }): JSX.Element {
  const { unknowns, disagreements, disagreementCount } = night;
  return (
    <section aria-labelledby="troubles-title">
      <h2 id="troubles-title">Unknown, and disagreed</h2>
      {disagreementCount === 0 ? (
        <p>
          <Badge tone="good">no two checkers disagree</Badge>
        </p>
      ) : (
        <>
          <p>
            <Badge tone="bad">{number(disagreementCount)} disagreements</Badge> A disagreement is a bug of
            swansong’s own.
          </p>
          <ul>
            {disagreements.map(({ program, between, message }) => (
              <li key={`${program} ${between} ${message}`}>
                program {program}, {between}: {message}
              </li>
            ))}
          </ul>
        </>
      )}
      {unknowns.length === 0 ? (
        <p class="muted">No proof gave up.</p>
      ) : (
        <details open={unknowns.length <= 20}>
          <summary>{unknowns.length} proofs gave up</summary>
          <ul>
            {unknowns.map(({ program, rules, reason }) => (
              <li key={`${program} ${rules}`}>
                program {program} under {rules}: {reason}{' '}
                <code class="muted">
                  fuzz --seed {night.seed} --rules {rules} --program {program}
                </code>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

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

function Exercised({ night }: { readonly night: PageNight }): JSX.Element {
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

function Runs({ night }: { readonly night: PageNight }): JSX.Element | null {
  if (night.runs.length === 0) return null;
  return (
    <section aria-labelledby="runs-title">
      <h2 id="runs-title">What was run</h2>
      <table class="list">
        <caption class="sr">Runs of this campaign, the latest first</caption>
        <thead>
          <tr>
            <th scope="col">begun</th>
            <th scope="col">took</th>
            <th scope="col">ended</th>
            <th scope="col">code</th>
            <th scope="col">seed</th>
            <th scope="col">rules</th>
            <th scope="col" class="number">
              programs
            </th>
            <th scope="col" class="number">
              new
            </th>
            <th scope="col" class="number">
              there
            </th>
            <th scope="col" class="number">
              gone
            </th>
          </tr>
        </thead>
        <tbody>
          {[...night.runs].reverse().map((run) => (
            <tr key={run.begun}>
              <td class="nowrap">{moment(run.begun)}</td>
              <td data-label="took">
                {run.ended === null ? '–' : span((Date.parse(run.ended) - Date.parse(run.begun)) / 1000)}
              </td>
              <td>{run.how ?? 'killed, or still running'}</td>
              <td class="muted">
                {run.version} {run.code}
              </td>
              <NumberCell label="seed">{run.seed}</NumberCell>
              <td>{run.rules.join(', ')}</td>
              <NumberCell label="programs">{number(run.programs)}</NumberCell>
              <NumberCell label="new">{run.new}</NumberCell>
              <NumberCell label="there">{run.there}</NumberCell>
              <NumberCell label="gone">{run.gone}</NumberCell>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
