/**
 * Functions that no kernel has, each as a patch would add it: what its author has to answer, a rule that is right, one that is wrong, and what
 * shows it. And declarations that contradict themselves, with what is said of them.
 */

/** A function as a patch adds it, and what its author has to say besides. */
export interface MadeUp {
  readonly name: string;
  /** Definitions in C and their lines of flags. */
  readonly c: string;
  readonly flags: string;
  /** Answers by function, in place of the lines that ask. */
  readonly answers: Readonly<Record<string, string>>;
  readonly right: string;
  readonly wrong: string;
  /** Check, and function where it is always the same, that a program shows of the wrong rule. */
  readonly shows: string;
}

const NODE = `__bpf_kfunc struct bpf_node *bpf_node_get(u64 id)
{
	return NULL;
}

__bpf_kfunc void bpf_node_put(struct bpf_node *node)
{
}
`;
const NODE_FLAGS =
  'BTF_ID_FLAGS(func, bpf_node_get, KF_ACQUIRE | KF_RET_NULL)\nBTF_ID_FLAGS(func, bpf_node_put, KF_RELEASE)\n';

const QUIET = '__bpf_kfunc void bpf_node_quiet(void)\n{\n}\n__bpf_kfunc void bpf_node_loud(void)\n{\n}\n';
const QUIET_FLAGS = 'BTF_ID_FLAGS(func, bpf_node_quiet)\nBTF_ID_FLAGS(func, bpf_node_loud)\n';
const QUIET_ANSWERS = {
  bpf_node_quiet: "section: 'enters preempt'",
  bpf_node_loud: "section: 'leaves preempt'",
};

export const MADE_UP: readonly MadeUp[] = [
  {
    name: 'bpf_node_get',
    c: NODE,
    flags: NODE_FLAGS,
    answers: {},
    right: '.stub({ r0: NULL })',
    wrong: '.keep()',
    shows: 'acquire bpf_node_get',
  },
  {
    name: 'bpf_node_put',
    c: NODE,
    flags: NODE_FLAGS,
    answers: {},
    right: '.keep()',
    wrong: ".stub({ r0: 'void' })",
    shows: 'leak bpf_node_get',
  },
  {
    name: 'bpf_node_take',
    c: `${NODE}__bpf_kfunc struct bpf_node *bpf_node_take(void)\n{\n}\n`,
    flags: `${NODE_FLAGS}BTF_ID_FLAGS(func, bpf_node_take, KF_ACQUIRE)\n`,
    answers: {},
    right: '.keep()',
    wrong: '.stub({ r0: NULL })',
    shows: 'fault',
  },
  {
    name: 'bpf_node_give',
    c: `${NODE}__bpf_kfunc int bpf_node_give(struct bpf_node *node,\n\t\t\t      u64 to)\n{\n}\n`,
    flags: `${NODE_FLAGS}BTF_ID_FLAGS(func, bpf_node_give, KF_RELEASE)\n`,
    answers: { bpf_node_give: "returns: 'error'" },
    right: '.keep()',
    wrong: '.stub({ r0: -11 })',
    shows: 'leak bpf_node_get',
  },
  {
    name: 'bpf_clock_read',
    c: '__bpf_kfunc int bpf_clock_read(void *out, u32 out__sz)\n{\n}\n',
    flags: 'BTF_ID_FLAGS(func, bpf_clock_read)\n',
    answers: { bpf_clock_read: "writes: ['out'], returns: 'error', blocks: false" },
    right: '.stub({ r0: -95, writes: [0] })',
    wrong: '.stub({ r0: -95 })',
    shows: 'fault',
  },
  {
    name: 'bpf_node_lock',
    c: '__bpf_kfunc int bpf_node_lock(struct bpf_res_spin_lock *lock)\n{\n}\n__bpf_kfunc void bpf_node_unlock(struct bpf_res_spin_lock *lock)\n{\n}\n',
    flags: 'BTF_ID_FLAGS(func, bpf_node_lock)\nBTF_ID_FLAGS(func, bpf_node_unlock)\n',
    answers: {
      bpf_node_lock: "lock: 'tries', underLock: true",
      bpf_node_unlock: "lock: 'releases', underLock: true",
    },
    right: '.stub({ r0: -35 })',
    wrong: '.stub({ r0: 0 })',
    shows: 'misuse bpf_node_unlock',
  },
  {
    name: 'bpf_node_each',
    c: '__bpf_kfunc int bpf_node_each(int (*fn)(int), u32 n)\n{\n}\n',
    flags: 'BTF_ID_FLAGS(func, bpf_node_each)\n',
    answers: { bpf_node_each: "callback: { args: ['scalar'], returns: [0, 1] }" },
    right: '.stub({ r0: 0 })',
    wrong: ".stub({ r0: 'void' })",
    shows: 'fault',
  },
  {
    name: 'bpf_node_quiet',
    c: QUIET,
    flags: QUIET_FLAGS,
    answers: QUIET_ANSWERS,
    right: '.keep()',
    wrong: ".stub({ r0: 'void' })",
    shows: 'misuse bpf_node_loud',
  },
  {
    name: 'bpf_node_loud',
    c: QUIET,
    flags: QUIET_FLAGS,
    answers: QUIET_ANSWERS,
    right: '.keep()',
    wrong: ".stub({ r0: 'void' })",
    shows: 'leak bpf_node_quiet',
  },
  {
    name: 'bpf_node_mask',
    c: '__bpf_kfunc void bpf_node_mask(unsigned long *flags__irq_flag)\n{\n}\n__bpf_kfunc void bpf_node_unmask(unsigned long *flags__irq_flag)\n{\n}\n',
    flags: 'BTF_ID_FLAGS(func, bpf_node_mask)\nBTF_ID_FLAGS(func, bpf_node_unmask)\n',
    answers: { bpf_node_mask: "irq: 'saves'", bpf_node_unmask: "irq: 'restores'" },
    right: '.keep()',
    wrong: ".stub({ r0: 'void' })",
    shows: 'misuse bpf_node_unmask',
  },
  {
    name: 'bpf_node_age',
    c: '__bpf_kfunc u32 bpf_node_age(u32 id, u64 *when)\n{\n}\n',
    flags: 'BTF_ID_FLAGS(func, bpf_node_age)\n',
    answers: { bpf_node_age: "writes: ['when'], blocks: false" },
    right: '.stub({ r0: 0, writes: [1] })',
    wrong: '.stub({ r0: 0 })',
    shows: 'fault',
  },
];

