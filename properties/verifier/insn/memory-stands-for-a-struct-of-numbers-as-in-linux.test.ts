/**
 * A kfunc that takes a struct of plain numbers takes any memory that is large enough for it, as Linux does: a CPU mask may lie in a map. And
 * a map without BTF has no fields: what is refused then is the map, in Linux's words, not the place in its value.
 */
import { describe, expect, it } from 'vitest';
import type { Program } from '../../../src/object/program.js';
import { withRunningTypes } from '../../../src/oracle/btf.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { profileHere } from '../../../src/oracle/profile/running.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { describeKernel, describeKnownKernel, messagesKnown } from '../../support/kernel/skip.js';

const linux = (program: Program): string => {
  const result = loadProgram(program);
  if (result.ok) result.close();
  return result.ok ? 'accepted' : result.message;
};
const ours = (program: Program): string => {
  const verdict = verify(program, { facts: false, kernel: profileHere() });
  return verdict.ok ? 'accepted' : verdict.message;
};

/** A value of this many bytes, from byte `at` on, for each mask that the function takes. */
const masks = (name: string, count: number, size: number, at: number): string => `.type tracepoint
.map m array key=4 value=${size} entries=1
main:
    r6 = mapvalue m
    r6 += ${at}
${Array.from({ length: count }, (_, n) => `    r${n + 1} = r6\n`).join('')}    call ${name}
    r0 = 0
    exit
`;

const TAKE_MASKS: readonly (readonly [string, number])[] = [
  ['bpf_cpumask_first', 1],
  ['bpf_cpumask_weight', 1],
  ['bpf_cpumask_full', 1],
  ['bpf_cpumask_equal', 2],
  ['bpf_cpumask_subset', 2],
  ['bpf_cpumask_first_and', 2],
  ['bpf_cpumask_any_and_distribute', 2],
];

describeKnownKernel('memory for a struct of numbers', () => {
  const types = withRunningTypes();
  const size = types.kernelTypes?.plainSize?.('cpumask') ?? 0;

  it('the struct has a size', () => expect(size).toBeGreaterThanOrEqual(8));

  it.each(TAKE_MASKS)('of %s', (name, count) => {
    const verdicts: string[] = [];
    for (const bytes of [size - 8, size, size + 64]) {
      for (const at of [0, 8, 64]) {
        const program = { ...parseCase(masks(name, count, bytes, at)).program, ...types };
        const said = ours(program);
        verdicts.push(`${bytes - size >= at ? 'fits' : 'does not fit'}: ${said === 'accepted'}`);
        expect([bytes, at, said === 'accepted', said]).toEqual([
          bytes,
          at,
          linux(program) === 'accepted',
          said,
        ]);
      }
    }
    expect([...new Set(verdicts)].sort()).toEqual(['does not fit: false', 'fits: true']);
  });

  it('not of a struct that holds pointers', () => {
    const program = { ...parseCase(masks('bpf_task_release', 1, 16_384, 0)).program, ...types };
    expect(ours(program)).toMatch(/must point to scalar, or struct with scalar$/);
    expect(linux(program)).toBe(ours(program));
  });
});

const VALUE = `.type tc
.map m array key=4 value=64 entries=1
main:
    r1 = mapvalue m
`;
const FIELDS: readonly (readonly [string, string])[] = [
  ['bpf_timer', '    r2 = map m\n    r3 = 1\n    call bpf_timer_init'],
  ['bpf_timer', '    call bpf_timer_cancel'],
  ['bpf_spin_lock', '    call bpf_spin_lock'],
  ['bpf_res_spin_lock', '    call bpf_res_spin_lock'],
];
const withoutBtf = (body: string): Program => parseCase(`${VALUE}${body}\n    r0 = 0\n    exit\n`).program;

describe('a map without BTF', () => {
  it.each(FIELDS)('has no %s', (field, body) => {
    const verdict = verify(withoutBtf(body), { facts: false });
    expect(verdict.ok || verdict.message).toBe(`map 'm' has to have BTF in order to use ${field}`);
  });
});

describeKernel('Linux', () => {
  it.each(FIELDS)('says so of %s, too', (field, body) => {
    const said = linux(withoutBtf(body));
    if (messagesKnown()) expect(said).toBe(`map 'm' has to have BTF in order to use ${field}`);
  });
});
