/** What a crash does: the run ends where it stands, and nobody gives back what it holds. */
import type { Strategy } from './strategy.js';

/** Needs nothing and stops anywhere; all that is held leaks. */
export const abandon: Strategy = {
  name: 'abandon',
  does: 'ends the run where it stands, and gives nothing back',
  prepare: () => ({
    kind: 'ends the run',
    bytes: 0,
    sites: 'every insn',
    stop: (machine) => machine.finish('stopped'),
  }),
};
