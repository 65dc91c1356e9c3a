/** A chart over numbers, with the same numbers as a table for those who do not see it. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import { Head } from './table.js';
import { number, Scroll } from './words.js';

/** One line of a chart. */
export interface Line {
  readonly label: string;
  /** A custom property of the style sheet: `--accent`. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly form?: 'line' | 'steps' | 'bars' | 'points';
}

/** What a chart shows. */
export interface ChartProps {
  readonly title: string;
  /** What the numbers along the bottom are. */
  readonly along: string;
  readonly xs: readonly number[];
  readonly lines: readonly Line[];
  /** What stands at the bottom for a number; the number unless told. */
  readonly name?: (x: number) => string;
  /** How the page looks: the chart is drawn anew when that changes. */
  readonly theme: string;
}

const HEIGHT = 180;

/** The chart, as wide as its place. */
export function Chart({ title, along, xs, lines, name, theme }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  // `theme` is what the colours depend on
  useEffect(() => {
    const box = place.current;
    if (box === null) return;
    const style = getComputedStyle(box);
    const colour = (property: string): string => style.getPropertyValue(property).trim();
    const axis = {
      stroke: colour('--muted'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
    };
    const plot = new UPlot(
      {
        width: Math.max(200, box.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, points: { size: 6 } },
        scales: { x: { time: false } },
        axes: [
          {
            ...axis,
            size: 30,
            ...(name === undefined ? {} : { values: (_: UPlot, ticks: number[]) => ticks.map(name) }),
          },
          { ...axis, size: 56, values: (_: UPlot, ticks: number[]) => ticks.map(number) },
        ],
        series: [{}, ...lines.map((one) => seriesOf(one, colour))],
      },
      [xs as number[], ...lines.map(({ values }) => values as (number | null)[])],
      box,
    );
    const fit = (): void => plot.setSize({ width: Math.max(200, box.clientWidth), height: HEIGHT });
    const watcher = new ResizeObserver(fit);
    watcher.observe(box);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [xs, lines, name, theme]);
  return (
    <figure class="chart">
      <figcaption>
        {title}
        {lines.length > 1
          ? lines.map(({ label, colour }) => (
              <span class="key" key={label}>
                <i style={{ background: `var(${colour})` }} /> {label}
              </span>
            ))
          : null}
      </figcaption>
      <div ref={place} role="img" aria-label={`${title}: the figures are in the table below`} />
      <div class="along muted">{along}</div>
      <details>
        <summary>figures</summary>
        <Scroll name={`Figures of ${title}`}>
          <table>
            <Head columns={[along, ...lines.map(({ label }) => label)]} />
            <tbody>
              {xs.map((x, i) => (
                // two moments may have the same number
                <tr key={i}>
                  <th scope="row">{name === undefined ? number(x) : name(x)}</th>
                  {lines.map(({ label, values }) => (
                    <td class="number" key={label}>
                      {values[i] == null ? '' : number(Math.round(values[i] * 100) / 100)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </figure>
  );
}

function seriesOf({ label, colour, form = 'line' }: Line, read: (property: string) => string): UPlot.Series {
  const stroke = read(colour);
  const common = { label, stroke, width: 2, points: { show: form === 'points', size: 7, fill: stroke } };
  switch (form) {
    case 'steps':
      return { ...common, paths: UPlot.paths.stepped!({ align: 1 }) };
    case 'bars':
      return { ...common, fill: stroke, paths: UPlot.paths.bars!({ size: [0.6, 40] }) };
    case 'points':
      return { ...common, paths: () => null };
    default:
      return common;
  }
}