/** Flags, prototypes and answers that contradict each other: what is said of them. */
export const LIES: readonly (readonly [what: string, c: string, answers: string, says: string])[] = [
  [
    'KF_ACQUIRE on a number',
    '__bpf_kfunc int bpf_lie(u64 id)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie, KF_ACQUIRE)\n',
    '',
    'KF_ACQUIRE is for a function that returns a pointer to a struct, not int',
  ],
  [
    'KF_RET_NULL on nothing',
    '__bpf_kfunc void bpf_lie(u64 id)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie, KF_RET_NULL)\n',
    '',
    'KF_RET_NULL is for a function that returns a pointer, not void',
  ],
  [
    'KF_RELEASE without an object',
    '__bpf_kfunc void bpf_lie(u64 id)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie, KF_RELEASE)\n',
    '',
    'KF_RELEASE, but no parameter is a pointer to an object of the kernel',
  ],
  [
    'a flag that there is not',
    '__bpf_kfunc u32 bpf_lie(u64 id)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie, KF_AQUIRE)\n',
    '',
    'there is no flag KF_AQUIRE; there are KF_ACQUIRE,',
  ],
  [
    'KF_ACQUIRE, and outcomes that acquire nothing',
    '__bpf_kfunc struct bpf_port *bpf_lie(u64 id)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie, KF_ACQUIRE | KF_RET_NULL)\n',
    "outcomes: [{ name: 'null', r0: 'null' }, { name: 'found', r0: { kind: 'pointer', to: { kind: 'btf', struct: 'bpf_port', trust: 'trusted' } } }]",
    'KF_ACQUIRE, but no outcome acquires',
  ],
  [
    'outcomes that acquire, and no KF_ACQUIRE',
    '__bpf_kfunc struct bpf_port *bpf_lie(u64 id)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie, KF_RET_NULL)\n',
    "outcomes: [{ name: 'null', r0: 'null' }, { name: 'found', r0: { kind: 'pointer', to: { kind: 'btf', struct: 'bpf_port', trust: 'trusted' }, acquires: 'reference' } }]",
    'outcome found acquires, but KF_ACQUIRE is not among the flags',
  ],
  [
    'no KF_RET_NULL, and an outcome that is NULL',
    '__bpf_kfunc struct bpf_port *bpf_lie(u64 id)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie, KF_ACQUIRE)\n',
    "outcomes: [{ name: 'null', r0: 'null' }, { name: 'found', r0: { kind: 'pointer', to: { kind: 'btf', struct: 'bpf_port', trust: 'trusted' }, acquires: 'reference' } }]",
    'outcome null returns NULL, but KF_RET_NULL is not among the flags',
  ],
  [
    'KF_RELEASE, and outcomes that give nothing back',
    '__bpf_kfunc void bpf_lie(struct bpf_port *port)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie, KF_RELEASE)\n',
    "outcomes: [{ name: 'done', r0: 'void' }]",
    'not given back in every outcome',
  ],
  [
    'KF_RET_NULL, and no outcome that is NULL',
    '__bpf_kfunc struct bpf_port *bpf_lie(u64 id)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie, KF_RET_NULL)\n',
    "outcomes: [{ name: 'found', r0: { kind: 'pointer', to: { kind: 'btf', struct: 'bpf_port', trust: 'rcu' } } }]",
    'KF_RET_NULL, but no outcome returns NULL',
  ],
  [
    'an argument that is given back, and no KF_RELEASE',
    '__bpf_kfunc void bpf_lie(struct bpf_port *port)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie)\n',
    "arguments: { port: { kind: 'btf', structs: ['bpf_port'], trust: 'any', release: true } }, outcomes: [{ name: 'done', r0: 'void', effects: [{ kind: 'release', arg: 0 }] }]",
    'argument 0 is given back, but KF_RELEASE is not among the flags',
  ],
  [
    'a number, and an outcome that returns nothing',
    '__bpf_kfunc int bpf_lie(u64 id)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie)\n',
    "outcomes: [{ name: 'done', r0: 'void' }]",
    'outcome done returns nothing, but the prototype returns int',
  ],
  [
    'KF_SLEEPABLE, and a promise not to wait',
    '__bpf_kfunc u32 bpf_lie(u64 id)\n{\n}\nBTF_ID_FLAGS(func, bpf_lie, KF_SLEEPABLE)\n',
    'blocks: false',
    'blocks: false, though the function may sleep',
  ],
];

