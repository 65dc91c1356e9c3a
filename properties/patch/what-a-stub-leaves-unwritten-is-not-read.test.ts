/**
 * Memory that a call would have written and its stub does not: whoever reads it after the kill is found by the walk of the fast path (what a
 * proof rests on), and by the VM, for every way in which a contract writes memory.
 */
import { expect, it } from 'vitest';
import { killBeforeEveryInsn } from '../../src/campaign/kill/kill-everywhere.js';
import { pathOf, prepareProgram, runOptions } from '../../src/campaign/kill/prepared-program.js';
import { rule, ruleSet } from '../../src/patch/define.js';
import { walkPatched } from '../../src/smt/patched.js';
import { parseCase } from '../../src/vm/case/case.js';

const read = 'r0 = *(u64 *)(r10 -8)\n    r0 = 0\n    exit\n';
const element = (name: string): string =>
  `.type tc\n.map piled stack key=0 value=8 entries=4\n
    r1 = map piled\n    r2 = r10\n    r2 += -8\n    call ${name}\n    ${read}`;

/** By function: which argument it writes through, and a program that reads what it wrote. */
const READERS: Readonly<Record<string, readonly [argument: number, text: string]>> = {
  bpf_map_peek_elem: [1, element('bpf_map_peek_elem')],
  bpf_map_pop_elem: [1, element('bpf_map_pop_elem')],
  bpf_skb_load_bytes: [
    2,
    `.type tc\n
    r2 = 0\n    r3 = r10\n    r3 += -8\n    r4 = 8\n    call bpf_skb_load_bytes\n    ${read}`,
  ],
  bpf_strtol: [
    3,
    `.type cgroup_sysctl\n
    *(u64 *)(r10 -16) = 0\n    r1 = r10\n    r1 += -16\n    r2 = 8\n    r3 = 0\n    r4 = r10\n    r4 += -8
    call bpf_strtol\n    ${read}`,
  ],
};

/** What the walk says of a program of which the calls of a function are stubbed, and what its killed runs break first. */
function failures(text: string, name: string, writes: readonly number[]): readonly string[] {
  const made = prepareProgram(parseCase(text).program, 'privileged');
  if (typeof made === 'string') throw new Error(made);
  const { program, verdict } = made;
  const path = pathOf(
    made,
    ruleSet('one', [
      rule('stub')
        .when((f) => f.name === name)
        .stub({ r0: 0, writes }),
    ]),
  );
  const options = { profile: made.profile, budget: 1000, failures: 1 };
  const walked = walkPatched(program, verdict.code, verdict.facts, path, verdict.lastId, options);
  const { broken } = killBeforeEveryInsn(made.code, {
    ...runOptions(made, path),
    env: { choices: new Map() },
  });
  return [...walked.failures.map((f) => f.message), ...broken.slice(0, 1).map((b) => b.violation.message)];
}

const left = expect.stringContaining('left unwritten');

it.each(Object.entries(READERS))('by %s', (name, [argument, text]) => {
  expect(failures(text, name, [])).toEqual([left, left]);
  expect(failures(text, name, [argument])).toEqual([]);
});

it.each([1, 2, 7, 8, 9, 16])('each of %i bytes, and no byte besides', (size) => {
  const found = Array.from({ length: 20 }, (_, i) => i - 2).filter((at) => {
    const text = `.type tc
    r2 = 0\n    r3 = r10\n    r3 += -24\n    r4 = ${size}\n    call bpf_skb_load_bytes
    r0 = *(u8 *)(r10 ${at - 24})\n    r0 = 0\n    exit\n`;
    const messages = failures(text, 'bpf_skb_load_bytes', []);
    expect(messages).toEqual(messages.length === 0 ? [] : [left, left]);
    return messages.length > 0;
  });
  expect(found).toEqual(Array.from({ length: size }, (_, i) => i));
});
