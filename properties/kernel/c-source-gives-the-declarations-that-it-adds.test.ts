/**
 * A patch is enough to begin with: every kfunc of our tables, written as a patch would add it, is found with its prototype and its flags,
 * however the C is laid out and however the diff is cut; what a diff only shows or takes away is not. Of helpers, struct bpf_func_proto says
 * what the tables have. What the source does not say is marked, and nothing is made up.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { contracts } from '../../src/kernel/catalog.js';
import { findInC } from '../../src/kernel/declare/c/find.js';
import { contractOfDeclared, declare } from '../../src/kernel/declare/declare.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';
import { skeletonFrom } from '../../src/patch/skeleton.js';
import { copyOf, same } from '../support/declare/print.js';
import { seeded } from '../support/seed.js';

const kfuncs = contracts().flatMap((contract) => {
  const row = KFUNCS.find(({ name }) => name === contract.name);
  const copy = copyOf(contract, `${contract.name}_copy`);
  return row === undefined || copy?.short !== true
    ? []
    : [{ contract, row, spec: JSON.parse(copy.declared.text) as Record<string, unknown> }];
});

/** How C is laid out. */
const layout = fc.record({
  head: fc.constantFrom(
    '__bpf_kfunc ',
    '__bpf_kfunc\n',
    '__always_inline __bpf_kfunc ',
    '__bpf_kfunc noinline ',
    '/* text (with { signs; ) */\n__bpf_kfunc ',
  ),
  between: fc.constantFrom(', ', ',\n\t\t\t  ', ' , ', ', /* the next, */ '),
  star: fc.constantFrom(' *', '\n*', ' * '),
  body: fc.constantFrom('\n{\n\treturn 0;\n}\n', ' {\n\tint a[] = { 1, 2 };\n\n\tfoo(a, "}");\n}\n'),
  flags: fc.constantFrom(' | ', '|', ' |\n\t     '),
});
type Layout = typeof layout extends fc.Arbitrary<infer T> ? T : never;

function definition({ row }: (typeof kfuncs)[number], { head, between, star, body }: Layout): string {
  const name = `${row.name}_copy`;
  const ret = row.ret.replace(/ ?\*$/, star);
  return `${head}${ret}${/[\s*]$/.test(ret) ? '' : ' '}${name}(${row.params.join(between) || 'void'})${body}`;
}
const flagLine = ({ row }: (typeof kfuncs)[number], { flags }: Layout): string =>
  `BTF_ID_FLAGS(func, ${row.name}_copy${row.flags.length === 0 ? '' : `, ${row.flags.join(flags)}`})\n`;

/** A diff of one file in which `added` parts are new and the others are there already. */
function diffOf(parts: readonly { readonly text: string; readonly added: boolean }[], cut: number): string {
  const lines = parts.flatMap(({ text, added }) =>
    text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `${added ? '+' : ' '}${line}`),
  );
  const gone = ['-__bpf_kfunc int bpf_gone_copy(u64 id)', '-{', '-}'];
  const hunks = [lines.slice(0, cut), [...gone, ...lines.slice(cut)]].filter((hunk) => hunk.length > 0);
  const head =
    'From: A Developer <dev@example.org>\nSubject: [PATCH] +++ new\n\n---\n f.c | 3 +++\n\ndiff --git a/f.c b/f.c\n--- a/f.c\n+++ b/f.c\n';
  return (
    head +
    hunks
      .map((hunk) => {
        const old = hunk.filter((line) => !line.startsWith('+')).length;
        const made = hunk.filter((line) => !line.startsWith('-')).length;
        return `@@ -1,${old} +1,${made} @@ static int before(void)\n${hunk.join('\n')}\n`;
      })
      .join('') +
    '-- \n2.49.0\n'
  );
}

