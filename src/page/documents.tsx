/** Documents of other commands: the comparison of ways to stop a program with its charts, and any other as tables. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { PageDocument } from '../report/page/shape.js';
import { Chart, type Line } from './chart.js';
import { PolicyCheck, Simulation, seriesOf } from './policies.js';
import { count, Head } from './table.js';
import { Badge, NumberCell, number, Scroll } from './words.js';

/** The view of all documents. */
export function Documents({
  documents,
  theme,
}: {
  readonly documents: readonly PageDocument[];
  readonly theme: string;
}): JSX.Element {
  return (
    <>
      {documents.map((one) => (
        <div key={one.file} class="document">
          <OneDocument one={one} theme={theme} />
        </div>
      ))}
    </>
  );
}

function OneDocument({ one, theme }: { readonly one: PageDocument; readonly theme: string }): JSX.Element {
  if (strategiesOf(one) !== undefined) return <Design one={one} theme={theme} />;
  const series = seriesOf(one);
  if (series !== undefined) return <Simulation {...{ one, series, theme }} />;
  return PolicyCheck({ one }) ?? <Anything one={one} />;
}

/** What a document is called: `design`, of `swansong/design/1`. */
export const titleOf = ({ schema }: PageDocument): string =>
  schema.split('/')[1]?.replaceAll('-', ' ') ?? schema;

type Counts = Readonly<Record<string, number>>;

