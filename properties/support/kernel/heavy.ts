/**
 * Programs that take a verifier long: what compilers make of loops, parsers and long rows of checks. What each costs depends on telling
 * numbers that matter from those that do not, and stack slots that are read again from those that are not.
 */
import type { Program } from '../../../src/object/program.js';
import { parseCase } from '../../../src/vm/case/case.js';

const rows = (count: number, row: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => row(n)).join('\n');

const TEXTS: Readonly<Record<string, string>> = {
  'loops in loops': `
.type xdp
    r6 = 0
    r8 = 0
outer:
    r7 = 0
inner:
    r1 = r6
    r1 *= r7
    r8 += r1
    r7 += 1
    if r7 < 40 goto inner
    r6 += 1
    if r6 < 40 goto outer
    r0 = 2
    exit`,

  'choices that leave a number': `
.type xdp
    r6 = 1
${rows(40, (n) => `    call bpf_get_prandom_u32\n    r6 <<= 1\n    if r0 == ${n} goto l${n}\n    r6 += 1\nl${n}:`)}
    r0 = 2
    exit`,

  'choices that leave a number on the stack': `
.type xdp
    *(u64 *)(r10 -8) = 1
${rows(
  40,
  (n) =>
    `    call bpf_get_prandom_u32\n    r1 = *(u64 *)(r10 -8)\n    r1 <<= 1\n    if r0 == ${n} goto l${n}\n    r1 += 1\nl${n}:\n    *(u64 *)(r10 -8) = r1`,
)}
    r0 = 2
    exit`,

  'choices that leave slots behind': `
.type xdp
.map m array key=4 value=8 entries=4
${rows(
  24,
  (n) => `    call bpf_get_prandom_u32
    if r0 > ${n} goto l${n}
    *(u64 *)(r10 -${8 * (n + 2)}) = 1
    r1 = *(u64 *)(r10 -${8 * (n + 2)})
l${n}:`,
)}
    *(u32 *)(r10 -4) = 0
    r1 = map m
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    r0 = 2
    exit`,

  'a choice of many': `
.type xdp
    call bpf_get_prandom_u32
    r6 = r0
    r6 &= 127
    r7 = 0
${rows(64, (n) => `    if r6 != ${n} goto l${n}\n    r7 = ${n * 3}\nl${n}:`)}
${rows(12, (n) => `    call bpf_get_prandom_u32\n    if r0 > ${n} goto m${n}\n    r7 += r6\nm${n}:`)}
    r0 = 2
    exit`,

  'a parser of headers': `
.type xdp
    r9 = r1
    r6 = *(u32 *)(r1 +0)
    r7 = *(u32 *)(r1 +4)
    r8 = 0
${rows(
  16,
  (n) => `    r2 = r6
    r2 += 8
    if r2 > r7 goto out
    r3 = *(u8 *)(r6 +0)
    r4 = *(u8 *)(r6 +1)
    r4 &= 15
    if r3 == ${n} goto big${n}
    if r3 == ${n + 20} goto next${n}
    r8 += 1
    goto next${n}
big${n}:
    r4 <<= 2
next${n}:
    r6 += r4
    r6 += 2`,
)}
out:
    r0 = 2
    exit`,

  'an iterator with choices inside': `
.type xdp
    r1 = r10
    r1 += -8
    r2 = 0
    r3 = 1000
    call bpf_iter_num_new
    r6 = 0
    r7 = 0
loop:
    r1 = r10
    r1 += -8
    call bpf_iter_num_next
    if r0 == 0 goto done
    r1 = *(u32 *)(r0 +0)
    if r1 > 10 goto big
    r6 += 1
    goto more
big:
    r7 += r1
more:
    if r1 > 500 goto loop
    r6 += r7
    goto loop
done:
    r1 = r10
    r1 += -8
    call bpf_iter_num_destroy
    r0 = 2
    exit`,

  'a callback that counts': `
.type xdp
    *(u64 *)(r10 -8) = 0
    r1 = 1000
    r2 = func body
    r3 = r10
    r3 += -8
    r4 = 0
    call bpf_loop
    r0 = 2
    exit
body:
    r6 = *(u64 *)(r2 +0)
    if r1 > 10 goto big
    r6 += 1
big:
    r6 += 2
    *(u64 *)(r2 +0) = r6
    r0 = 0
    exit`,

  'a function called with many numbers': `
.type xdp
    r6 = 0
${rows(20, (n) => `    call bpf_get_prandom_u32\n    r1 = r0\n    r2 = ${n}\n    call mix\n    r6 += r0`)}
    r0 = 2
    exit
mix:
    r0 = 0
    if r1 > 100 goto far
    r0 = r2
far:
    if r1 > 200 goto end
    r0 += 7
end:
    exit`,
};

/** Each by what it is. */
export const HEAVY: ReadonlyMap<string, Program> = new Map(
  Object.entries(TEXTS).map(([name, text]) => [name, parseCase(text, name).program]),
);

/** Loops that never end, with nothing in them that Linux would take for the end: numbers that grow for ever. */
export const ENDLESS: ReadonlyMap<string, Program> = new Map(
  Object.entries({
    'a number that grows': `
.type xdp
    r6 = 0
loop:
    r6 += 1
    goto loop`,
    'waiting branches': `
.type xdp
    r6 = 0
loop:
    call bpf_get_prandom_u32
    if r0 == 7 goto out
    r6 += 1
    if r6 != 0 goto loop
out:
    r0 = 2
    exit`,
  }).map(([name, text]) => [name, parseCase(text, name).program]),
);

/** `processed N insns` of Linux 6.18. */
export const WALKED: Readonly<Record<string, number>> = {
  'loops in loops': 8124,
  'choices that leave a number': 349,
  'choices that leave a number on the stack': 413,
  'choices that leave slots behind': 187,
  'a choice of many': 2295,
  'a parser of headers': 4050,
  'an iterator with choices inside': 116,
  'a callback that counts': 37,
  'a function called with many numbers': 429,
};
