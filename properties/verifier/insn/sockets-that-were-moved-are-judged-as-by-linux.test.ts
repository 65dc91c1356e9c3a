/** A socket that was moved some bytes is taken for a socket where Linux 6.18 takes it for one. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { expect, it } from 'vitest';
import { disagreements } from '../../support/verifier/judge.js';
import { movedSockets } from '../../support/verifier/moved-sockets.js';

it('sockets that were moved are judged as by Linux', () => {
  expect(disagreements(movedSockets)).toEqual([]);
});