/** A patch that adds C to a file, with the set of its flags registered for XDP. */
export function patchOf(c: string, flags: string): string {
  const text = `${c}\nBTF_KFUNCS_START(ids)\n${flags}BTF_KFUNCS_END(ids)\nstatic const struct btf_kfunc_id_set set = {\n\t.owner = THIS_MODULE,\n\t.set = &ids,\n};\nint init(void)\n{\n\treturn register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &set);\n}`;
  const lines = text.split('\n');
  return `Subject: [PATCH] net: ports\n---\ndiff --git a/net/core/port.c b/net/core/port.c\n--- a/net/core/port.c\n+++ b/net/core/port.c\n@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => `+${line}`).join('\n')}\n`;
}

/** A rule file that was begun, with answers in place of what is marked, and rules in place of its own. */
export function answered(text: string, answers: Readonly<Record<string, string>>, rules: string): string {
  const declared = text.replace(
    /kfunc\(\{\n {2}proto: '([^']*)',[\s\S]*?\}\);\n/g,
    (whole, proto: string) => {
      const said = answers[/(\w+)\(/.exec(proto)?.[1] ?? ''];
      return whole
        .replace(/^ {2}\/\/ (?:SAY|WRONG) .*\n/gm, '')
        .replace(/\}\);\n$/, said === undefined ? '});\n' : `  ${said},\n});\n`);
    },
  );
  const head = declared
    .replace('import { kfunc', 'import { NULL, kfunc')
    .replace(/export default[\s\S]*$/, '');
  return `${head}void NULL;\nexport default ruleSet('mine', [${rules}]);\n`;
}

/** The same with one rule for the function, and one for what else can fail. */
export const withRule = (text: string, { name, answers }: MadeUp, action: string): string =>
  answered(
    text,
    answers,
    `rule('mine').when((f) => f.name === '${name}')${action}, rule('others fail').when((f) => f.canFailWithoutEffect).stub((f) => f.failure)`,
  );
