/**
 * Every small nest of loops ends within its bound: bpf_loop in bpf_loop, one after another, an iterator in a callback, a callback in an
 * iterator, may_goto loops entered in the middle, with a stretch of insns in each place where there can be one or none. Counted runs of
 * the VM take no more than is promised, from the start and from every insn on the way.
 */
import { describe, expect, it } from 'vitest';
import { MAY_GOTO_MS } from '../../../src/kernel/profile.js';
import type { Program } from '../../../src/object/program.js';
import { rule, ruleSet } from '../../../src/patch/define.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import { bounds } from '../../../src/smt/bound.js';
import { walkPatched } from '../../../src/smt/patched.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { EMPTY } from '../../../src/vm/state/environment.js';
import { Vm } from '../../../src/vm/vm.js';

const KEEPS = ruleSet('keeps', [rule('everything runs').keep()]);
const LONG = 12;
const stretch = (long: boolean): string => ' r6 = 1\n'.repeat(long ? LONG : 1);

/** `call` of a loop over a function; a count that is not known is at most `count`, and that many where the random number is so. */
const loop = (count: number, each: string, known: boolean): string =>
  `${known ? ` r1 = ${count}\n` : ` call bpf_get_prandom_u32\n if r0 > ${count} goto bad\n r1 = r0\n`} r2 = func ${each}
 r3 = 0
 r4 = 0
 call bpf_loop
`;

interface Shape {
  /** Places where a stretch of insns can stand. */
  readonly places: number;
  readonly text: (at: readonly string[], outer: number, inner: number) => string;
}

const iterate = (count: number, body: string, name: string, slot: number): string => ` r1 = r10
 r1 += ${slot}
 r2 = 0
 r3 = ${count}
 call bpf_iter_num_new
${name}:
 r1 = r10
 r1 += ${slot}
 call bpf_iter_num_next
 if r0 == 0 goto ${name}_done
${body} goto ${name}
${name}_done:
 r1 = r10
 r1 += ${slot}
 call bpf_iter_num_destroy
`;

const DONE = ' r0 = 0\n exit\n';
const SHAPES: Readonly<Record<string, Shape>> = {
  'a callback three times in a callback': {
    places: 2,
    text: ([a, b], outer, inner) =>
      `main:\n${loop(outer, 'first', true)}${DONE}first:\n r7 = 0\nagain:\n${a}${loop(inner, 'second', true)} r7 += 1\n if r7 != 3 goto again\n${DONE}second:\n${b}${DONE}`,
  },
  'an iterator three times in a callback': {
    places: 2,
    text: ([a, b], outer, inner) =>
      `main:\n${loop(outer, 'first', true)}${DONE}first:\n r7 = 0\nonce:\n${a}${iterate(inner, b!, 'again', -16)} r7 += 1\n if r7 != 3 goto once\n${DONE}`,
  },
  'a callback three times in an iterator': {
    places: 2,
    text: ([a, b], outer, inner) =>
      `main:\n${iterate(outer, ` r7 = 0\nonce:\n${a}${loop(inner, 'first', true)} r7 += 1\n if r7 != 3 goto once\n`, 'again', -16)}${DONE}first:\n${b}${DONE}`,
  },
  'a callback in a callback': {
    places: 3,
    text: ([a, b, c], outer, inner) =>
      `main:\n${loop(outer, 'first', true)}${DONE}first:\n${a}${loop(inner, 'second', true)}${b}${DONE}second:\n${c}${DONE}`,
  },
  'two callbacks in a callback': {
    places: 4,
    text: ([a, b, c, d], outer, inner) =>
      `main:\n${loop(outer, 'first', true)}${DONE}first:\n${a}${loop(inner, 'second', true)}${b}${loop(inner, 'third', true)}${c}${DONE}second:\n${d}${DONE}third:\n${d}${DONE}`,
  },
  'an iterator in a callback': {
    places: 3,
    text: ([a, b, c], outer, inner) =>
      `main:\n${loop(outer, 'first', true)}${DONE}first:\n${a}${iterate(inner, c!, 'again', -16)}${b}${DONE}`,
  },
  'a callback in an iterator': {
    places: 3,
    text: ([a, b, c], outer, inner) =>
      `main:\n${iterate(outer, `${a}${loop(inner, 'first', true)}${b}`, 'again', -16)}${DONE}first:\n${c}${DONE}`,
  },
  'an iterator in an iterator': {
    places: 3,
    text: ([a, b, c], outer, inner) =>
      `main:\n${iterate(outer, `${a}${iterate(inner, c!, 'inner', -32)}${b}`, 'again', -16)}${DONE}`,
  },
};

