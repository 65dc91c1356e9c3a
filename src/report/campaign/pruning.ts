/** What pruning a corpus says, in words. */
import type { PruneDocument } from '../documents.js';

/** A line for each case that leaves and for each of which nothing is known, then how many stay. */
export function pruningInWords({ kept, dropped, unclear, removed }: PruneDocument): string {
  const word = removed ? 'removed' : 'would be removed';
  return [
    ...dropped.map(({ file, sameAs }) => `${word}: ${file}, which shows the same as ${sameAs}\n`),
    ...unclear.map(({ file, reason }) => `stays, as it does not replay: ${file}: ${reason}\n`),
    `${kept.length + unclear.length} cases stay, ${dropped.length} ${word}\n`,
  ].join('');
}
