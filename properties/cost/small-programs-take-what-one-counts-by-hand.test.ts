/** Estimates of programs small enough to be counted: branches, calls, loops of every kind, sizes, contention. Insns take 1 ns, entering takes 100. */
import { describe, expect, it } from 'vitest';
import { estimateOf, plainCosts, row } from '../support/cost/plain.js';

const RUN = 100;

describe('small programs take what one counts by hand', () => {
  const loop = (count: string, body: string): string => `main:
${count} r2 = func each
 r3 = 0
 r4 = 0
 call bpf_loop
 r0 = 0
 exit
each:
${body} exit
`;
  const looped = plainCosts(
    row('helper', 'bpf_loop', 10),
    row('helper', 'bpf_loop', 3, { per: 'round' }),
    row('helper', 'bpf_get_prandom_u32', { best: 5, usual: 6, worst: 7 }),
  );

  it('the shorter and the longer branch', () => {
    const { best, worst, path, makes } = estimateOf(
      `main:
 call bpf_get_prandom_u32
 if r0 > 10 goto rare
 r0 = 0
 exit
rare:
 call bpf_get_prandom_u32
 r0 = 0
 exit
`,
      looped,
    );
    expect([best, worst]).toEqual([RUN + 5 + 3, RUN + 7 + 1 + 7 + 2]);
    expect(path).toEqual([
      { slot: 0, what: 'bpf_get_prandom_u32' },
      { slot: 1, what: 'jump taken' },
      { slot: 4, what: 'bpf_get_prandom_u32' },
    ]);
    expect(makes.map(({ what, slot, ns }) => [what, slot, ns])).toEqual([
      ['entry and exit', 0, RUN],
      ['bpf_get_prandom_u32', 0, 7],
      ['bpf_get_prandom_u32', 4, 7],
      ['insns', 1, 3],
    ]);
  });

  // r1, r2 (two words, one insn), r3, r4, the call, r0, exit; a round is r0, exit.
  const around = RUN + 4 + 10 + 2;
  it('a loop of known rounds that nothing ends early', () => {
    const { best, worst } = estimateOf(loop(' r1 = 20\n', ' r0 = 0\n'), looped);
    expect(best).toBe(around + 20 * (2 + 3));
    // The verifier does not walk each round, and then the last counts twice.
    expect(worst).toBe(around + 21 * (2 + 3));
  });

  it('a loop that its callback may end', () => {
    const { best, worst } = estimateOf(loop(' r1 = 20\n', ' call bpf_get_prandom_u32\n r0 &= 1\n'), looped);
    expect(best).toBe(around + 1 * (5 + 2 + 3));
    expect(worst).toBe(around + 21 * (7 + 2 + 3));
  });

  it('a loop that may have no round', () => {
    const count = ' call bpf_get_prandom_u32\n r1 = r0\n r1 &= 7\n';
    const { best, worst } = estimateOf(loop(count, ' r0 = 0\n'), looped);
    expect(best).toBe(RUN + 5 + 5 + 10 + 2);
    expect(worst).toBe(RUN + 7 + 5 + 10 + 2 + 8 * (2 + 3));
  });

  it.each([
    ['array', 0, 3],
    ['array', 1, 1],
    ['hash', 0, 0],
    ['percpu_array', 0, 0],
  ] as const)('a walk over the entries of a map: %s, whose callback returns %i', (type, returns, rounds) => {
    const costs = plainCosts(
      row('helper', 'bpf_for_each_map_elem', 10),
      row('helper', 'bpf_for_each_map_elem', 3, { per: 'round' }),
    );
    const text = `main:
 r1 = map m
 r2 = func each
 r3 = 0
 r4 = 0
 call bpf_for_each_map_elem
 r0 = 0
 exit
each:
 r0 = ${returns}
 exit
`;
    const { best } = estimateOf(text, costs, `.type tc\n.map m ${type} key=4 value=8 entries=3`);
    expect(best).toBe(around + rounds * (2 + 3));
  });

  it('a loop in a loop', () => {
    const { best } = estimateOf(
      loop(' r1 = 6\n', ' r1 = 5\n r2 = func inner\n r3 = 0\n r4 = 0\n call bpf_loop\n r0 = 0\n') +
        'inner:\n r0 = 0\n exit\n',
      looped,
    );
    expect(best).toBe(around + 6 * (3 + 4 + 10 + 2 + 5 * (2 + 3)));
  });

  it('a loop of more rounds than are walked', () => {
    const { best, worst, makes } = estimateOf(loop(' r1 = 1000000\n', ' r0 = 0\n'), looped);
    const all = around + 1_000_000 * (2 + 3);
    expect(best).toBe(all);
    // The end of the last round is counted once more.
    expect(worst).toBeGreaterThanOrEqual(all);
    expect(worst).toBeLessThan(all + 20);
    expect(makes[0]).toMatchObject({ what: 'loop', loops: [{ by: 'bpf_loop', rounds: 1_000_000 }] });
  });

  it('bytes, entries, and keys and values of maps', () => {
    const costs = plainCosts(
      row('helper', 'bpf_skb_load_bytes', 50),
      row('helper', 'bpf_skb_load_bytes', { best: 1, usual: 2, worst: 3 }, { per: 'byte' }),
      row('helper', 'bpf_map_update_elem', 0, { per: 'byte' }),
      row('helper', 'bpf_map_update_elem@hash', 2, { per: 'byte', contention: 4 }),
    );
    const loads = `main:
 r2 = 0
 r3 = r10
 r3 += -64
 r4 = *(u32 *)(r1 +0)
 r4 &= 31
 if r4 == 0 goto over
 call bpf_skb_load_bytes
over:
 r0 = 0
 exit
`;
    const { best, worst } = estimateOf(loads, costs);
    expect([best, worst]).toEqual([RUN + 6 + 2, RUN + 6 + 50 + 31 * 3 + 2]);

    const updates = `main:
 *(u64 *)(r10 -8) = 0
 *(u64 *)(r10 -16) = 0
 r1 = map m
 r2 = r10
 r2 += -8
 r3 = r10
 r3 += -16
 r4 = 0
 call bpf_map_update_elem
 r0 = 0
 exit
`;
    const head = '.type tc\n.map m hash key=4 value=8 entries=10';
    expect(estimateOf(updates, costs, head).worst).toBe(RUN + 8 + 2 * 12 + 2);
    expect(estimateOf(updates, { ...costs, contended: true }, head).worst).toBe(RUN + 8 + 4 * 2 * 12 + 2);
    expect(estimateOf(updates, costs, head.replace('hash', 'array')).worst).toBe(RUN + 8 + 2);
  });

  it('a function that has no row, and one that nothing bounds', () => {
    const plain = estimateOf('main:\n call bpf_get_prandom_u32\n r0 = 0\n exit\n', plainCosts());
    expect([plain.worst, plain.assumed]).toEqual([RUN + 1000 + 2, ['bpf_get_prandom_u32']]);
    const slow = `main:
 r1 = r10
 r1 += -8
 r2 = 8
 r3 = 0
 call bpf_copy_from_user
 r0 = 0
 exit
`;
    const sleeps = estimateOf(slow, plainCosts(), '.type syscall');
    expect(sleeps.worst).toBe(Number.POSITIVE_INFINITY);
    expect(sleeps.best).toBe(RUN + 4 + 1000 + 2);
    expect(sleeps.endless).toMatch(/nothing bounds the time of bpf_copy_from_user/);
  });

  it('a tail call, whose program is not known', () => {
    const { worst, endless, best } = estimateOf(
      'main:\n r2 = map programs\n r3 = 0\n call bpf_tail_call\n r0 = 0\n exit\n',
      plainCosts(row('helper', 'bpf_tail_call', 9)),
      '.type tc\n.map programs prog_array key=4 value=4 entries=1',
    );
    expect(worst).toBe(Number.POSITIVE_INFINITY);
    expect(endless).toBe('insn 3: bpf_tail_call may run another program, whose time is not known');
    expect(best).toBe(RUN + 2 + 9);
  });

  it('an end that is dear, though the way to it is short', () => {
    const { best, worst } = estimateOf(
      `main:
 call bpf_get_prandom_u32
 if r0 > 3 goto long
 r1 = 0
 call bpf_throw
long:
 r0 = 1
 r0 = 1
 r0 = 0
 exit
`,
      plainCosts(row('helper', 'bpf_get_prandom_u32', 5), row('kfunc', 'bpf_throw', 90)),
    );
    expect([best, worst]).toEqual([RUN + 5 + 1 + 4, RUN + 5 + 1 + 1 + 90]);
  });

  it('a global subprogram, in each call of it', () => {
    const text = `main:
 call once
 call once
 r0 = 0
 exit
once:
 call bpf_get_prandom_u32
 if r0 > 3 goto long
 r0 = 0
 exit
long:
 r0 = 1
 r0 = 1
 exit
`;
    // Two calls of 1 ns; in each the helper, the jump, and 2 or 3 insns.
    const asGlobal = estimateOf(text, looped, '.type tc\n.global once');
    expect(asGlobal.best).toBe(RUN + 2 * (1 + 5 + 1 + 2) + 2);
    expect(asGlobal.worst).toBe(RUN + 2 * (1 + 7 + 1 + 3) + 2);
    const asStatic = estimateOf(text, looped);
    expect([asStatic.best, asStatic.worst]).toEqual([asGlobal.best, asGlobal.worst]);
  });
});
