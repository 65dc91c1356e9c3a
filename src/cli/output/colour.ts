/** Colours for people: verdicts in the text of commands that judge. Only where a terminal shows them, or where they are asked for. */
import { styleText } from 'node:util';

/** What decides whether there are colours. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Output goes to a terminal. */
  readonly terminal: boolean;
}

/**
 * NO_COLOR (no-color.org: not empty) takes colours away, FORCE_COLOR (not `0` or `false`) asks for them; where both are said NO_COLOR counts.
 * Unless told a terminal has them, but one that says it is `dumb`.
 */
export function hasColours({ env, terminal }: Surroundings): boolean {
  if ((env.NO_COLOR ?? '') !== '') return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return terminal && env.TERM !== 'dumb';
}

const GOOD = ['proven', 'certified', 'accepted', 'ok', 'confirmed'];
const BAD = [
  'refuted',
  'refused',
  'rejected',
  'FAILED',
  'new',
  'contradicted',
  'unwitnessed',
  'broken',
  'worse',
];
const OPEN = ['unknown', 'inexpressible', 'unsupported', 'budget', 'error'];

const COLOURS = new Map<string, 'green' | 'red' | 'yellow'>([
  ...GOOD.map((word) => [word, 'green'] as const),
  ...BAD.map((word) => [word, 'red'] as const),
  ...OPEN.map((word) => [word, 'yellow'] as const),
]);

/** A verdict stands alone in its column, begins a line, or follows its number. A number of none is not coloured. */
const VERDICT = new RegExp(
  `(^|  |\\b[1-9]\\d* )(${[...COLOURS.keys()].join('|')})(?=$|  |[,:;]| *\\n|\\b \\()`,
  'gm',
);

/** Colours the verdicts of a text; the rest stays as it is. */
export function painted(text: string): string {
  return text.replace(VERDICT, (_, before: string, word: string) => {
    // A terminal was found already: what this process knows of its own output does not matter.
    return `${before}${styleText(COLOURS.get(word)!, word, { validateStream: false })}`;
  });
}
