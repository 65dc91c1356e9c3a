/**
 * A program that is not verified is unknown, with a way on that fits the reason: the program is to be mended where Linux refuses it as well, the page on
 * what we are stricter about where Linux may accept it, and Linux is to be asked about what is not modelled.
 */
import { describe, expect, it } from 'vitest';
import { BUILT_IN } from '../../src/kernel/profile.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import type { ProgramProof } from '../../src/smt/proof.js';
import { parseCase } from '../../src/vm/case/case.js';

const prove = (text: string): Promise<ProgramProof> =>
  proveProgram(parseCase(text).program, shippedRuleSet('sound')!);

/** Where Linux takes the stack of a called function for that of the main program. */
const SUM = `.type tc
main:
    call f
    r0 = 0
    exit
f:
    r2 = -8
    r2 += r10
    *(u64 *)(r2 +0) = 5
    r0 = 0
    exit
`;

const ROWS: readonly (readonly [name: string, text: string, advice: RegExp])[] = [
  ['a mistake', '.type xdp\n    r0 = *(u64 *)(r2 +0)\n    exit\n', /^mend the program first/],
  [
    'a mistake in the words of a reason to be stricter',
    '.type xdp\n    r0 = *(u32 *)(r1 -4)\n    r0 = 0\n    exit\n',
    /^mend the program first/,
  ],
  [
    'a function that other kernels give to programs',
    '.type kprobe\n.license GPL\n    r2 = 0\n    call bpf_override_return\n    r0 = 0\n    exit\n',
    /prove for one, --profile FILE/,
  ],
  [
    'a function that is given to other programs',
    '.type xdp\n.license GPL\n    call bpf_get_current_task\n    call bpf_rcu_read_unlock\n    r0 = 0\n    exit\n',
    /^mend the program first/,
  ],
  ['what Linux may accept', SUM, /^Linux may accept it: docs\/stricter-than-linux\.md says why/],
  [
    'what is not modelled',
    `.type xdp
.map pages arena key=0 value=0 entries=10 flags=0x400
    r2 = *(u32 *)(r1 +0)
    r3 = map pages
    if r2 > 100 goto both
    r2 = addr_space_cast(r2, 0, 1)
both:
    r2 += 1
    r0 = 0
    exit
`,
    /^this says nothing against the program: ask Linux, `certify`$/,
  ],
];

describe('what is not verified says whose turn it is', () => {
  it.each(ROWS)('%s', async (_, text, advice) => {
    const proof = await prove(text);
    expect([proof.verdict, proof.reason]).toEqual(['unknown', expect.stringMatching(/^not verified: /)]);
    expect(proof.advice).toMatch(advice);
  });

  it('and a profile that gives the function is what is missing', async () => {
    const { program } = parseCase(ROWS.find(([name]) => name.startsWith('a function that other'))![1]);
    const kernel = { ...BUILT_IN, types: { bpf_override_return: ['kprobe'] as const } };
    const proof = await proveProgram(program, shippedRuleSet('sound')!, { kernel });
    expect([proof.verdict, proof.reason]).toEqual(['proven', '']);
  });
});
