/**
 * A refusal that no single insn explains says what leads to it: a loop without end its registers that are the same at both visits, a walk that was given up
 * the loops that it was spent on, with all that they call, and a call graph that is refused the calls that lead there.
 */
import { describe, expect, it } from 'vitest';
import { decodeAll } from '../../../src/isa/decode.js';
import { subprogTarget } from '../../../src/isa/target.js';
import type { Program } from '../../../src/object/program.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { parseValue } from '../../../src/oracle/walk-log/value.js';
import type { Explanation } from '../../../src/verifier/explain/explanation.js';
import type { Refused } from '../../../src/verifier/result.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';

const programOf = (text: string): Program => parseCase(text, 'given-up.bpf').program;

function refused(program: Program, budget?: number): Refused & { readonly explanation: Explanation } {
  const verdict = verify(program, { explain: true, facts: false, ...(budget !== undefined && { budget }) });
  if (verdict.ok || verdict.explanation === undefined) throw new Error('not refused');
  return { ...verdict, explanation: verdict.explanation };
}

/** Loops without end, each with a counter that does not count. */
const ENDLESS: readonly (readonly [string, string])[] = [
  ['nothing changes', 'again:\n goto again\n'],
  ['a register is set anew', ' r6 = 5\nagain:\n r6 = 7\n r7 = r10\n goto again\n'],
  [
    'a number within bounds',
    ' r6 = *(u32 *)(r1 +16)\n r6 &= 255\n r8 = 3\nagain:\n if r6 == 9 goto out\n goto again\nout:\n',
  ],
  [
    'a value on the stack',
    ' r6 = 44\n *(u64 *)(r10 -16) = r6\nagain:\n r7 = *(u64 *)(r10 -16)\n goto again\n',
  ],
  ['a map value', ' r6 = mapvalue m\nagain:\n r6 += 0\n goto again\n'],
];
const endless = (body: string): Program =>
  programOf(
    `.type xdp\n.map m array key=4 value=16 entries=1\n${body} r0 = 0\n exit\n`.replace(
      'goto again\n r0 = 0',
      'if r10 != 0 goto again\n r0 = 0',
    ),
  );

describe('a loop without end', () => {
  it.each(ENDLESS)('%s', (_, body) => {
    const program = endless(body);
    const { message, explanation } = refused(program);
    expect(message).toMatch(/^infinite loop detected at insn \d+$/);
    expect(explanation.same.length).toBeGreaterThan(0);
    for (const { value } of explanation.same)
      expect([value, parseValue(value)]).not.toEqual([value, undefined]);
  });

  it('and only that, has registers that are the same', () => {
    expect(refused(programOf('.type xdp\n r0 = r3\n exit\n')).explanation.same).toEqual([]);
  });
});

describeKnownKernel('what is the same in a loop', () => {
  it.each(ENDLESS)('is what Linux prints of both states: %s', (_, body) => {
    const program = endless(body);
    const result = loadProgram(program, { logLevel: 0, explain: true });
    if (result.ok) throw new Error('accepted');
    const states = ['cur', 'old'].map(
      (which) => new RegExp(`^${which} state:(.*)`, 'm').exec(result.log)?.[1],
    );
    for (const { place, value } of refused(program).explanation.same) {
      for (const state of states) {
        const printed =
          new RegExp(` ${place}(?:_\\w+)?=([^\\s(]+(?:\\((?:[^()]|\\([^()]*\\))*\\))?)`).exec(
            state ?? '',
          )?.[1] ?? 'not printed';
        const [ours, linux] = [parseValue(value), parseValue(printed)];
        // Linux prints a bound only where it is not what others say; the first bits and the limits tell the number.
        const told = (one: typeof ours) => [
          one?.type,
          one?.off,
          one?.map,
          one?.num.value,
          one?.num.mask,
          one?.num.umax,
        ];
        expect([place, told(ours)]).toEqual([place, told(linux)]);
      }
    }
  });
});

/** `n` rounds that call `work`, and as many that call nothing. */
const CALLING = `
.type xdp
    r6 = 0
calls:
    call work
    r6 += 1
    if r6 != 9 goto calls
    r7 = 0
alone:
    r7 += 1
    if r7 != 20000 goto alone
    r0 = 0
    exit
work:
    call deeper
    r0 = 0
    exit
deeper:
    r0 = 1
    r0 = 2
    r0 = 3
    exit
`;

