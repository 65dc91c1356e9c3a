/**
 * Every word that a declaration may use for an argument or a result, with every mark, stands for what is written down in
 * properties/support/declare/words.txt, or is asked about or refused in the words there. After a wanted change: `npx vitest run -u` on this file, and
 * read the difference.
 */
import { expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { contractOfDeclared, declare } from '../../src/kernel/declare/declare.js';

type Spec = Readonly<Record<string, unknown>>;

const plain = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part));

/** Letters of a refusal that are written down; some list all words there are. */
const MOST = 100;

/** What the declaration stands for: arguments, and outcomes where `whole`; or what is said of it. */
function stands(kind: 'helper' | 'kfunc', spec: Spec, whole: boolean): string {
  try {
    const { args, outcomes, sleeps, needsRcu, fastcall } = contractOfDeclared(declare(kind, spec));
    const marks = [sleeps && 'sleeps', needsRcu && 'needs RCU', fastcall && 'fastcall']
      .filter(Boolean)
      .join(' ');
    return `${plain(args)}${whole ? ` ${plain(outcomes)}` : ''} ${marks}`.trim();
  } catch (error) {
    if (error instanceof InputError)
      return `! ${error.message.replace('declaration bpf_one: ', '').split('\n').join(' / ').slice(0, MOST)}`;
    throw error;
  }
}

const COMMON: Spec = { types: 'tc', blocks: false, returns: 'any' };
const helper = (more: Spec): Spec => ({ name: 'bpf_one', id: 5001, ret: 'RET_INTEGER', ...COMMON, ...more });
const kfunc = (proto: string, flags: readonly string[], more: Spec = {}): Spec => ({
  proto,
  flags,
  ...COMMON,
  ...more,
});
const CALLBACK = { args: ['scalar'], returns: [0, 1] };

const ARGS = [
  'ANYTHING',
  'SCALAR',
  'CONST_MAP_PTR',
  'PTR_TO_MAP_KEY',
  'PTR_TO_MAP_VALUE',
  'PTR_TO_MEM',
  'PTR_TO_UNINIT_MEM',
  'PTR_TO_FIXED_SIZE_MEM',
  'CONST_SIZE',
  'CONST_SIZE_OR_ZERO',
  'CONST_ALLOC_SIZE_OR_ZERO',
  'PTR_TO_CTX',
  'PTR_TO_SOCK_COMMON',
  'PTR_TO_SOCKET',
  'PTR_TO_BTF_ID_SOCK_COMMON',
  'PTR_TO_BTF_ID',
  'PTR_TO_RINGBUF_MEM',
  'PTR_TO_SPIN_LOCK',
  'PTR_TO_TIMER',
  'PTR_TO_CONST_STR',
  'PTR_TO_STACK',
  'PTR_TO_PERCPU_BTF_ID',
  'PTR_TO_FUNC',
  'PTR_TO_DYNPTR',
  'PTR_TO_ARENA',
].map((word) => `ARG_${word}`);
const MARKS = [
  '',
  '_OR_NULL',
  ' | PTR_MAYBE_NULL',
  ' | MEM_UNINIT',
  ' | MEM_RDONLY',
  ' | MEM_WRITE',
  ' | MEM_ALIGNED',
  ' | OBJ_RELEASE',
  ' [task_struct]',
  ' [8]',
  ' [0]',
  ' [536870911]',
  ' [536870912]',
  ' | MEM_UNINIT | DYNPTR_TYPE_RINGBUF',
  ' | DYNPTR_TYPE_SKB',
  ' | MEM_ODD',
];
/** Answers that a word may ask for. */
const ANSWERS: Readonly<Record<string, Spec>> = {
  ARG_CONST_MAP_PTR: { maps: ['hash', 'array'] },
  ARG_PTR_TO_SPIN_LOCK: { lock: 'takes' },
  ARG_PTR_TO_FUNC: { callback: CALLBACK },
};

const HELPER_ARGS = ARGS.flatMap((base) =>
  MARKS.flatMap((mark) => {
    const word = `${base}${mark}`;
    const sets = [[word], ['ARG_PTR_TO_MEM', word], [word, 'ARG_CONST_SIZE']];
    // Memory and sizes hang on their neighbours; of others it is enough to look at them alone.
    const tried = /MEM$|CONST_SIZE/.test(base) ? sets : sets.slice(0, 1);
    return tried.flatMap((args) => [
      [plain(args), helper({ args })] as const,
      ...(ANSWERS[base] === undefined || mark !== ''
        ? []
        : [[`${plain(args)} answered`, helper({ args, ...ANSWERS[base] })] as const]),
    ]);
  }),
);

