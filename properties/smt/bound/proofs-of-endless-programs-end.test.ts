/**
 * A program may run for years within Linux's limits. Its proof still ends, because each search counts its effort: the insns of runs, and the questions.
 * The programs hold something around loops in loops, of every kind that Linux has, and the rules leave something to search for.
 */
import { describe, expect, it } from 'vitest';
import { RULE_SETS } from '../../../src/patch/sets/index.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';

const TIMES = 8_388_608;

/** Goes round by bpf_loop; the rounds call the function `inner`. */
const loop = (inner: string): string =>
  ` w1 = ${TIMES}\n r2 = func ${inner}\n r3 = 0\n r4 = 0\n call bpf_loop#181\n`;
const NUMBERS = ` r1 = r10
 r1 += -8
 r2 = 0
 r3 = ${TIMES}
 call bpf_iter_num_new
next:
 r1 = r10
 r1 += -8
 call bpf_iter_num_next
 if r0 == 0x0 goto done
 goto next
done:
 r1 = r10
 r1 += -8
 call bpf_iter_num_destroy
`;
const MAY_GOTO = 'again:\n may_goto over\n goto again\nover:\n';

/** The body runs while a record is held. */
const holding = (body: string, functions = ''): string => `.type raw_tracepoint
.map rb ringbuf entries=4096
main:
 r1 = map rb
 r2 = 8
 r3 = 0
 call bpf_ringbuf_reserve#131
 r6 = r0
 if r6 == 0x0 goto L1
${body} r1 = r6
 r2 = 0
 call bpf_ringbuf_submit#132
L1:
 r0 = 0
 exit
${functions}`;

const leaf = 'leaf:\n w0 = 0\n exit\n';
const PROGRAMS: Readonly<Record<string, string>> = {
  'three nested loops': holding(loop('inner'), `inner:\n${loop('leaf')} w0 = 0\n exit\n${leaf}`),
  'a loop in which numbers are counted': holding(loop('inner'), `inner:\n${NUMBERS} w0 = 0\n exit\n`),
  'a loop around may_goto': holding(loop('inner'), `inner:\n${MAY_GOTO} w0 = 0\n exit\n`),
  'numbers, then a loop': holding(NUMBERS + loop('leaf'), leaf),
  'may_goto alone': holding(MAY_GOTO),
};

describe('the proof ends', () => {
  it.each(Object.entries(PROGRAMS))('of %s', { timeout: 60_000 }, async (_, text) => {
    const { program } = parseCase(text);
    for (const rules of RULE_SETS) {
      const { verdict, reason, witness, queries } = await proveProgram(program, rules);
      expect([rules.name, verdict, reason]).not.toContain('not verified');
      expect(verdict === 'proven' || reason !== '').toBe(true);
      // The first version of the rules keeps what reserves a record: a run shows it, though it is far too long to be run out.
      if (rules.name === 'rfc-v1') expect([verdict, witness?.expect?.kind]).toEqual(['refuted', 'breaks']);
      if (rules.name === 'sound') expect(verdict).toBe('proven');
      expect(queries).toBeLessThan(5_000);
    }
  });
});

/**
 * Linux 6.18 takes these, although they never end: an iterator that is drained is asked again and again, and the loop of another iterator inside of
 * it lets the kernel's walk converge. Nothing may be promised of them.
 */
describe('no bound is promised for a loop over a drained iterator that hides behind another one', () => {
  const around = (inner: string): string => `.type syscall
 r1 = r10
 r1 += -16
 call bpf_iter_kmem_cache_new
again:
 r1 = r10
 r1 += -16
 call bpf_iter_kmem_cache_next
 if r0 != 0 goto out
${inner} goto again
out:
 r1 = r10
 r1 += -16
 call bpf_iter_kmem_cache_destroy
 r0 = 0
 exit
`;
  const numbers = NUMBERS.replaceAll('r1 += -8', 'r1 += -32').replace(`r3 = ${TIMES}`, 'r3 = 5');
  const early = numbers.replace('goto next', 'call bpf_get_prandom_u32\n if r0 < 100 goto done\n goto next');
  it.each([
    ['that counts', numbers],
    ['that may end early', early],
  ])('%s', async (_, inner) => {
    const { program } = parseCase(around(inner));
    expect(verify(program)).toMatchObject({ ok: true });
    for (const rules of RULE_SETS) {
      const proof = await proveProgram(program, rules);
      expect([rules.name, proof.verdict === 'proven' || proof.boundKind === 'exact']).toEqual([
        rules.name,
        false,
      ]);
    }
  });
});