const read = (text: string) => parseCase(`.type syscall\n.license GPL\n${text}`).program;

function boundsOf(program: Program) {
  const verified = verify(program);
  if (!verified.ok) throw new Error(verified.message);
  const { code, facts, lastId, kernel, profile } = verified;
  const path = fastPath(program, facts, KEEPS);
  const patched = walkPatched(program, code, facts, path, lastId, {
    profile,
    kernel,
    budget: 1_000_000,
    failures: 1,
  });
  expect(patched.failures).toEqual([]);
  return { path, ...bounds(program, code, facts, path, patched, kernel) };
}

function worstOf(program: Program): {
  readonly steps: number;
  readonly bound: number;
  readonly broken: readonly string[];
} {
  const { path, worst, bySlot } = boundsOf(program);
  const vm = new Vm(program, { env: EMPTY, fastPath: path, maxSteps: 100_000 });
  const slots: number[] = [];
  while (vm.running) {
    slots.push(vm.machine.pc);
    vm.step();
  }
  const { steps } = vm.run();
  const broken = slots.flatMap((slot, step) => {
    const most = bySlot.get(slot)?.insns ?? -1;
    return steps - step > most ? [`insn ${slot} after ${step}: ${steps - step}, not ${most}`] : [];
  });
  return { steps, bound: worst.insns, broken };
}

/** A loop that ends by the clock. */
const timed = (body: string, name: string): string =>
  `${name}:\n may_goto ${name}_done\n${body} goto ${name}\n${name}_done:\n`;

/** Loops of one frame share its time, whatever counted loops stand in, around and beside them. Each frame has its own. */
const TIMES: readonly (readonly [what: string, text: string, frames: number])[] = [
  ['a counted loop', `main:\n${iterate(3, '', 'count', -16)}${DONE}`, 0],
  ['a timed loop', `main:\n${timed(' r6 = 1\n', 'clock')}${DONE}`, 1],
  ['a counted loop in a timed one', `main:\n${timed(iterate(3, '', 'count', -16), 'clock')}${DONE}`, 1],
  ['a timed loop in a counted one', `main:\n${iterate(3, timed('', 'clock'), 'count', -16)}${DONE}`, 1],
  [
    'a timed loop in a timed one, beside a counted one',
    `main:\n${timed(timed('', 'inner') + iterate(3, '', 'count', -16), 'clock')}${DONE}`,
    1,
  ],
  [
    'one behind the other',
    `main:\n${timed('', 'clock')}${iterate(3, '', 'count', -16)}${timed('', 'later')}${DONE}`,
    1,
  ],
  [
    'in a callback of three rounds',
    `main:\n${loop(3, 'first', true)}${DONE}first:\n${timed('', 'clock')}${DONE}`,
    3,
  ],
  [
    'in a counted loop in a callback of three rounds',
    `main:\n${loop(3, 'first', true)}${DONE}first:\n${iterate(3, timed('', 'clock'), 'count', -16)}${DONE}`,
    3,
  ],
  [
    'around callbacks that have none',
    `main:\n${timed(loop(3, 'first', true), 'clock')}${DONE}first:\n${iterate(3, '', 'count', -16)}${DONE}`,
    1,
  ],
  [
    'in two functions, and in their caller',
    `main:\n call first\n call first\n${timed('', 'clock')}${DONE}first:\n${timed('', 'inner')}${DONE}`,
    3,
  ],
];

it.each(TIMES)('the time of %s is that of its frames', (_, text, frames) => {
  const { ms } = boundsOf(read(text)).worst;
  // A helper counts as entered once more than it calls back.
  const most = text.includes('bpf_loop') && frames > 1 ? frames + 1 : frames;
  expect([frames * MAY_GOTO_MS, most * MAY_GOTO_MS]).toContain(ms);
});

const COUNTS = [0, 1, 2, 5];

describe('every small nest of loops ends within its bound', () => {
  it.each(Object.entries(SHAPES))('%s', (_, { places, text }) => {
    const found: string[] = [];
    for (let bits = 0; bits < 1 << places; bits++) {
      const at = Array.from({ length: places }, (__, i) => stretch(((bits >> i) & 1) === 1));
      for (const outer of COUNTS)
        for (const inner of COUNTS) {
          const { broken } = worstOf(read(text(at, outer, inner)));
          if (broken.length > 0) found.push(`${outer} x ${inner}, ${bits}: ${broken[0]}`);
        }
    }
    expect(found).toEqual([]);
  });
});
