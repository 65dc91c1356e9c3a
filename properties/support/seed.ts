/** fast-check parameters shared by all properties: a fixed default seed, replaced by SWANSONG_SEED, so that a failing run can be given back. */
import type fc from 'fast-check';

export function seeded<T>(runs: number, more: fc.Parameters<T> = {}): fc.Parameters<T> {
  const seed = Number(process.env.SWANSONG_SEED ?? 20_250_907);
  return { seed, numRuns: runs, ...more };
}
