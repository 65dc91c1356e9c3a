/** A program just within each limit is accepted, one just beyond is refused, as by Linux: frames, bytes of stack, branches that wait, insns. */
import { describe, expect, it } from 'vitest';
import type { Program } from '../../../src/object/program.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';

/** A chain of subprograms, each with a frame of so many bytes; the last ends with `last`. */
function chain(frames: readonly number[], last = '', type = 'tc', directives = ''): Program {
  const bodies = frames.map((size, n) => {
    const touch = size === 0 ? '' : `    *(u8 *)(r10 -${size}) = 0\n`;
    const call = n + 1 < frames.length ? `    call f${n + 1}\n` : last;
    return `${n === 0 ? 'main' : `f${n}`}:\n${n > 0 && n + 1 === frames.length && last !== '' ? '    r6 = r1\n' : ''}${touch}${call}    r0 = 0\n    exit\n`;
  });
  return parseCase(`.type ${type}\n${directives}\n${bodies.join('')}`).program;
}

/** All but the main program are global. */
const globals = (count: number): string =>
  Array.from({ length: count }, (_, n) => `.global f${n + 1}`).join('\n');

const zeros = (count: number): readonly number[] => Array.from({ length: count }, () => 0);

/** The called function saves a register around a fastcall, `at` bytes below its top, on a way that no path takes; the main program has 32 bytes. */
const neverSaved = (at: number): Program =>
  parseCase(`.type syscall
main:
    *(u64 *)(r10 -32) = 0
    call f0
    r0 = 0
    exit
f0:
    r0 = 11
    if w0 < 0xe79 goto over
    r1 = 7
    *(u64 *)(r10 -${at}) = r1
    call bpf_get_smp_processor_id#8
    r1 = *(u64 *)(r10 -${at})
    r0 = 1
    exit
over:
    r0 = 0
    exit
`).program;

/** Branches whose other way is walked later: so many wait at once. */
function waiting(count: number): Program {
  const lines = ['.type tc', 'main:', '    call bpf_get_prandom_u32#7', '    r6 = r0'];
  // Each jump leads to the end, with numbers that no other path has.
  for (let n = 0; n < count; n++) lines.push(`    if r6 == ${n + 1} goto end`);
  return parseCase([...lines, '    r6 = 0', 'end:', '    r0 = 0', '    exit', ''].join('\n')).program;
}

/** An insn more or less: a loop and a tail. */
function insns(rounds: number, extra: number): Program {
  const tail = '    r0 = 0\n'.repeat(extra);
  return parseCase(
    `.type tc\nmain:\n    r6 = 0\nagain:\n    r6 += 1\n    if r6 < ${rounds} goto again\n${tail}    r0 = 0\n    exit\n`,
  ).program;
}

const JUMPS = '.map jumps prog_array key=4 value=4 entries=1';
const TAIL_CALL = '    r1 = r6\n    r2 = map jumps\n    r3 = 0\n    call bpf_tail_call#12\n';
const MAIN_TAIL_CALL = TAIL_CALL.replace('    r1 = r6\n', '');

const CASES: readonly (readonly [name: string, program: () => Program, ok: boolean])[] = [
  ['eight frames', () => chain(zeros(8)), true],
  ['nine frames', () => chain(zeros(9)), false],
  ['eight frames of global functions', () => chain(zeros(8), '', 'tc', globals(7)), true],
  ['nine frames of global functions', () => chain(zeros(9), '', 'tc', globals(8)), false],
  ['512 bytes in one frame', () => chain([512]), true],
  ['512 bytes in two frames', () => chain([256, 256]), true],
  ['528 bytes in two frames', () => chain([256, 272]), false],
  ['513 bytes in two frames, rounded up', () => chain([256, 257]), false],
  ['496 bytes and a byte: rounded up to 512', () => chain([495, 1]), true],
  ['497 bytes and a byte', () => chain([497, 1]), false],
  ['eight frames of 64 bytes', () => chain([64, 64, 64, 64, 64, 64, 64, 64]), true],
  ['eight frames of 65 bytes', () => chain([65, 65, 65, 65, 65, 65, 65, 65]), false],
  ['eight frames of 512 bytes elsewhere', () => chain([512, 512, 512, 512], '', 'kprobe'), true],
  ['small frames are not put elsewhere', () => chain([512, 48, 48, 48], '', 'kprobe'), true],
  ['a tail call below 240 bytes', () => chain([240, 8], TAIL_CALL, 'tc', JUMPS), true],
  ['a tail call below 256 bytes', () => chain([256, 8], TAIL_CALL, 'tc', JUMPS), false],
  ['a tail call below 128 and 112 bytes', () => chain([128, 112, 8], TAIL_CALL, 'tc', JUMPS), true],
  ['a tail call below 128 and 128 bytes', () => chain([128, 128, 8], TAIL_CALL, 'tc', JUMPS), false],
  [
    'a tail call of the main program with a large frame',
    () => chain([512], MAIN_TAIL_CALL, 'tc', JUMPS),
    true,
  ],
  ['a fastcall that is never made, 480 bytes deep', () => neverSaved(480), true],
  ['a fastcall that is never made, 512 bytes deep', () => neverSaved(512), false],
  ['8192 branches wait', () => waiting(8192), true],
  ['8193 branches wait', () => waiting(8193), false],
];

describe('programs fit the limits of Linux', () => {
  it.each(CASES)('%s', (_, program, ok) => {
    const verdict = verify(program(), { facts: false });
    expect(verdict.ok ? '' : verdict.message).toMatch(ok ? /^$/ : /./);
  });

  it('a budget of as many insns as are walked, and one of one less', () => {
    const program = insns(10, 3);
    const { walked } = verify(program);
    expect(verify(program, { budget: walked }).ok).toBe(true);
    expect(verify(program, { budget: walked - 1 })).toMatchObject({ ok: false, reason: 'budget' });
  });
});

describeKnownKernel('and Linux draws the same lines', () => {
  it.each(CASES)('%s', (_, program, ok) => {
    const result = loadProgram(program(), { explain: false });
    if (result.ok) result.close();
    expect(result.ok).toBe(ok);
  });
});
