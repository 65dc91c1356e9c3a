/** Documents of other commands, small and made by hand, for the page to show. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A comparison of two strategies, in a file of this folder. */
export function design(folder: string): string {
  const spread = { median: 12, p99: 80, max: 400 };
  const common = { points: 1000, faults: 0, extraInsns: 0, bytes: 64, refused: {} };
  const body = {
    schema: 'swansong/design/1',
    version: '0',
    programs: 10,
    strategies: [
      {
        ...common,
        name: 'fast path',
        does: 'patches every call',
        leaks: {},
        stopsAtOnce: 1,
        toEffect: { median: 0, p99: 0, max: 0 },
        toExit: spread,
      },
      {
        ...common,
        name: 'abandon',
        does: 'ends the run where it stands',
        leaks: { socket: 40, spin_lock: 7 },
        stopsAtOnce: 0.993,
        toEffect: null,
        toExit: null,
        refused: { 'it holds a lock': 3 },
      },
    ],
    leftOut: [{ from: 'a.o', message: 'is not modelled' }],
  };
  const file = join(folder, 'design.json');
  writeFileSync(file, JSON.stringify(body));
  return file;
}
