/** What a comparison with Linux says, in words. */
import { isLostPrecision } from '../../campaign/agreement/counts.js';
import type { AgreementState } from '../../campaign/agreement/run.js';
import { table } from '../text/table.js';

/** A comparison as far as it went. */
export interface Agreement extends Omit<AgreementState, 'kernelProfile'> {
  readonly finished: boolean;
  /** BPF objects that this process had open before and after. */
  readonly openFiles: { readonly before: number; readonly after: number };
}

/** The comparison as text: counts by name, then differences, those that are bugs first and in them the most frequent. */
export function comparisonInWords(run: Agreement): string {
  const { comparison, seed, done, finished, counts, openFiles, ms } = run;
  const differences = Object.entries(run.differences).sort(
    ([a, x], [b, y]) => rank(a) - rank(b) || y.count - x.count,
  );
  const rate = ms > 0 ? `, ${((done * 1000) / ms).toFixed(1)} a second` : '';
  return [
    `${comparison}, seed ${seed}: ${done} programs${finished ? '' : ' (stopped)'}${rate}\n`,
    table(
      ['count', 'of'],
      Object.entries(counts)
        .sort()
        .map(([what, count]) => [count, what]),
      ['count'],
    ),
    differences.length === 0 ? 'no difference\n' : '',
    table(
      ['count', 'difference', 'first seen at'],
      differences.map(([kind, { count, examples }]) => [count, kind, examples[0] ?? '']),
      ['count'],
    ),
    `open BPF files: ${openFiles.before} before, ${openFiles.after} after\n`,
  ].join('');
}

function rank(kind: string): number {
  return isLostPrecision(kind) ? 1 : 0;
}
