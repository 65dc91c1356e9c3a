/**
 * A callback that the kernel calls later (a timer's) is proven as a program of its own: it is as long as what it runs, whoever arms it and whatever else
 * there is, and it adds nothing to the run that arms it, also where it arms itself. What is wrong with one is told of that one.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rule, ruleSet } from '../../src/patch/define.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import type { ProgramProof } from '../../src/smt/proof.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { here, scratch } from '../support/cli.js';
import { seeded } from '../support/seed.js';

const NAMES = ['tick', 'tock', 'tack'] as const;

/** A callback: insns that do nothing, then it arms these. */
interface Made {
  readonly idle: number;
  readonly arms: readonly number[];
}

/** Insns of arming one: r1, r2 (two slots, one insn), the call. */
const ARMING = 3;
const armed = (what: number): string => `    r1 = r6
    r2 = func ${NAMES[what]}
    call bpf_timer_set_callback
`;
const idle = (count: number): string => '    r7 = 1\n'.repeat(count);

const bodyOf = ({ idle: count, arms }: Made, at: number): string => `${NAMES[at]}:
    r6 = r3
${idle(count)}${arms.map(armed).join('')}    r0 = 0
    exit
`;
const lengthOf = ({ idle: count, arms }: Made): number => 3 + count + ARMING * arms.length;

/** The insns of the main program from its start to its end, where the timer is there. */
const BEFORE = 7;

const textOf = (main: Made, callbacks: readonly Made[]): string => `.type tc
.map clocks array key=4 value=24 entries=1 timer@0

main:
    *(u32 *)(r10 -4) = 0
    r2 = r10
    r2 += -4
    r1 = map clocks
    call bpf_map_lookup_elem
    if r0 == 0 goto out
    r6 = r0
${idle(main.idle)}${main.arms.map(armed).join('')}out:
    r0 = 0
    exit
${reached(main, callbacks)
  .map((at) => bodyOf(callbacks[at]!, at))
  .join('')}`;

const MADE = fc
  .record({
    main: fc.record({ idle: fc.nat(20), arms: fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }) }),
    callbacks: fc.array(fc.record({ idle: fc.nat(40), arms: fc.array(fc.nat(2), { maxLength: 2 }) }), {
      minLength: 3,
      maxLength: 3,
    }),
  })
  .map(({ main, callbacks }) => ({ main, callbacks }));

/** The callbacks that the main program arms, and those that they arm. */
function reached(main: Made, callbacks: readonly Made[]): readonly number[] {
  const found = new Set(main.arms);
  for (const at of found) for (const next of callbacks[at]!.arms) found.add(next);
  return [...found].sort((a, b) => a - b);
}

const prove = (text: string, rules = shippedRuleSet('sound')!): Promise<ProgramProof> =>
  proveProgram(parseCase(text).program, rules);

