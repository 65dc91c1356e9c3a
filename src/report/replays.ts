/** What replayed cases say, in words. */
import type { ReplayedCase } from '../campaign/replay.js';

/** One line for each case, then how many still show what they were written down for. */
export function replaysInWords(cases: readonly ReplayedCase[]): string {
  const lines = cases.map(({ file, expected, got, ok }) =>
    ok ? `ok      ${file}: ${got}\n` : `FAILED  ${file}: expected ${expected}, got ${got}\n`,
  );
  const good = cases.filter(({ ok }) => ok).length;
  return `${lines.join('')}${good} of ${cases.length} cases replay\n`;
}
