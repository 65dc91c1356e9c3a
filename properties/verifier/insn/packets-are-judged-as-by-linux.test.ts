/** What is known of a packet after a comparison with its end, and after it may have moved, is what Linux 6.18 knows. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { describe, expect, it } from 'vitest';
import { disagreements } from '../../support/verifier/judge.js';
import { PACKETS } from '../../support/verifier/packets.js';

describe('packets are judged as by Linux', () => {
  it.each(PACKETS.map((family) => [family.name, family] as const))('%s', (_, family) => {
    expect(disagreements(family)).toEqual([]);
  });
});