describe('a kfunc of the tables, as a patch adds it', () => {
  const check = (one: (typeof kfuncs)[number], found: ReturnType<typeof findInC>['functions']): void => {
    const its = found.find(({ name }) => name === `${one.row.name}_copy`);
    expect(its?.fields.flags).toEqual(one.row.flags);
    const made = declare('kfunc', { ...one.spec, proto: its?.fields.proto, flags: its?.fields.flags });
    expect(same(contractOfDeclared(made), one.contract), one.row.name).toBe(true);
  };

  it('is found in C, laid out in any way', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: kfuncs.length - 1 }), { minLength: 1, maxLength: 6 }),
        layout,
        (picks, way) => {
          const some = [...new Set(picks)].map((i) => kfuncs[i]!);
          const text = `__bpf_kfunc_start_defs();\n\n${some.map((one) => definition(one, way)).join('\n')}\n__bpf_kfunc_end_defs();\n\nBTF_KFUNCS_START(ids)\n${some.map((one) => flagLine(one, way)).join('')}BTF_KFUNCS_END(ids)\n`;
          const { functions, notes } = findInC(text);
          expect(notes).toEqual([]);
          expect(functions.map(({ name }) => name)).toEqual(some.map(({ row }) => `${row.name}_copy`));
          for (const one of some) check(one, functions);
        },
      ),
      seeded(200),
    );
  });

  it('is found in a diff where the diff adds it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat({ max: kfuncs.length - 1 }), { minLength: 2, maxLength: 5 }),
        layout,
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        fc.nat({ max: 100 }),
        (picks, way, news, at) => {
          const some = picks.map((i, n) => ({ one: kfuncs[i]!, added: news[n]! }));
          const parts = [
            ...some.map(({ one, added }) => ({ text: definition(one, way), added })),
            { text: 'BTF_KFUNCS_START(ids)\n', added: false },
            ...some.map(({ one, added }) => ({ text: flagLine(one, way), added })),
            { text: 'BTF_KFUNCS_END(ids)\n', added: false },
          ];
          // Between parts, so that no definition is cut in two.
          const before = parts
            .slice(0, at % parts.length)
            .map(({ text }) => text.replace(/\n$/, '').split('\n').length);
          const cut = before.reduce((sum, lines) => sum + lines, 0);
          const { functions } = findInC(diffOf(parts, cut));
          expect(functions.map(({ name }) => name)).toEqual(
            some.filter(({ added }) => added).map(({ one }) => `${one.row.name}_copy`),
          );
          for (const { one, added } of some) if (added) check(one, functions);
        },
      ),
      seeded(200),
    );
  });

  it('is found by its flags where no mark is on it, and missed aloud where it is not there', () => {
    const old =
      'noinline struct bpf_foo *bpf_foo_get(int id)\n{\n\treturn NULL;\n}\nBTF_SET8_START(ids)\nBTF_ID_FLAGS(func, bpf_foo_get, KF_ACQUIRE)\nBTF_ID_FLAGS(func, bpf_gone)\nBTF_SET8_END(ids)\n';
    const { functions, notes } = findInC(old);
    expect(functions).toEqual([
      {
        kind: 'kfunc',
        name: 'bpf_foo_get',
        fields: { proto: 'struct bpf_foo *bpf_foo_get(int id)', flags: ['KF_ACQUIRE'] },
      },
    ]);
    expect(notes).toEqual(['bpf_gone: its definition is not there, only its flags']);
  });

  it('has no flags that the diff takes away', () => {
    const diff = `--- a/f.c\n+++ b/f.c\n@@ -1,3 +1,4 @@\n+__bpf_kfunc u32 bpf_foo(void)\n+{\n+}\n BTF_KFUNCS_START(ids)\n-BTF_ID_FLAGS(func, bpf_foo, KF_SLEEPABLE)\n BTF_KFUNCS_END(ids)\n`;
    expect(findInC(diff).functions.map(({ fields }) => fields)).toEqual([{ proto: 'u32 bpf_foo(void)' }]);
  });

  it('has the program types that its set is registered for', () => {
    const register = (types: readonly string[]): string =>
      `__bpf_kfunc u32 bpf_foo(void)\n{\n}\nBTF_KFUNCS_START(ids)\nBTF_ID_FLAGS(func, bpf_foo)\nBTF_KFUNCS_END(ids)\nstatic const struct btf_kfunc_id_set set = {\n\t.owner = THIS_MODULE,\n\t.set = &ids,\n};\n` +
      `int init(void) { ${types.map((type) => `ret = ret ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_${type},\n\t&set);`).join(' ')} }`;
    const of = (...types: string[]) => findInC(register(types)).functions[0]?.fields.types;
    expect(of('XDP', 'SCHED_CLS')).toEqual(['xdp', 'tc']);
    expect(of('TRACING')).toEqual(['tracepoint', 'perf_event', 'tp_btf', 'iter', 'fentry', 'lsm']);
    expect(of('UNSPEC')).toBe('all');
    expect(of('STRUCT_OPS')).toBeUndefined();
    expect(of()).toBeUndefined();
  });
});