it('the loops of a walk count what they call', () => {
  const { loops } = refused(programOf(CALLING), 400).explanation;
  const calls = loops.find(({ from }) => from.slot === 1)!;
  // Nine rounds: three insns of its own, and seven in the two functions.
  expect([calls.walked, calls.walkedInCalls, calls.rounds]).toEqual([90, 63, 9]);
  const alone = loops.find(({ from }) => from.slot === 5)!;
  expect(alone.walkedInCalls).toBe(0);
  expect(calls.walked + alone.walked).toBe(400 - 2);
});

/** A function with a loop, and a call after it: the loop itself calls nothing. */
const AFTER_A_LOOP = `
.type xdp
    call f
    goto pc-2
f:
    r6 = 0
inner:
    r6 += 1
    if r6 != 30 goto inner
    call deeper
    r0 = 0
    exit
deeper:
    r0 = 1
    exit
`;

it('a loop of a called function is not charged with what runs after it', () => {
  const { loops } = refused(programOf(AFTER_A_LOOP), 300).explanation;
  const inner = loops.find(({ from }) => from.slot === 3);
  expect(inner?.to.slot).toBe(4);
  expect(inner?.walked).toBeGreaterThan(50);
  expect(inner?.walkedInCalls).toBe(0);
});

it('a call that calls back is a loop of its own, and its callback is what it was spent on', () => {
  const text = `
.type xdp
    r1 = 100
    r2 = func each
    r3 = 0
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
each:
    r6 = 0
inner:
    r6 += 1
    if r6 != 5000 goto inner
    r0 = 0
    exit
`;
  const { loops } = refused(programOf(text), 1000).explanation;
  const [first, second] = loops;
  expect(first!.from).toMatchObject({ slot: 5, insn: expect.stringContaining('bpf_loop') });
  expect(first!.walkedInCalls).toBeGreaterThan(900);
  expect(second!.from).toMatchObject({ slot: 9 });
  expect(first!.walked).toBeGreaterThan(second!.walked);
});

const frames = (bytes: readonly number[]): string => {
  const body = (n: number): string =>
    ` *(u64 *)(r10 -${bytes[n]}) = 0\n${n + 1 < bytes.length ? ` call f${n + 1}\n` : ''} r0 = 0\n exit\n`;
  return `.type xdp\n${bytes.map((_, n) => (n === 0 ? body(0) : `f${n}:\n${body(n)}`)).join('')}`;
};

/** Programs whose call graph is refused, and how many calls lead there. */
const GRAPHS: readonly (readonly [string, string, RegExp, number])[] = [
  ['frames that do not fit together', frames([200, 200, 200]), /^combined stack size of 3 calls is/, 2],
  ['the same, in two calls', frames([512, 64]), /^combined stack size of 2 calls is/, 1],
  [
    'frames that do not fit, behind a call that does',
    '.type xdp\n *(u64 *)(r10 -400) = 0\n call small\n call large\n r0 = 0\n exit\nsmall:\n *(u64 *)(r10 -8) = 0\n r0 = 0\n exit\nlarge:\n *(u64 *)(r10 -400) = 0\n r0 = 0\n exit\n',
    /^combined stack size of 2 calls is/,
    1,
  ],
  [
    'global functions that call each other too deep',
    `.type xdp
${Array.from({ length: 9 }, (_, n) => `.global g${n}\n`).join('')} call g0
 r0 = 0
 exit
${Array.from({ length: 9 }, (_, n) => `g${n}:\n${n < 8 ? ` call g${n + 1}\n` : ''} r0 = 0\n exit\n`).join('')}`,
    /^the call stack of \d+ frames is too deep !$/,
    8,
  ],
];

it.each(GRAPHS)('%s: the calls that lead there', (_, text, says, most) => {
  const program = programOf(text);
  const { message, explanation } = refused(program);
  expect(message).toMatch(says);
  expect(explanation.calls).toHaveLength(most);
  // Each call is made in the function that the one before it calls, and the last one calls what the refusal is about.
  const ops = decodeAll(program.insns);
  let inside = program.subprogs[0]!;
  for (const call of explanation.calls) {
    expect(call.function).toBe(inside.name);
    const target = subprogTarget(ops[call.slot]!, call.slot);
    inside = program.subprogs.find(({ start }) => start === target)!;
  }
  expect(explanation.about).toBe(`function '${inside.name}'`);
});

it('functions that call each other for ever: the calls that are open where it was given up', () => {
  const { explanation, message } = refused(
    programOf('.type xdp\n call f\n r0 = 0\n exit\nf:\n call g\n exit\ng:\n call f\n exit\n'),
  );
  expect(message).toMatch(/frames is too deep/);
  expect(explanation.calls.map(({ function: name }) => name)).toEqual(['main', 'f', 'g', 'f', 'g', 'f', 'g']);
  expect(explanation.at?.function).toBe('f');
});