interface Spread {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

/** A strategy of `design`, as far as the page shows it. */
interface Strategy {
  readonly name: string;
  readonly does?: string;
  readonly points: number;
  readonly leaks: Counts;
  readonly leakPoints?: number;
  readonly faults: number;
  readonly stopsAtOnce: number;
  readonly toEffect: Spread | null;
  readonly toExit: Spread | null;
  readonly extraInsns: number;
  readonly ordinaryInsns?: number;
  readonly bytes: number;
  readonly refused: Counts;
  /** Kinds of failures, each with the smallest case that shows it. */
  readonly failures?: readonly {
    readonly check: string;
    readonly kind: string;
    readonly points: number;
    readonly insns: number;
    readonly case: string;
  }[];
}

function strategiesOf({ schema, body }: PageDocument): readonly Strategy[] | undefined {
  const { strategies } = body;
  return schema.startsWith('swansong/design/') && Array.isArray(strategies)
    ? (strategies as readonly Strategy[])
    : undefined;
}

const sum = (counts: Counts): number => Object.values(counts).reduce((a, b) => a + b, 0);
const spread = (one: Spread | null): string =>
  one === null ? '–' : `${number(one.median)} / ${number(one.p99)} / ${number(one.max)}`;

function Design({ one, theme }: { readonly one: PageDocument; readonly theme: string }): JSX.Element {
  const strategies = strategiesOf(one)!;
  const kinds = [...new Set(strategies.flatMap(({ leaks }) => Object.keys(leaks)))].sort();
  const most = Math.max(1, ...strategies.flatMap(({ leaks }) => Object.values(leaks)));
  const xs = useMemo(() => strategies.map((_, i) => i + 1), [strategies]);
  const name = useMemo(() => (x: number) => strategies[Math.round(x) - 1]?.name ?? '', [strategies]);
  const lines = useMemo((): Readonly<Record<'die' | 'work', readonly Line[]>> => {
    const spreadLine = (label: string, colour: string, pick: (of: Spread) => number): Line => ({
      label,
      colour,
      values: strategies.map(({ toExit }) => (toExit === null ? null : pick(toExit))),
      form: 'points',
    });
    return {
      die: [
        spreadLine('median', '--good', ({ median }) => median),
        spreadLine('99 of 100', '--accent', ({ p99 }) => p99),
        spreadLine('longest', '--bad', ({ max }) => max),
      ],
      work: [
        {
          label: 'insns added to a run that is not killed',
          colour: '--accent',
          values: strategies.map(({ extraInsns }) => extraInsns),
          form: 'bars',
        },
      ],
    };
  }, [strategies]);
  return (
    <>
      <h1>Ways to stop a program, side by side</h1>
      <p class="muted lead">
        {one.file}: the same kills of the same runs under {strategies.length} strategies.
      </p>
      <Scroll name="Strategies">
        <table class="list">
          <caption class="sr">Strategies</caption>
          <Head
            columns={[
              'strategy',
              count('points'),
              count('leaks'),
              count('faults'),
              count('stops at once'),
              count('insns to its effect (median / p99 / max)'),
              count('insns to the end'),
              count('extra insns'),
              count('bytes'),
              'cannot take',
            ]}
          />
          <tbody>
            {strategies.map((of) => {
              const leaks = of.leakPoints ?? sum(of.leaks);
              return (
                <tr key={of.name}>
                  <th scope="row" title={of.does}>
                    {of.name}
                  </th>
                  <NumberCell label="points">{number(of.points)}</NumberCell>
                  <NumberCell label="leaks">
                    <Badge tone={leaks > 0 ? 'bad' : 'good'}>{number(leaks)}</Badge>
                  </NumberCell>
                  <NumberCell label="faults">
                    <Badge tone={of.faults > 0 ? 'bad' : 'good'}>{number(of.faults)}</Badge>
                  </NumberCell>
                  <NumberCell label="stops at once">{Math.round(of.stopsAtOnce * 1000) / 10} %</NumberCell>
                  <NumberCell label="to its effect">{spread(of.toEffect)}</NumberCell>
                  <NumberCell label="to the end">{spread(of.toExit)}</NumberCell>
                  <NumberCell label="extra insns">{number(of.extraInsns)}</NumberCell>
                  <NumberCell label="bytes">{number(of.bytes)}</NumberCell>
                  <td class="muted">
                    {Object.entries(of.refused)
                      .map(([reason, count]) => `${reason} (${number(count)})`)
                      .join(', ')}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      {kinds.length === 0 ? null : (
        <>
          <h2>What leaks, by strategy and resource</h2>
          <Scroll name="Leaks by strategy and resource">
            <table class="list leaks">
              <caption class="sr">Points at which something leaks</caption>
              <Head columns={['strategy', ...kinds.map(count)]} />
              <tbody>
                {strategies.map(({ name: of, leaks }) => (
                  <tr key={of}>
                    <th scope="row">{of}</th>
                    {kinds.map((kind) => (
                      <td
                        class="number warm"
                        key={kind}
                        data-label={kind}
                        style={{ '--heat': `${((leaks[kind] ?? 0) / most) * 100}%` }}
                      >
                        {leaks[kind] === undefined ? '' : number(leaks[kind])}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </>
      )}
      <Failures strategies={strategies} />
      <div class="charts">
        <Chart
          title="Time to die: insns from a kill to the end"
          along="strategy"
          {...{ xs, name, theme }}
          lines={lines.die}
        />
        <Chart
          title="Work of a run that is not killed"
          along="strategy"
          {...{ xs, name, theme }}
          lines={lines.work}
        />
      </div>
    </>
  );
}

/** The smallest program that shows each kind of failure of each strategy. */
function Failures({ strategies }: { readonly strategies: readonly Strategy[] }): JSX.Element | null {
  const all = strategies.flatMap(({ name, failures = [] }) => failures.map((one) => ({ name, ...one })));
  if (all.length === 0) return null;
  return (
    <>
      <h2>The smallest program for each failure</h2>
      {all.map(({ name, check, kind, points, insns, case: text }) => (
        <details key={`${name} ${check} ${kind}`}>
          <summary>
            {name}: <Badge tone="bad">{check}</Badge> {kind}, {number(points)} points, {insns} insns
          </summary>
          <pre>{text}</pre>
        </details>
      ))}
    </>
  );
}

type Value = unknown;
const isRecord = (value: Value): value is Readonly<Record<string, Value>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isPlain = (value: Value): value is string | number | boolean | null =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);
const inWords = (value: Value): string =>
  typeof value === 'number' ? number(value) : value === null ? '–' : String(value);

/** Rows of a table that are shown at the most; the document itself has all. */
const MOST_ROWS = 500;

/** Any document: plain members first, lists of objects as tables, all else as text. */
function Anything({ one }: { readonly one: PageDocument }): JSX.Element {
  const entries = Object.entries(one.body).filter(([name]) => name !== 'schema' && name !== 'version');
  const plain = entries.filter(([, value]) => isPlain(value));
  return (
    <>
      <h1>{titleOf(one)}</h1>
      <p class="muted lead">{one.file}</p>
      {plain.length === 0 ? null : (
        <dl class="facts">
          {plain.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{inWords(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {entries
        .filter(([, value]) => !isPlain(value))
        .map(([name, value]) => (
          <Member key={name} name={name} value={value} />
        ))}
    </>
  );
}

function Member({ name, value }: { readonly name: string; readonly value: Value }): JSX.Element {
  if (Array.isArray(value) && value.length > 0 && value.every(isRecord))
    return <Table name={name} rows={value} />;
  return (
    <details open={JSON.stringify(value).length < 400}>
      <summary>{name}</summary>
      <pre>{JSON.stringify(value, null, 1)}</pre>
    </details>
  );
}

function Table({
  name,
  rows,
}: {
  readonly name: string;
  readonly rows: readonly Readonly<Record<string, Value>>[];
}): JSX.Element {
  const shown = rows.slice(0, MOST_ROWS);
  const columns = [...new Set(shown.flatMap((row) => Object.keys(row)))];
  return (
    <>
      <h2>{name}</h2>
      <Scroll name={name}>
        <table class="list">
          <caption class="sr">{name}</caption>
          <Head
            columns={columns.map((column) =>
              typeof shown[0]?.[column] === 'number' ? count(column) : column,
            )}
          />
          <tbody>
            {shown.map((row, i) => (
              // nothing else tells rows of any document apart
              <tr key={i}>
                {columns.map((column) => {
                  const value = row[column];
                  const isNumber = typeof value === 'number';
                  return (
                    <td key={column} class={isNumber ? 'number' : 'message'} data-label={column}>
                      {value === undefined ? (
                        ''
                      ) : isPlain(value) ? (
                        inWords(value)
                      ) : (
                        <code>{JSON.stringify(value)}</code>
                      )}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {rows.length <= shown.length ? null : (
        <p class="muted">{rows.length - shown.length} rows more are in the document.</p>
      )}
    </>
  );
}
