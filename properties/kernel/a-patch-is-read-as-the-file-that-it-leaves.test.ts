/**
 * A series of patches adds what its last patch leaves: functions, flags and prototypes that one patch adds and a later one changes or takes
 * away are read as if the file lay there. However mails carry the patches (quoted-printable, base64, carriage returns, a reply that quotes
 * them, colours of a terminal), the same is found. What is marked as a kfunc, has flags or is a struct bpf_func_proto is never lost
 * without a word.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { findInC } from '../../src/kernel/declare/c/find.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';
import { asMail, CARRIERS, diffBetween } from '../support/declare/patches.js';
import { SHAPES } from '../support/declare/shapes.js';
import { seeded } from '../support/seed.js';

/** Blocks of lines, of which files are made. */
const BLOCKS: readonly (readonly string[])[] = [
  ...KFUNCS.slice(0, 120).map(({ name, ret, params }) => [
    '/**',
    ` * ${name}() - it's "here", @params: ${params.length} {`,
    ' */',
    `__bpf_kfunc ${ret} ${name}(${params.join(',\n\t\t\t').split('\n').join('\n')})`,
    '{',
    '\treturn 0; /* } */',
    '}',
    '',
  ]),
  ...HELPERS.filter(({ ret, args }) => ![ret, ...args].some((word) => /[[<]/.test(word)))
    .slice(0, 60)
    .map(({ name, ret, args }) => [
      `static const struct bpf_func_proto ${name}_proto = {`,
      `\t.func\t\t= ${name},`,
      `\t.ret_type\t= ${ret.replaceAll('+', ' | ')},`,
      ...args.map((word, i) => `\t.arg${i + 1}_type\t= ${word.replaceAll('+', ' | ')},`),
      '};',
      '',
    ]),
].map((block) => block.flatMap((line) => line.split('\n')));

const flagBlock = (picks: readonly number[], flags: readonly string[]): readonly string[] => [
  'BTF_KFUNCS_START(some_ids)',
  ...picks.flatMap((pick, i) => {
    const row = KFUNCS[pick];
    return pick >= 120 || row === undefined
      ? []
      : [`BTF_ID_FLAGS(func, ${row.name}${flags[i % flags.length]!})`];
  }),
  'BTF_KFUNCS_END(some_ids)',
  '',
];

/** A version of a file, of blocks out of a few: those of a series share most of theirs. */
const versionOf = (blocks: readonly number[]) =>
  fc
    .record({
      picks: fc.shuffledSubarray([...blocks], { minLength: 1 }),
      flags: fc.array(fc.constantFrom('', ', KF_ACQUIRE', ', KF_TRUSTED_ARGS | KF_RCU', ', KF_SLEEPABLE'), {
        minLength: 1,
        maxLength: 3,
      }),
      /** A line of a block is another one. */
      other: fc.nat({ max: 40 }),
    })
    .map(({ picks, flags, other }) => {
      const lines = picks.flatMap((pick) => BLOCKS[pick]!);
      return [
        ...lines.map((line, i) =>
          i === other ? line.replace('u32', 'u64').replace('return 0', 'return 1') : line,
        ),
        ...flagBlock(picks, flags),
      ];
    });
const series = fc
  .uniqueArray(fc.nat({ max: BLOCKS.length - 1 }), { minLength: 2, maxLength: 5 })
  .chain((blocks) => fc.array(versionOf(blocks), { minLength: 2, maxLength: 4 }));

const summary = (text: string) =>
  findInC(text)
    .functions.map(({ name, fields }) => `${name} ${JSON.stringify(fields)}`)
    .sort();

describe('a series of patches', () => {
  it('leaves what the last version of the file has', () => {
    fc.assert(
      fc.property(series, fc.nat({ max: 5 }), fc.constantFrom(...CARRIERS), (versions, context, carrier) => {
        const mails = versions.map((lines, i) =>
          asMail(carrier, `step ${i}`, diffBetween('net/core/x.c', versions[i - 1] ?? [], lines, context)),
        );
        expect(summary(mails.join(''))).toEqual(summary(versions.at(-1)!.join('\n')));
      }),
      seeded(150),
    );
  });

  it('adds nothing that was there before, and only to files of C', () => {
    fc.assert(
      fc.property(series, fc.nat({ max: 4 }), ([before, after], context) => {
        if (before === undefined || after === undefined) return;
        const old = new Set(summary(before.join('\n')).map((one) => one.split(' ')[0]));
        const { functions: added, notes } = findInC(diffBetween('kernel/x.c', before, after, context));
        const told = [...added.map(({ name }) => name), ...notes].join('\n');
        const left = new Set(summary(after.join('\n')).map((one) => one.split(' ')[0]));
        for (const { name } of added) expect(left.has(name), name).toBe(true);
        for (const name of left) if (!old.has(name)) expect(told).toContain(name);
        expect(
          findInC(diffBetween('Documentation/bpf/kfuncs.rst', before, after, context)).functions,
        ).toEqual([]);
      }),
      seeded(150),
    );
  });

  it('finds where a hunk belongs by its text, where its number is another', () => {
    const first =
      '--- /dev/null\n+++ b/x.c\n@@ -0,0 +1,5 @@\n+__bpf_kfunc int bpf_shape_one(u64 id)\n+{\n+}\n+__bpf_kfunc int bpf_shape_two(u32 id)\n+{\n';
    const second =
      '--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n-__bpf_kfunc int bpf_shape_two(u32 id)\n+__bpf_kfunc int bpf_shape_two(s32 id, u64 flags)\n {\n';
    expect(findInC(first + second).functions.map(({ fields }) => fields.proto)).toEqual([
      'int bpf_shape_one(u64 id)',
      'int bpf_shape_two(s32 id, u64 flags)',
    ]);
  });

  it('reads no comment as C, though a hunk begins in it or ends in one', () => {
    const hunk = (lines: readonly string[]): string =>
      `@@ -9,${lines.filter((line) => line.startsWith(' ')).length} +9,${lines.length} @@\n${lines.join('\n')}\n`;
    const told = [
      ' * text',
      '+ * __bpf_kfunc int bpf_shape_told(void)',
      '+ * {',
      ' */',
      '+__bpf_kfunc int bpf_shape_is(void)',
    ];
    const diff = `--- a/x.c\n+++ b/x.c\n${hunk([...told, '+{', '+}', ' /* It ends'])}${hunk([' {', '+__bpf_kfunc int bpf_shape_too(void)', '+{', ' }', ' /* x */'])}`;
    expect(findInC(diff)).toEqual({
      functions: ['is', 'too'].map((word) => ({
        kind: 'kfunc',
        name: `bpf_shape_${word}`,
        fields: { proto: `int bpf_shape_${word}(void)` },
      })),
      notes: [],
    });
  });

  it.each([
    [
      'a merge',
      '@@@ -1,2 -1,2 +1,3 @@@ x\n++__bpf_kfunc int f(void)\n',
      'a combined diff of a merge: expected a unified diff',
    ],
    ['the old kind', '*** 1,3 ****\n  x\n--- 1,4 ----\n', 'a context diff: expected a unified diff'],
  ])('is refused in one line: %s', (_, text, says) => {
    expect(() => findInC(text)).toThrow(InputError);
    expect(() => findInC(text)).toThrow(says);
  });
});

describe('source as it is found in the kernel', () => {
  it.each(SHAPES.map((shape) => [shape.what, shape] as const))('%s', (_, { c, found, notes }) => {
    const read = findInC(c);
    expect(read.functions.map(({ name, fields: { name: __, ...fields } }) => ({ name, ...fields }))).toEqual(
      found,
    );
    expect(read.notes).toEqual(notes ?? []);
  });

  it('loses nothing without a word', () => {
    const all = SHAPES.map(({ c }) => c);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(all, { minLength: 1, maxLength: 5 }),
        fc.nat({ max: 30 }),
        (some, cut) => {
          const text = some.join('\n');
          // A hunk may break off anywhere.
          const lines = text.split('\n').slice(cut);
          const diff = `--- a/x.c\n+++ b/x.c\n@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => `+${line}`).join('\n')}\n`;
          const { functions, notes } = findInC(diff);
          const told = [...functions.map(({ name }) => name), ...notes].join('\n');
          const plain = lines
            .join('\n')
            .replace(/\/\*[\s\S]*?\*\//g, '')
            .replace(/^#define(?:\\\n|.)*/gm, '');
          for (const match of plain.matchAll(/BTF_ID_FLAGS\(func, (\w+)/g)) expect(told).toContain(match[1]);
          for (const match of plain.matchAll(/__bpf_kfunc\s[^;(]*?\*?(\w+)\(/g))
            if (!['__attribute__', 'DEFINE_FREE'].includes(match[1]!)) expect(told).toContain(match[1]);
        },
      ),
      seeded(300),
    );
  });
});