const RESULTS = [
  'RET_INTEGER',
  'RET_VOID',
  ...['SOCKET', 'SOCK_COMMON', 'TCP_SOCK', 'RINGBUF_MEM', 'BTF_ID', 'BTF_ID_TRUSTED', 'MAP_VALUE'].map(
    (word) => `RET_PTR_TO_${word}`,
  ),
];
const HELPER_RESULTS = RESULTS.flatMap((base) =>
  ['', '_OR_NULL', ' [task_struct]', ' [file]', ' [other]'].flatMap((mark) =>
    (
      [
        {},
        { acquires: true },
        { acquires: false },
        { acquires: 'cast' },
        { acquires: true, resource: 'cgroup' },
      ] as const
    ).flatMap((more) =>
      ([[], ['ARG_PTR_TO_SOCKET'], ['ARG_CONST_ALLOC_SIZE_OR_ZERO']] as const).map((args) => {
        const { returns: _, ...rest } = helper({ ret: `${base}${mark}`, args, ...more });
        const spec = base === 'RET_INTEGER' ? { ...rest, returns: 'any' } : rest;
        return [`${base}${mark} ${plain(more)} ${plain(args)}`, spec] as const;
      }),
    ),
  ),
);
const HELPER_ODD: readonly (readonly [string, Spec])[] = [
  {},
  { args: 'ARG_ANYTHING' },
  { args: Array<string>(5).fill('ARG_ANYTHING') },
  { args: Array<string>(6).fill('ARG_ANYTHING') },
  { args: [3] },
  { args: ['anything'] },
  { gpl: true },
  { sleeps: true },
  { fastcall: true },
  { packetArgs: true },
  { gpl: 1 },
  { id: undefined },
  { id: 0 },
  { id: 1 },
  { id: 65_535 },
  { id: 65_536 },
  { id: 1.5 },
  { id: '7' },
  { name: 'other' },
  { name: undefined },
  { types: undefined },
  { types: [] },
  { types: ['tc', 'tc', 'xdp'] },
  { types: ['tcp'] },
  { types: ['all'] },
  { types: ['all', 'tc'] },
  { ret: undefined },
  { ret: 'RET_ODD' },
  { ret: 'integer' },
  { returns: undefined },
  { returns: 'error' },
  { returns: [0, 5] },
  { returns: [5, 0] },
  { returns: 'odd' },
  { blocks: undefined },
  { blocks: true },
  { blocks: 'no' },
  { movesPacket: true },
  { underLock: true },
  { section: 'enters rcu' },
  { section: 'leaves preempt' },
  { section: 'enters' },
  { lock: 'takes' },
  { maps: 'any' },
  { callback: CALLBACK },
  { odd: 1 },
  { outcomes: [] },
  { outcomes: [{ name: 'x', r0: 'any' }], acquires: true },
  { args: ['ARG_CONST_MAP_PTR'], maps: 'any' },
  { args: ['ARG_CONST_MAP_PTR'], maps: [] },
  { args: ['ARG_CONST_MAP_PTR'], maps: ['any', 'hash'] },
  { args: ['ARG_CONST_MAP_PTR'], maps: ['odd'] },
  { args: ['ARG_PTR_TO_SPIN_LOCK'], lock: 'tries' },
  { args: ['ARG_PTR_TO_SPIN_LOCK'], lock: 'releases' },
  { args: ['ARG_PTR_TO_SPIN_LOCK'], lock: 'odd' },
  { args: ['ARG_PTR_TO_FUNC'], callback: {} },
  { args: ['ARG_PTR_TO_FUNC'], callback: 3 },
  { args: ['ARG_ANYTHING'], arguments: { arg1: { kind: 'scalar' } } },
  { args: [], arguments: { arg1: { kind: 'scalar' } } },
].map((more) => [plain(more), helper(more)] as const);

