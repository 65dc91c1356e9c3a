/**
 * Where a kernel lets calls be sixteen frames deep, a number that a check relies on is followed back through all of them: of two paths that
 * differ in it, the second is walked too.
 */
import { expect, it } from 'vitest';
import { BUILT_IN } from '../../../src/kernel/profile.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';

const KERNEL = { ...BUILT_IN, behaviour: { ...BUILT_IN.behaviour, frames: 16 } };

/** A number goes down through so many functions and comes back, and is where the caller stores: `second` on one of two ways. */
function program(frames: number, second: number) {
  const functions = Array.from({ length: frames - 1 }, (_, i) =>
    i === frames - 2
      ? `f${i}:\n    r0 = r1\n    exit\n`
      : `f${i}:\n    r6 = 0\n    call f${i + 1}\n    r0 += r6\n    exit\n`,
  );
  return parseCase(`.type tc
main:
    call bpf_get_prandom_u32
    if r0 > 7 goto second
    r1 = -8
    goto go
second:
    r1 = ${second}
go:
    call f0
    r2 = r10
    r2 += r0
    *(u8 *)(r2 + 0) = 0
    r0 = 0
    exit
${functions.join('')}`).program;
}

it.each([2, 7, 8, 9, 10, 12, 15, 16])('%i frames', (frames) => {
  for (const facts of [false, true]) {
    expect(verify(program(frames, -16), { kernel: KERNEL, facts })).toMatchObject({ ok: true });
    expect(verify(program(frames, 100), { kernel: KERNEL, facts })).toMatchObject({ ok: false });
  }
});
