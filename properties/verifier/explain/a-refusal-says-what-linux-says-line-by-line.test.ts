/**
 * What we say of a refused program is what Linux's log ends in: all of its lines, with its numbers of references. Generated programs are broken
 * in every way there is. A few complaints are about another of two faults, where Linux looks for them in another order.
 */
import { expect, it } from 'vitest';
import { BREAKS, breakProgram } from '../../../generators/near-miss.js';
import { sample } from '../../../generators/sample.js';
import { runningKernelTypes } from '../../../src/oracle/btf.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { complaint } from '../../../src/oracle/log.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';

const PROGRAMS = 10;
const SEED = Number(process.env.SWANSONG_SEED ?? 1);

interface Pair {
  readonly ours: readonly string[];
  readonly linux: readonly string[];
}

function refusals(): Pair[] {
  const kernelTypes = runningKernelTypes();
  const pairs: Pair[] = [];
  for (let index = 0; index < PROGRAMS; index++) {
    const original = sample(SEED + 6, index, {});
    for (const way of BREAKS) {
      const broken = breakProgram(original, way, index);
      const program = { ...broken.program, kernelTypes };
      const verdict = verify(program, { facts: false, budget: 20_000 });
      if (verdict.ok || verdict.reason !== 'rejected') continue;
      const result = loadProgram(program, { logLevel: 0, explain: true });
      if (result.ok) result.close();
      else if (result.stage === 'program')
        pairs.push({ ours: verdict.lines, linux: complaint(result.log).lines });
    }
  }
  return pairs;
}

const anonymous = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/\bid=\d+/g, 'id=N'));
const same = (a: readonly string[], b: readonly string[]): boolean => a.join('\n') === b.join('\n');

const RINGBUF = `
.type xdp
.map ring ringbuf key=0 value=0 entries=4096
    r1 = map ring
    r2 = 16
    r3 = 0
    call bpf_ringbuf_reserve
    if r0 == 0 goto out
    r6 = r0
    BODY
    r1 = r6
    r2 = 0
    call bpf_ringbuf_discard
out:
    r0 = 0
    exit
`;

/** Programs, and the lines that Linux says of them. */
const TOLD: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'a store past the end of a record',
    RINGBUF.replace('BODY', '*(u64 *)(r6 +12) = 0'),
    [
      'invalid access to memory, mem_size=16 off=12 size=8',
      'R6 min value is outside of the allowed memory range',
    ],
  ],
  [
    'two records that are not given back',
    RINGBUF.replace(
      'BODY',
      'r1 = map ring\n r2 = 16\n r3 = 0\n call bpf_ringbuf_reserve\n if r0 == 0 goto keep\n goto out\nkeep:',
    ),
    [
      'Unreleased reference id=2 alloc_insn=4',
      'Unreleased reference id=4 alloc_insn=11',
      'BPF_EXIT instruction in main prog would lead to reference leak',
    ],
  ],
  ...['bpf_local_irq_save', 'bpf_local_irq_restore'].map(
    (name) =>
      [
        `nothing for the flags of ${name}`,
        `.type tc\n r1 = 0\n call ${name}\n r0 = 0\n exit\n`,
        ['Possibly NULL pointer passed to trusted arg0'],
      ] as const,
  ),
];

it.each(TOLD)('%s', (_, text, lines) => {
  const { program } = parseCase(text, 'told.bpf');
  const verdict = verify(program);
  expect(verdict.ok ? [] : verdict.lines).toEqual(lines);
});

describeKnownKernel('a refusal says what Linux says, line by line', () => {
  it.each(TOLD)('%s', (_, text, lines) => {
    const result = loadProgram(parseCase(text, 'told.bpf').program, { logLevel: 0, explain: true });
    expect(result.ok ? [] : complaint(result.log).lines).toEqual(lines);
  });

  it('in near misses', { timeout: 60_000 }, () => {
    const pairs = refusals();
    expect(pairs.length).toBeGreaterThan(PROGRAMS * 10);
    const agreeing = pairs.filter(({ ours, linux }) => same(anonymous(ours), anonymous(linux)));
    expect(agreeing.length).toBeGreaterThan(pairs.length * 0.88);
    // Whoever comes to the same end says the same before it.
    const ends = pairs.filter(({ ours, linux }) =>
      same(anonymous(ours.slice(-1)), anonymous(linux.slice(-1))),
    );
    for (const { ours, linux } of ends) expect(anonymous(ours)).toEqual(anonymous(linux));
    expect(ends.filter(({ linux }) => linux.length > 1).length).toBeGreaterThan(10);
    const numbered = agreeing.filter(({ linux }) => linux.some((line) => /\bid=\d/.test(line)));
    const exact = numbered.filter(({ ours, linux }) => same(ours, linux));
    expect(numbered.length).toBeGreaterThan(10);
    expect(exact.length).toBeGreaterThan(numbered.length * 0.8);
  });
});