const PARAMS = [
  '',
  'u64 a',
  'int a',
  'bool a',
  'enum e a',
  'void a',
  'struct s a',
  'union u a',
  'struct task_struct *t',
  'const struct task_struct *t',
  'struct task_struct **t',
  'const struct cpumask *c',
  'struct bpf_dynptr *d',
  'const struct bpf_dynptr *d',
  'struct bpf_dynptr *d__uninit',
  'void *p',
  'void *p, u32 p__sz',
  'const void *p, u32 p__sz',
  'void *p__opt, u32 p__szk',
  'u64 a, u32 a__sz',
  'u32 a__sz',
  'void *p__ign, u32 p__sz',
  'int *n',
  'u64 *n__nullable',
  'char *s__str',
  'struct __sk_buff *c',
  'struct xdp_md *c',
  'struct bpf_spin_lock *l',
  'struct bpf_res_spin_lock *l',
  'struct bpf_res_spin_lock *l, unsigned long *f__irq_flag',
  'unsigned long *f__irq_flag',
  'struct bpf_map *m',
  'void *m__map',
  'struct bpf_timer *t',
  'struct bpf_wq *w',
  'struct bpf_list_head *h',
  'struct bpf_rb_root *r',
  'struct bpf_list_node *n',
  'struct bpf_rb_node *n',
  'struct bpf_iter_num *it',
  'struct bpf_iter_odd *it',
  'struct task_struct *t__nullable',
  'void *x__ign',
  'u64 k__k',
  'void *o__alloc',
  'void *o__refcounted_kptr',
  'union u *u',
  'bool (less)(struct bpf_rb_node *a, const struct bpf_rb_node *b)',
  'struct file *a, struct file *b',
  'u64 a, u64 b, u64 c, u64 d, u64 e',
  'u64 a, u64 b, u64 c, u64 d, u64 e, u64 f',
  'u64 a, struct bpf_prog_aux *aux',
  'struct hid_bpf_ctx *c',
  'struct mem_cgroup *m',
];
const FLAGS: readonly (readonly string[])[] = [
  [],
  ['KF_TRUSTED_ARGS'],
  ['KF_RCU'],
  ['KF_RELEASE'],
  ['KF_SLEEPABLE'],
  ['KF_RCU_PROTECTED'],
  ['KF_FASTCALL'],
  ['KF_ITER_NEW'],
  ['KF_ITER_NEW', 'KF_ITER_DESTROY'],
  ['KF_IMPLICIT_ARGS'],
];
const KFUNC_PARAMS = PARAMS.flatMap((params) =>
  FLAGS.flatMap((flags) => [
    [`(${params}) ${flags.join(' ')}`, kfunc(`int bpf_one(${params})`, flags)] as const,
    ...(flags.length === 0
      ? (
          [
            { writes: [] },
            { memory: { p: 16 } },
            { memory: { p: 0 } },
            { lock: 'takes' },
            { lock: 'tries' },
            { irq: 'saves' },
            { irq: 'restores' },
            { callback: CALLBACK },
            { maps: 'any' },
            { dynptr: 'skb' },
            { transfers: 'n' },
          ] as const
        ).map((more) => [`(${params}) ${plain(more)}`, kfunc(`int bpf_one(${params})`, flags, more)] as const)
      : []),
  ]),
);
const KFUNC_RESULTS = [
  'int',
  'u32',
  'u64',
  'bool',
  'void',
  'struct s',
  'union u',
  'struct task_struct *',
  'struct other *',
  'struct bpf_rb_node *',
  'u32 *',
  'void *',
  'char **',
  'struct mem_cgroup *',
].flatMap((ret) =>
  (
    [
      [],
      ['KF_ACQUIRE'],
      ['KF_ACQUIRE', 'KF_RET_NULL'],
      ['KF_RET_NULL'],
      ['KF_RCU_PROTECTED'],
      ['KF_ITER_NEXT', 'KF_RET_NULL'],
      ['KF_ODD'],
      ['KF_ARENA_RET'],
    ] as const
  ).flatMap((flags) =>
    ['', 'u64 rdonly_buf_size', 'u64 rdwr_buf_size', 'struct bpf_iter_task *it'].map((params) => {
      const { returns: _, ...rest } = kfunc(`${ret} bpf_one(${params})`, flags);
      return [
        `${ret} (${params}) ${flags.join(' ')}`,
        /^(?:int|u32|u64|bool)$/.test(ret) ? { ...rest, returns: 'any' } : rest,
      ] as const;
    }),
  ),
);
const KFUNC_ODD: readonly (readonly [string, Spec])[] = [
  ['no proto', { flags: [], ...COMMON }],
  ['no flags', { proto: 'int bpf_one(void)', ...COMMON }],
  ['flags as text', kfunc('int bpf_one(void)', 'KF_SLEEPABLE | KF_RCU' as unknown as string[])],
  ['releases, no KF_RELEASE', kfunc('int bpf_one(struct file *a)', [], { releases: 'a' })],
  [
    'releases one of two',
    kfunc('int bpf_one(struct file *a, struct file *b)', ['KF_RELEASE'], { releases: 'b' }),
  ],
  ['releases a number', kfunc('int bpf_one(u64 a, struct file *b)', ['KF_RELEASE'], { releases: 'a' })],
  ['releases none there is', kfunc('int bpf_one(struct file *b)', ['KF_RELEASE'], { releases: 'c' })],
  [
    'trust of an element',
    {
      ...kfunc('struct task_struct *bpf_one(struct bpf_iter_task *it)', ['KF_ITER_NEXT', 'KF_RET_NULL'], {
        trust: 'rcu',
      }),
      returns: undefined,
    },
  ],
];

/** What declarations stand for, each result once, with all that have it. */
function section(
  title: string,
  kind: 'helper' | 'kfunc',
  rows: readonly (readonly [string, Spec])[],
  whole: boolean,
): string {
  const by = new Map<string, string[]>();
  for (const [name, spec] of new Map(rows)) {
    const result = stands(kind, spec, whole);
    by.set(result, [...(by.get(result) ?? []), name.trim()]);
  }
  return `# ${title}\n${[...by].map(([result, names]) => `${result}\n  ${names.join('\n  ')}\n`).join('')}\n`;
}

it('words stand for what is written down', async () => {
  const text = [
    section('arguments of a helper', 'helper', HELPER_ARGS, false),
    section('results of a helper', 'helper', HELPER_RESULTS, true),
    section('fields of a helper', 'helper', HELPER_ODD, true),
    section('parameters of a kfunc', 'kfunc', KFUNC_PARAMS, true),
    section('results of a kfunc', 'kfunc', KFUNC_RESULTS, true),
    section('fields of a kfunc', 'kfunc', KFUNC_ODD, true),
  ].join('');
  await expect(text).toMatchFileSnapshot('../support/declare/words.txt');
});
