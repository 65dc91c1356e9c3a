/** What replayed cases say, in words. */
import type { ReplayedCase } from '../../campaign/check/replay.js';

/** All that a run broke, the gravest first; of what `got` stands for, its own words. */
function impactInWords(got: string, breaks: readonly string[]): string {
  const own = breaks.findIndex((one) => one === got || one.startsWith(`${got} `));
  return own < 0 ? got : breaks.with(own, got).join('; ');
}

/** One line for each case, then how many still show what they were written down for. */
export function replaysInWords(cases: readonly ReplayedCase[]): string {
  const lines = cases.map(({ file, expected, got, ok, breaks }) => {
    if (ok) return `ok      ${file}: ${impactInWords(got, breaks)}\n`;
    return `FAILED  ${file}: expected ${expected}, got ${impactInWords(got, breaks)}\n`;
  });
  const good = cases.filter(({ ok }) => ok).length;
  return `${lines.join('')}${good} of ${cases.length} cases replay\n`;
}