describe('a helper of the tables, as a patch adds it', () => {
  it('has the words of its prototype', () => {
    const plain = HELPERS.filter(({ ret, args }) => ![ret, ...args].some((word) => /[[<]/.test(word)));
    expect(plain.length).toBeGreaterThan(150);
    for (const { id, name, ret, args, marks } of plain) {
      const members = [
        `.func\t\t= ${name}_copy,`,
        `.gpl_only\t= ${marks.includes('gpl')},`,
        ...(marks.includes('sleeps') ? ['.might_sleep = true,'] : []),
        `.ret_type\t= ${ret.replaceAll('+', ' | ')},`,
        ...args.map((word, i) => `.arg${i + 1}_type\t= ${word.replaceAll('+', ' | ')},`),
      ];
      const text = `\tFN(${name.slice(4)}_copy, ${id + 1000}, ##ctx)\\\n\nconst struct bpf_func_proto ${name}_copy_proto = {\n\t${members.join('\n\t')}\n};\n`;
      const { functions } = findInC(text);
      expect(functions).toEqual([
        {
          kind: 'helper',
          name: `${name}_copy`,
          fields: {
            name: `${name}_copy`,
            id: id + 1000,
            ret: ret.replaceAll('+', ' | '),
            args: args.map((word) => word.replaceAll('+', ' | ')),
            ...(marks.includes('gpl') ? { gpl: true } : {}),
            ...(marks.includes('sleeps') ? { sleeps: true } : {}),
          },
        },
      ]);
    }
  });

  it('has structs, sizes and program types where the source tells them', () => {
    const text = `BTF_ID_LIST_SINGLE(foo_ids, struct, bpf_foo)
static const struct bpf_func_proto bpf_foo_proto = {
	.func		= bpf_foo,
	.ret_type	= RET_PTR_TO_BTF_ID_OR_NULL,
	.ret_btf_id	= &foo_ids[0],
	.arg1_type	= ARG_PTR_TO_BTF_ID,
	.arg1_btf_id	= &btf_tracing_ids[BTF_TRACING_TYPE_TASK],
	.arg2_type	= ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT | MEM_WRITE | MEM_ALIGNED,
	.arg2_size	= sizeof(u64),
};
static const struct bpf_func_proto *
xdp_func_proto(enum bpf_func_id func_id, const struct bpf_prog *prog)
{
	case BPF_FUNC_foo:
		return &bpf_foo_proto;
}`;
    expect(findInC(text).functions[0]?.fields).toEqual({
      name: 'bpf_foo',
      ret: 'RET_PTR_TO_BTF_ID_OR_NULL [bpf_foo]',
      args: [
        'ARG_PTR_TO_BTF_ID [task_struct]',
        'ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT | MEM_WRITE | MEM_ALIGNED [8]',
      ],
      types: ['xdp'],
    });
  });
});

describe('a rule file that is begun', () => {
  const text = `__bpf_kfunc struct bpf_foo *bpf_foo_get(u64 id)\n{\n}\n__bpf_kfunc int bpf_foo_set(struct bpf_foo *foo, const char *why)\n{\n}\n__bpf_kfunc int bpf_foo_lie(u64 id)\n{\n}\n__bpf_kfunc void bpf_task_release(struct task_struct *p)\n{\n}
BTF_ID_FLAGS(func, bpf_foo_get, KF_ACQUIRE | KF_RET_NULL)\nBTF_ID_FLAGS(func, bpf_foo_lie, KF_ACQUIRE)\n`;

  it('marks what is still to be said, and says what is wrong', () => {
    const { functions, notes, text: file } = skeletonFrom(text, 'mine', 'a.c');
    expect(
      functions.map(({ name, missing, wrong }) => [name, missing.map((one) => one.split(':')[0]), wrong]),
    ).toEqual([
      ['bpf_foo_get', ['types'], undefined],
      [
        'bpf_foo_set',
        ['types', 'flags', 'blocks', 'returns', 'writes'].filter((one) => one !== 'writes'),
        undefined,
      ],
      ['bpf_foo_lie', [], 'KF_ACQUIRE is for a function that returns a pointer to a struct, not int'],
    ]);
    expect(notes).toEqual([
      'bpf_task_release: bpf_task_release is modelled already: a declared function has a name of its own',
    ]);
    expect(file).toContain("  // SAY types: the program types that may call it, or 'all'");
    expect(file).toContain('  // WRONG KF_ACQUIRE is for');
  });

  it('is refused in one line, whatever it is made of', () => {
    const pieces = fc.constantFrom(
      ...text.split(/(?<=[\n ,(){}])/),
      '__bpf_kfunc',
      'struct bpf_func_proto x = {',
      '.arg1_type = ',
      '@@ -1,9 +1,9 @@ f(\n',
      '+++ b\n',
      '-',
      '+',
      '/*',
      '*/',
      'BTF_ID_FLAGS(func, ',
      ')',
      '}',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        try {
          skeletonFrom(parts.join(''), 'mine', 'a.c');
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          expect(error.describe()).toMatch(/^a\.c: no function is added: [^\n]*$/);
        }
      }),
      seeded(1500),
    );
  });
});
