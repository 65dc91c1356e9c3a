/** A night: what was run, how far it came, what it found, and what it has exercised. */
import type { ComponentChildren, JSX } from 'preact';
import type { PageCase, PageNight } from '../report/page/shape.js';
import { Exercised } from './exercised.js';
import { Matrix } from './matrix.js';
import { NightCharts } from './night-charts.js';
import { linkTo, type Route } from './route.js';
import { count, Head } from './table.js';
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
      <NightCharts night={night} cases={cases} theme={theme} />
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
        <Head columns={['check', 'function', 'rule', 'first seen', 'gone since']} />
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

function RuleFigures({ night }: { readonly night: PageNight }): JSX.Element {
  return (
    <section aria-labelledby="rules-title">
      <h2 id="rules-title">Rule sets</h2>
      <table class="list">
        <caption class="sr">Figures of each rule set</caption>
        <Head
          columns={[
            'rules',
            count('proven'),
            count('refuted'),
            count('unknown'),
            count('causes'),
            'killed runs that broke a check',
          ]}
        />
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

function Runs({ night }: { readonly night: PageNight }): JSX.Element | null {
  if (night.runs.length === 0) return null;
  return (
    <section aria-labelledby="runs-title">
      <h2 id="runs-title">What was run</h2>
      <table class="list">
        <caption class="sr">Runs of this campaign, the latest first</caption>
        <Head
          columns={[
            'begun',
            'took',
            'ended',
            'code',
            'seed',
            'rules',
            count('programs'),
            count('new'),
            count('there'),
            count('gone'),
          ]}
        />
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
