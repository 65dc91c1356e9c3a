/**
 * A landing pad is reached just where the function that was called left by unwind_exit; it sees r0, r6 to r9 and the stack, and what it does
 * is judged as what any code does. What has no place for a pad is refused.
 */
import { describe, expect, it } from 'vitest';
import { verify } from '../../../src/verifier/verify.js';
import {
  BOTH_WAYS,
  holding,
  lookUp,
  ONE_WAY,
  padProgram,
  WITH_PADS,
  withPad,
} from '../../support/pads/pads.js';

const verdict = (text: string): string => {
  const verified = verify(padProgram(text), { kernel: WITH_PADS });
  return verified.ok ? 'accepted' : verified.message;
};

/** The arguments of a function lead to one of two landing places; `offset` is where the second writes, from the top of the stack. */
const precise = (offset: number): string => `main:
    call bpf_get_prandom_u32
    if r0 > 7 goto second
    r1 = -8
    goto go
second:
    r1 = ${offset}
go:
    call work
    unwind_goto pad
    r0 = 0
    exit
pad:
    r2 = r10
    r2 += r0
    *(u8 *)(r2 + 0) = 0
    r0 = 0
    exit
work:
    r0 = r1
    unwind_exit
`;

const global = (pad: string, body: string): string => `.global work\n${withPad(pad, `work:\n${body}`)}`;

const CALLBACK = (round: string): string => `main:
    r1 = 4
    r2 = func round
    r3 = 0
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
round:
${round}
${BOTH_WAYS}`;

describe('taken', () => {
  it.each<[string, string]>([
    ['a pad that does nothing', withPad('')],
    [
      'a pad that reads r0, r6 and the stack',
      withPad('    r1 = r0\n    r1 = r6\n    r1 = *(u64 *)(r10 - 32)'),
    ],
    ['a pad that gives back what the caller holds', holding('    r1 = r6\n    call bpf_sk_release')],
    ['a pad that uses r0 as an offset inside of the stack', precise(-16)],
    ['the main program left by unwind_exit', 'main:\n    r0 = 0\n    unwind_exit\n'],
    [
      'a pad that leaves its own frame on',
      `main:\n    call outer\n    unwind_goto pad\n    r0 = 0\n    exit\npad:\n    r0 = 0\n    exit\nouter:\n    call work\n    unwind_goto on\n    r0 = 0\n    exit\non:\n    unwind_exit\n${BOTH_WAYS}`,
    ],
    ['a pad that nothing leads to, whatever it does', withPad('    r1 = r3', ONE_WAY)],
    [
      'a function called by a callback that unwinds',
      CALLBACK('    call work\n    unwind_goto pad\n    r0 = 0\n    exit\npad:\n    r0 = 1\n    exit'),
    ],
    ['a global function that unwinds', global('    r1 = r0', '    r0 = 0\n    unwind_exit\n')],
    [
      'a call without a pad of a function that never unwinds',
      `main:\n    call work\n    r0 = 0\n    exit\n${ONE_WAY}`,
    ],
  ])('%s', (_, text) => {
    expect(verdict(text)).toBe('accepted');
  });
});

describe('refused', () => {
  it.each<[string, string, RegExp]>([
    ['a pad that reads r3', withPad('    r1 = r3'), /R3 !read_ok/],
    ['a pad that keeps what the caller holds', holding(''), /Unreleased reference/],
    [
      'what the function that unwinds holds',
      `main:\n    call work\n    unwind_goto pad\n    r0 = 0\n    exit\npad:\n    r0 = 0\n    exit\nwork:\n    r9 = r1${lookUp('r6', 'out')}\nout:\n    r0 = 0\n    unwind_exit\n`,
      /Unreleased reference/,
    ],
    ['a pad that uses r0 as an offset beyond the stack', precise(8), /invalid .*stack/],
    [
      'unwind_goto as the first insn',
      'main:\n    unwind_goto out\nout:\n    r0 = 0\n    exit\n',
      /^unwind_goto at insn 0 does not follow a call of a subprogram$/,
    ],
    [
      'unwind_goto behind a call of a helper',
      'main:\n    call bpf_get_prandom_u32\n    unwind_goto out\nout:\n    r0 = 0\n    exit\n',
      /^unwind_goto at insn 1 does not follow a call/,
    ],
    [
      'unwind_goto as the first insn of a function',
      `main:\n    call work\n    r0 = 0\n    exit\nwork:\n    unwind_goto out\nout:\n    r0 = 0\n    exit\n`,
      /^unwind_goto at insn 3 does not follow a call/,
    ],
    [
      'a jump to unwind_goto',
      `main:\n    r0 = 0\n    if r1 == 0 goto to\n    call work\nto:\n    unwind_goto out\nout:\n    r0 = 0\n    exit\n${BOTH_WAYS}`,
      /^jump from insn 1 to unwind_goto at insn 3$/,
    ],
    [
      'unwind_exit where the call has no pad',
      `main:\n    call work\n    r0 = 0\n    exit\n${BOTH_WAYS}`,
      /^unwind_exit, but no unwind_goto follows the call at insn 0$/,
    ],
    [
      'unwind_exit of a callback',
      CALLBACK('    r0 = 0\n    unwind_exit').replace(BOTH_WAYS, ''),
      /^unwind_exit in a callback$/,
    ],
    [
      'a wrong pad of a global function that never unwinds',
      global('    r1 = r3', '    r0 = 0\n    exit\n'),
      /R3 !read_ok/,
    ],
    [
      'a global function that unwinds, where the call has no pad',
      `.global work\nmain:\n    call work\n    r0 = 0\n    exit\nwork:\n    r0 = 0\n    unwind_exit\n`,
      /^unwind_exit, but no unwind_goto/,
    ],
    [
      'a function that unwinds with its stack pointer',
      withPad('', 'work:\n    r0 = r10\n    unwind_exit\n'),
      /cannot return stack pointer/,
    ],
  ])('%s', (_, text, message) => {
    expect(verdict(text)).toMatch(message);
    expect(verdict(text)).not.toBe('accepted');
  });
});
