/** Policies: programs beside their limits, and hooks under load as charts. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { PageDocument } from '../report/page/shape.js';
import { Chart, type Line } from './chart.js';
import { count, Head } from './table.js';
import { Badge, NumberCell, number, Scroll } from './words.js';

/** A program of `policy check`, as far as the page shows it. Nanoseconds. */
interface CheckedProgram {
  readonly file: string;
  readonly name: string;
  readonly limit: { readonly hook: string; readonly time: number; readonly action: string } | null;
  readonly verdict: string;
  readonly ok: boolean;
  readonly reason: string;
  readonly best: number | null;
  readonly worst: number | null;
  readonly timeToDie: number | null;
}

/** A hook of `policy simulate` at one combination of values. Nanoseconds. */
interface HookResult {
  readonly name: string;
  readonly throughput: number;
  readonly latency: { readonly median: number; readonly p99: number } | null;
  readonly kills: number;
  readonly denied: number;
  readonly leaked: number;
}

interface Point {
  readonly values: Readonly<Record<string, number | string>>;
  readonly hooks: readonly HookResult[];
}

/** What a time is called: `1.2 ms`. */
function time(ns: number | null | undefined): string {
  if (ns === null || ns === undefined) return '–';
  const units: readonly (readonly [string, number])[] = [
    ['s', 1e9],
    ['ms', 1e6],
    ['µs', 1e3],
  ];
  const [unit, size] = units.find(([, least]) => ns >= least) ?? ['ns', 1];
  return `${Math.round((ns / size) * 10) / 10} ${unit}`;
}

/** The view of a document of `policy check`; null where it is of another command. */
export function PolicyCheck({
  one: { schema, body, file },
}: {
  readonly one: PageDocument;
}): JSX.Element | null {
  const { programs } = body;
  if (!schema.startsWith('swansong/policy-check/') || !Array.isArray(programs)) return null;
  return (
    <>
      <h1>Programs and their limits</h1>
      <p class="muted lead">
        {file}: policy {String(body.policy)}, under {String(body.rules)}
      </p>
      <Scroll name="Programs and their limits">
        <table class="list">
          <caption class="sr">Programs and their limits</caption>
          <Head
            columns={[
              'verdict',
              'program',
              'hook',
              count('limit'),
              'then',
              count('best'),
              count('worst'),
              count('dies in'),
              'why',
            ]}
          />
          <tbody>
            {(programs as readonly CheckedProgram[]).map((row) => (
              <tr key={`${row.file}:${row.name}`}>
                <td>
                  <Badge tone={row.ok ? 'good' : 'bad'}>{row.verdict}</Badge>
                </td>
                <td>
                  {row.name} <span class="muted">{row.file}</span>
                </td>
                <td>{row.limit?.hook ?? 'no limit'}</td>
                <NumberCell label="limit">{time(row.limit?.time)}</NumberCell>
                <td>{row.limit?.action ?? ''}</td>
                <NumberCell label="best">{time(row.best)}</NumberCell>
                <NumberCell label="worst">{time(row.worst)}</NumberCell>
                <NumberCell label="dies in">{time(row.timeToDie)}</NumberCell>
                <td class="message">{row.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}

const COLOURS = ['--accent', '--bad', '--good', '--open', '--muted'];

/** The points of a simulation; undefined for documents of other commands. */
export function seriesOf({ schema, body }: PageDocument): readonly Point[] | undefined {
  const { series } = body;
  return schema.startsWith('swansong/policy-simulate/') && Array.isArray(series) && series.length > 0
    ? (series as readonly Point[])
    : undefined;
}

/** Charts of hooks under load: throughput and latency over the first number that is swept, a line for each hook and each of the other values. */
export function Simulation({
  one,
  series,
  theme,
}: {
  readonly one: PageDocument;
  readonly series: readonly Point[];
  readonly theme: string;
}): JSX.Element {
  const swept = Object.keys(series[0]?.values ?? {});
  const along = swept.find((name) => series.every(({ values }) => typeof values[name] === 'number'));
  const drawn = useMemo(() => linesOf(series, along), [series, along]);
  return (
    <>
      <h1>Hooks under load</h1>
      <p class="muted lead">
        {one.file}: policy {String(one.body.policy)}, under {String(one.body.rules)}, seed{' '}
        {String(one.body.seed)}
      </p>
      {along === undefined ? null : (
        <div class="charts">
          <Chart
            title="Operations a second"
            along={along}
            xs={drawn.xs}
            lines={drawn.throughput}
            theme={theme}
          />
          <Chart
            title="Latency of 99 of 100, µs"
            along={along}
            xs={drawn.xs}
            lines={drawn.p99}
            theme={theme}
          />
        </div>
      )}
      <h2>All points</h2>
      <Scroll name="Hooks at each point">
        <table class="list">
          <caption class="sr">Hooks at each point</caption>
          <Head
            columns={[
              ...swept,
              'hook',
              count('operations a second'),
              count('median'),
              count('p99'),
              count('kills'),
              count('denied'),
              count('leaked'),
            ]}
          />
          <tbody>
            {series.flatMap(({ values, hooks }) =>
              hooks.map((hook) => (
                <tr key={`${Object.values(values).join()} ${hook.name}`}>
                  {swept.map((name) => (
                    <td key={name} data-label={name}>
                      {values[name]}
                    </td>
                  ))}
                  <td>{hook.name}</td>
                  <NumberCell label="operations a second">{number(Math.round(hook.throughput))}</NumberCell>
                  <NumberCell label="median">{time(hook.latency?.median)}</NumberCell>
                  <NumberCell label="p99">{time(hook.latency?.p99)}</NumberCell>
                  <NumberCell label="kills">{number(hook.kills)}</NumberCell>
                  <NumberCell label="denied">{number(hook.denied)}</NumberCell>
                  <NumberCell label="leaked">{number(hook.leaked)}</NumberCell>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}

function linesOf(
  series: readonly Point[],
  along: string | undefined,
): { readonly xs: readonly number[]; readonly throughput: readonly Line[]; readonly p99: readonly Line[] } {
  const at = ({ values }: Point): number => Number(along === undefined ? 0 : values[along]);
  const xs = [...new Set(series.map(at))].sort((a, b) => a - b);
  const byName = new Map<string, Map<number, HookResult>>();
  for (const point of series)
    for (const hook of point.hooks) {
      const others = Object.entries(point.values).flatMap(([name, value]) =>
        name === along ? [] : [`${name} ${value}`],
      );
      const name = [hook.name, ...others].join(', ');
      byName.set(name, (byName.get(name) ?? new Map<number, HookResult>()).set(at(point), hook));
    }
  const lines = (of: (hook: HookResult) => number | null): readonly Line[] =>
    [...byName].map(([label, hooks], i) => ({
      label,
      colour: COLOURS[i % COLOURS.length]!,
      values: xs.map((x) => {
        const hook = hooks.get(x);
        return hook === undefined ? null : of(hook);
      }),
    }));
  return {
    xs,
    throughput: lines(({ throughput }) => throughput),
    p99: lines(({ latency }) => (latency === null ? null : latency.p99 / 1000)),
  };
}
