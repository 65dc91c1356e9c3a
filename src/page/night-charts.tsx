/** How a night went: programs, rate, coverage and findings over time, and over the runs of a campaign. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { PageCase, PageNight, PageSample } from '../report/page/shape.js';
import { Chart, type ChartProps } from './chart.js';
import { span } from './words.js';

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

/** The charts of a night; nothing where it has too little to draw. */
export function NightCharts({
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
