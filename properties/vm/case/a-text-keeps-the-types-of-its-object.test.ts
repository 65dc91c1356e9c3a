/**
 * A program of an object and its text are the same program: the same verdict, the same facts at every insn, and the text of what the
 * text reads back as is the text again. Without the kernel's BTF, objects that need it are skipped.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { neededTypes, sparseBtf } from '../../../src/object/btf/prune.js';
import { parseType, typeWords } from '../../../src/object/btf/text.js';
import type { Program } from '../../../src/object/program.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { EMPTY } from '../../../src/vm/state/environment.js';
import { objectFiles as files, NEEDS_BTF, programsOf } from '../../support/objects/files.js';

const textOf = (program: Program): string =>
  printCase({ program, profile: 'privileged', env: EMPTY, comments: [] });

function expectSame(program: Program): void {
  const text = textOf(program);
  const back = parseCase(text).program;
  expect(textOf(back)).toBe(text);
  for (const profile of ['privileged', 'strict'] as const) {
    const [was, is] = [verify(program, { profile }), verify(back, { profile })];
    expect([is.ok, is.walked, is.states]).toEqual([was.ok, was.walked, was.states]);
    if (!was.ok || !is.ok) {
      if (!was.ok && !is.ok) expect([is.message, is.slot]).toEqual([was.message, was.slot]);
      continue;
    }
    const facts = (slot: number): boolean =>
      was.facts.size > 3000 ||
      isDeepStrictEqual(
        is.facts.at(slot).map(({ state }) => state),
        was.facts.at(slot).map(({ state }) => state),
      );
    expect(program.insns.flatMap((_, slot) => (facts(slot) ? [] : [slot]))).toEqual([]);
  }
}

describe('object and text', () => {
  test.for(files)('%s', (file, { skip }) => {
    const programs = programsOf(file);
    if (programs === undefined) return skip(NEEDS_BTF);
    for (const program of programs) expectSame(program);
  });

  test('generated programs', () => {
    for (let index = 0; index < 12; index++) expectSame(sample(7, index).program);
  });
});

describe('the types of a text', () => {
  test('each id keeps its type', () => {
    for (const file of files) {
      for (const program of programsOf(file) ?? []) {
        const types = neededTypes(program);
        for (const type of types.values()) expect(parseType(typeWords(type).split(' '))).toEqual(type);
        const { btf: _btf, ...rest } = program;
        expect(neededTypes({ ...rest, btf: sparseBtf(types) })).toEqual(types);
      }
    }
  });

  test('names that words cannot hold are kept', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 12 }), fc.nat(9), (name, type) => {
        for (const one of [
          { kind: 'typedef', name, type },
          { kind: 'decl_tag', name, type, component: type - 1, attribute: false },
          { kind: 'func_proto', returns: 0, params: [{ name, type }] },
          {
            kind: 'struct',
            name,
            size: 8,
            members: [{ name, type, bitOffset: 3, bitSize: 2 }],
          },
        ] as const)
          expect(parseType(typeWords(one).split(' '))).toEqual(one);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('a load that nothing is told of is refused, and says so', () => {
    const text = [
      '.type tp_btf',
      '.attach 23 sched_switch',
      '.kernel_args scalar trusted:task_struct',
      '.kernel_struct task_struct @8/4',
      '',
      'r1 = *(u64 *)(r1 +8)',
      'r0 = *(u32 *)(r1 +OFF)',
      'w0 = 0',
      'exit',
    ].join('\n');
    const at = (offset: number) => verify(parseCase(text.replace('OFF', `${offset}`)).program);
    expect(at(8).ok).toBe(true);
    const answer = at(12);
    expect(answer.ok ? '' : answer.message).toMatch(
      /^the text does not say what 4 bytes at 12 of struct task_struct are/,
    );
    const untyped = verify(parseCase(text.replace(/^\.kernel.*\n/gm, '').replace('OFF', '8')).program);
    expect(untyped.ok ? '' : `${untyped.reason} ${untyped.message}`).toMatch(
      /^unsupported R1 invalid mem access 'scalar': the text has no types of the arguments of 'sched_switch'/,
    );
  });

  test('arguments are trusted as the text says', () => {
    const acquires = (arg: string) =>
      verify(
        parseCase(`.type tp_btf
.license GPL
.attach 23 sched_switch
.kernel_args scalar ${arg}:task_struct

r1 = *(u64 *)(r1 +8)
call bpf_task_acquire
if r0 == 0 goto out
r1 = r0
call bpf_task_release
out:
w0 = 0
exit
`).program,
      );
    expect(acquires('trusted').ok).toBe(true);
    const answer = acquires('pointer');
    expect(answer.ok ? '' : answer.message).toMatch(/must be referenced or trusted|must be a rcu pointer/);
  });

  test('pointers in structs have the tags that the text says', () => {
    const follows = (tag: string, use: string) =>
      verify(
        parseCase(`.type tp_btf
.license GPL
.attach 23 sched_switch
.kernel_args scalar trusted:task_struct
.kernel_struct task_struct @8/4 next@1480/8:task_struct${tag}

r6 = *(u64 *)(r1 +8)
call bpf_rcu_read_lock
r1 = *(u64 *)(r6 +1480)
${use}over:
call bpf_rcu_read_unlock
w0 = 0
exit
`).program,
      ).ok;
    const acquire = `if r1 == 0 goto over
call bpf_task_acquire
if r0 == 0 goto over
r1 = r0
call bpf_task_release
`;
    const read = 'r0 = *(u32 *)(r1 +8)\n';
    expect(['', ',rcu', ',user', ',percpu'].map((tag) => follows(tag, acquire))).toEqual([
      false,
      true,
      false,
      false,
    ]);
    expect(['', ',user', ',percpu'].map((tag) => follows(tag, read))).toEqual([true, false, false]);
  });

  test('a type that is not there is one line', () => {
    const program = '\nw0 = 0\nexit\n';
    for (const [directive, message] of [
      ['.btf 1 ptr 2', '.btf 1 names the BTF type 2'],
      ['.btf 0 ptr 0', 'an id from 1'],
      ['.btf 1 what 0', "no kind of BTF type is called 'what'"],
      ['.btf 1 struct a size=8 b:1', 'expected NAME:TYPE@OFFSET'],
      ['.map m array key=4 value=4 entries=1 btf=1:2', 'names the BTF type 2'],
      ['.func main btf=1', 'no function'],
      ['.kernel_args what', 'no argument of a kernel function'],
      ['.kernel_struct a b', 'expected NAME@OFFSET/SIZE:STRUCT'],
    ] as const)
      expect(
        () => parseCase(`.btf 1 ptr 0\n${directive}\n${program}`.replace('.btf 1 ptr 0\n.btf', '.btf')),
        directive,
      ).toThrow(message);
  });
});
