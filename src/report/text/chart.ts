/** Line charts as SVG. */
import { scaleLinear, scalePoint } from 'd3-scale';
import { line as lineOf } from 'd3-shape';

/** A series of values under one name in the legend. */
export interface ChartLine {
  readonly name: string;
  readonly points: readonly (readonly [x: number | string, y: number])[];
}

/** What a chart shows. */
export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly ChartLine[];
}

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { left: 80, right: 190, top: 40, bottom: 56 } as const;
/** Told apart also by those who do not see all colours (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'] as const;
const TICKS = 6;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

const places = (value: number): string => String(Math.round(value * 100) / 100);

/** The chart, as the text of an SVG file. The same chart gives the same text. */
export function chartInSvg({ title, x, y, lines }: Chart): string {
  const points = lines.flatMap((one) => one.points);
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const across = xScale(
    points.map(([at]) => at),
    MARGIN.left,
    right,
  );
  const most = Math.max(0, ...points.map(([, value]) => value));
  const up = scaleLinear([0, most === 0 ? 1 : most], [bottom, MARGIN.top]).nice();
  const text = (at: number, down: number, words: string, more = ''): string =>
    `<text x="${places(at)}" y="${places(down)}"${more}>${escaped(words)}</text>`;
  const rule = (x1: number, y1: number, x2: number, y2: number, colour: string): string =>
    `<line x1="${places(x1)}" y1="${places(y1)}" x2="${places(x2)}" y2="${places(y2)}" stroke="${colour}"/>`;
  const yTicks = up
    .ticks(TICKS)
    .flatMap((value) => [
      rule(MARGIN.left, up(value), right, up(value), '#ddd'),
      text(MARGIN.left - 8, up(value) + 4, inShort(value), ' text-anchor="end"'),
    ]);
  const xTicks = across.ticks.flatMap((value) => [
    rule(across.at(value), bottom, across.at(value), bottom + 5, '#444'),
    text(
      across.at(value),
      bottom + 20,
      typeof value === 'number' ? inShort(value) : value,
      ' text-anchor="middle"',
    ),
  ]);
  const path = lineOf<readonly [number | string, number]>()
    .x(([at]) => Math.round(across.at(at) * 100) / 100)
    .y(([, value]) => Math.round(up(value) * 100) / 100);
  const drawn = lines.flatMap((one, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const dots = one.points.map(
      ([at, value]) =>
        `<circle cx="${places(across.at(at))}" cy="${places(up(value))}" r="2.5" fill="${colour}"/>`,
    );
    const legend = MARGIN.top + 18 * i;
    return [
      `<path d="${path(one.points) ?? ''}" fill="none" stroke="${colour}" stroke-width="1.8"/>`,
      ...dots,
      rule(right + 12, legend, right + 32, legend, colour),
      text(right + 38, legend + 4, one.name),
    ];
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(MARGIN.left, 22, title, ' font-size="15"'),
    ...yTicks,
    ...xTicks,
    rule(MARGIN.left, bottom, right, bottom, '#444'),
    rule(MARGIN.left, MARGIN.top, MARGIN.left, bottom, '#444'),
    text((MARGIN.left + right) / 2, HEIGHT - 14, x, ' text-anchor="middle"'),
    `<text transform="translate(18 ${(MARGIN.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>`,
    ...drawn,
    '</svg>',
  ].join('\n')}\n`;
}

interface Across {
  readonly ticks: readonly (number | string)[];
  at(value: number | string): number;
}

function xScale(values: readonly (number | string)[], left: number, right: number): Across {
  const numbers = values.filter((value): value is number => typeof value === 'number');
  if (numbers.length === values.length && numbers.length > 0) {
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const scale = scaleLinear([low, high === low ? low + 1 : high], [left, right]);
    return { ticks: scale.ticks(TICKS), at: (value) => scale(Number(value)) };
  }
  const words = [...new Set(values.map(String))];
  const scale = scalePoint(words, [left, right]).padding(0.5);
  return { ticks: words, at: (value) => scale(String(value)) ?? left };
}

/** A number for an axis: `250k`, `1.5M`. */
function inShort(value: number): string {
  const [factor, unit] =
    value >= 1e9 ? [1e9, 'G'] : value >= 1e6 ? [1e6, 'M'] : value >= 1e3 ? [1e3, 'k'] : [1, ''];
  return `${Number((value / factor).toPrecision(4))}${unit}`;
}