describe('a callback that runs later is a program of its own', () => {
  it('as long as what it runs, whoever arms it', async () => {
    await fc.assert(
      fc.asyncProperty(MADE, fc.constantFrom('sound', 'rfc-v3'), async ({ main, callbacks }, name) => {
        const text = textOf(main, callbacks);
        const proof = await prove(text, shippedRuleSet(name)!);
        expect(proof.verdict, proof.reason).toBe('proven');
        const there = reached(main, callbacks);
        expect(proof.callbacks.map(({ callback }) => callback)).toEqual(there.map((at) => NAMES[at]));
        for (const [at, one] of proof.callbacks.entries()) {
          const length = lengthOf(callbacks[there[at]!]!);
          expect(one).toMatchObject({
            verdict: 'proven',
            reason: '',
            boundKind: 'exact',
            bound: length,
            insns: length,
            points: length,
            worst: one.start,
          });
          const arming = main.arms.includes(there[at]!) ? 1 : 0;
          expect(one.armedAt.length).toBeGreaterThanOrEqual(arming);
        }
        const own = BEFORE + main.idle + ARMING * main.arms.length + 2;
        // Killed before the lookup, a run finds nothing, and before the arming calls of it are left.
        const inMain = [...proof.bounds].filter(
          ([slot]) => slot < parseCase(text).program.subprogs[1]!.start,
        );
        for (const [, bound] of inMain) expect(bound).toBeLessThanOrEqual(own);
        const largest = Math.max(
          ...inMain.map(([, bound]) => bound!),
          ...there.map((at) => lengthOf(callbacks[at]!)),
        );
        expect(proof.bound).toBe(largest);
        const verdict = verify(parseCase(text).program);
        expect(verdict.ok && [...verdict.later].sort((a, b) => a - b)).toEqual(
          proof.callbacks.map(({ start }) => start),
        );
      }),
      seeded(25),
    );
  });

  it('the worst place to be killed at may be behind its first insns', async () => {
    const text = textOf({ idle: 0, arms: [0] }, [{ idle: 0, arms: [] }]).replace(
      /tick:[\s\S]*$/,
      `tick:
    r1 = map clocks
    call bpf_map_lookup_elem
    if r0 == 0 goto none
${idle(20)}none:
    r0 = 0
    exit
`,
    );
    const { program } = parseCase(text);
    const { start } = program.subprogs[1]!;
    const { callbacks } = await prove(text);
    // The lookup finds nothing in a killed run. Behind it all is left: the jump, 20 insns, and the end.
    expect(callbacks).toMatchObject([{ bound: 23, worst: start + 3, insns: 25 }]);
  });

  it('what is wrong with one is told of that one', async () => {
    const wrong = ruleSet('wrong', [
      rule('nothing is given back')
        .when((f) => f.name === 'bpf_ringbuf_discard')
        .stub({ r0: 'void' }),
      rule('everything else runs').keep(),
    ]);
    const holds = `    r1 = map events
    r2 = 8
    r3 = 0
    call bpf_ringbuf_reserve
    if r0 == 0 goto none
    r1 = r0
    r2 = 0
    call bpf_ringbuf_discard
none:
    r0 = 0
    exit
`;
    const text = textOf({ idle: 0, arms: [0, 1] }, [
      { idle: 1, arms: [] },
      { idle: 1, arms: [] },
      { idle: 0, arms: [] },
    ]);
    const broken = text
      .replace('\n\nmain:', '\n.map events ringbuf entries=4096\n\nmain:')
      .replace(/tock:\n {4}r6 = r3\n {4}r7 = 1\n {4}r0 = 0\n {4}exit\n/, `tock:\n${holds}`);
    const { verdict, callbacks } = await prove(broken, wrong);
    expect(verdict).not.toBe('proven');
    expect(callbacks.map(({ callback, verdict: of, bound }) => [callback, of, bound])).toEqual([
      ['tick', 'unknown', null],
      ['tock', 'unknown', null],
    ]);
    expect(callbacks[0]!.reason).toBe('not worked out, because the proof of case failed');
    expect(callbacks[1]!.reason).toMatch(/Unreleased reference|bpf_ringbuf_/);
  });

  it('a row of its own, below its program', async () => {
    const file = join(scratch(), 'later.bpf');
    writeFileSync(
      file,
      textOf({ idle: 0, arms: [0] }, [
        { idle: 30, arms: [0] },
        { idle: 0, arms: [] },
        { idle: 0, arms: [] },
      ]),
    );
    const proved = await here(['prove', file]);
    expect(proved.out).toMatch(/^ {4}later: tick +proven +36 +36 +36$/m);
    expect(JSON.parse((await here(['prove', file, '--json'])).out)).toMatchObject({
      programs: [{ bound: 36, callbacks: [{ callback: 'tick', bound: 36, boundKind: 'exact' }] }],
    });
    expect((await here(['verify', file])).out).toMatch(/^ {4}later: tick +accepted +37$/m);
    expect(JSON.parse((await here(['verify', file, '--json'])).out)).toMatchObject({
      programs: [{ verdict: 'accepted', callbacks: [{ callback: 'tick', insns: 37 }] }],
    });
  });

  it('a program without such callbacks has none', async () => {
    expect((await prove('.type xdp\n    r0 = 2\n    exit\n')).callbacks).toEqual([]);
  });
});
