/** Shapes that definitions of kfuncs and helpers have in the kernel, each made as small as it can be, and what is to be read out of them. */

export interface Shape {
  readonly what: string;
  readonly c: string;
  /** Names and fields. */
  readonly found: readonly Record<string, unknown>[];
  readonly notes?: readonly string[];
}

const set = (lines: string): string => `BTF_KFUNCS_START(ids)\n${lines}\nBTF_KFUNCS_END(ids)\n`;

export const SHAPES: readonly Shape[] = [
  {
    what: 'between the marks of definitions',
    c: `__bpf_kfunc_start_defs();\n\n/* text */\n__bpf_kfunc struct a *bpf_shape_get(struct a *a)\n{\n\treturn a;\n}\n\n__bpf_kfunc_end_defs();\n\n${set('BTF_ID_FLAGS(func, bpf_shape_get, KF_ACQUIRE | KF_RCU | KF_RET_NULL)')}`,
    found: [
      {
        name: 'bpf_shape_get',
        proto: 'struct a *bpf_shape_get(struct a *a)',
        flags: ['KF_ACQUIRE', 'KF_RCU', 'KF_RET_NULL'],
      },
    ],
  },
  {
    what: 'the type on a line of its own, parameters on several',
    c: `__bpf_kfunc struct nf_shape___init *\nbpf_shape_alloc(struct xdp_md *xdp_ctx, struct bpf_sock_tuple *bpf_tuple,\n\t\tu32 tuple__sz, struct bpf_shape_opts *opts, u32 opts__sz)\n{\n}\n${set('BTF_ID_FLAGS(func, bpf_shape_alloc, KF_ACQUIRE |\n\t     KF_RET_NULL)')}`,
    found: [
      {
        name: 'bpf_shape_alloc',
        proto:
          'struct nf_shape___init *bpf_shape_alloc(struct xdp_md *xdp_ctx, struct bpf_sock_tuple *bpf_tuple, u32 tuple__sz, struct bpf_shape_opts *opts, u32 opts__sz)',
        flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
      },
    ],
  },
  {
    what: 'a callback, and pointers that are ignored',
    c: '__bpf_kfunc int bpf_shape_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,\n\t\tbool (less)(struct bpf_rb_node *a, const struct bpf_rb_node *b),\n\t\tvoid *meta__ign, u64 off)\n{\n}\n',
    found: [
      {
        name: 'bpf_shape_add_impl',
        proto:
          'int bpf_shape_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node, bool (less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta__ign, u64 off)',
      },
    ],
  },
  {
    what: 'attributes and other marks before the type and behind the parameters',
    c: '__bpf_kfunc __attribute__((noinline)) __weak u32 bpf_shape_weak(void)\n{\n}\n__bpf_kfunc noinline static u64 bpf_shape_static(u32 arg, u32 unused) __releases(x)\n{\n}\n',
    found: [
      { name: 'bpf_shape_weak', proto: 'u32 bpf_shape_weak(void)' },
      { name: 'bpf_shape_static', proto: 'u64 bpf_shape_static(u32 arg, u32 unused)' },
    ],
  },
  {
    what: 'a body with __free, braces in strings and a comment that opens in a string',
    c: '__bpf_kfunc int bpf_shape_free(u64 id)\n{\n\tchar *p __free(kfree) = kasprintf("}/* %d", id);\n\n\treturn \'{\';\n}\n__bpf_kfunc int bpf_shape_after(u64 id)\n{\n}\n',
    found: [
      { name: 'bpf_shape_free', proto: 'int bpf_shape_free(u64 id)' },
      { name: 'bpf_shape_after', proto: 'int bpf_shape_after(u64 id)' },
    ],
  },
  {
    what: 'a declaration in a header does not outweigh the definition',
    c: '__bpf_kfunc int bpf_shape_twice(void *, u32);\n__bpf_kfunc int bpf_shape_twice(void *buf, u32 buf__sz)\n{\n}\n__bpf_kfunc int bpf_shape_twice(void *, u32);\n',
    found: [{ name: 'bpf_shape_twice', proto: 'int bpf_shape_twice(void *buf, u32 buf__sz)' }],
  },
  {
    what: 'destructors of kptrs are no kfuncs of programs',
    c: '__bpf_kfunc void bpf_shape_release_dtor(void *s)\n{\n}\nCFI_NOSEAL(bpf_shape_release_dtor);\nBTF_ID_LIST(dtors)\nBTF_ID(struct, shape)\nBTF_ID(func, bpf_shape_release_dtor)\n',
    found: [],
    notes: ['bpf_shape_release_dtor: a destructor of kptrs, which no program calls'],
  },
  {
    what: 'functions to be attached to are no kfuncs either',
    c: '__bpf_kfunc int bpf_shape_hook(int a, int *b)\n{\n}\nBTF_KFUNCS_START(hook_ids)\nBTF_ID_FLAGS(func, bpf_shape_hook)\nBTF_KFUNCS_END(hook_ids)\nstatic const struct btf_kfunc_id_set hook_set = {\n\t.owner = THIS_MODULE,\n\t.set = &hook_ids,\n};\nint init(void) { return register_btf_fmodret_id_set(&hook_set); }\n',
    found: [],
    notes: ['bpf_shape_hook: programs are attached to it (register_btf_fmodret_id_set), none calls it'],
  },
  {
    what: 'a set for struct_ops alone',
    c: '__bpf_kfunc void scx_shape_kick(s32 cpu)\n{\n}\nBTF_KFUNCS_START(scx_ids)\nBTF_ID_FLAGS(func, scx_shape_kick)\nBTF_KFUNCS_END(scx_ids)\nstatic const struct btf_kfunc_id_set scx_set __ro_after_init = { .set = &scx_ids };\nint init(void) { return register_btf_kfunc_id_set(BPF_PROG_TYPE_STRUCT_OPS, &scx_set); }\n',
    found: [{ name: 'scx_shape_kick', proto: 'void scx_shape_kick(s32 cpu)', flags: [] }],
  },
  {
    what: 'a macro that makes lines of flags, and its parameter',
    c: '#define SHAPE_KFUNC(_, name, __) \\\n\tBTF_ID_FLAGS(func, name, KF_TRUSTED_ARGS)\n__bpf_kfunc int bpf_shape_rx(const struct xdp_md *ctx, u64 *timestamp)\n{\n}\nBTF_KFUNCS_START(m)\nSHAPE_KFUNC_xxx\n#undef SHAPE_KFUNC\nBTF_KFUNCS_END(m)\n',
    found: [{ name: 'bpf_shape_rx', proto: 'int bpf_shape_rx(const struct xdp_md *ctx, u64 *timestamp)' }],
  },
  {
    what: 'conditions within a set',
    c: `__bpf_kfunc void bpf_shape_a(void)\n{\n}\n__bpf_kfunc void bpf_shape_b(void)\n{\n}\n${set('BTF_ID_FLAGS(func, bpf_shape_a) /* first, */\n#ifdef CONFIG_B\nBTF_ID_FLAGS(func, bpf_shape_b, KF_DESTRUCTIVE)\n#endif')}`,
    found: [
      { name: 'bpf_shape_a', proto: 'void bpf_shape_a(void)', flags: [] },
      { name: 'bpf_shape_b', proto: 'void bpf_shape_b(void)', flags: ['KF_DESTRUCTIVE'] },
    ],
  },
  {
    what: 'flags of what is defined elsewhere',
    c: set('BTF_ID_FLAGS(func, bpf_shape_else, KF_SLEEPABLE)'),
    found: [],
    notes: ['bpf_shape_else: its definition is not there, only its flags'],
  },
  {
    what: 'a definition that is made by a macro',
    c: '__bpf_kfunc SHAPE_DEFINE(bpf_shape_made, struct a *)\n{\n}\n',
    found: [],
    notes: ["SHAPE_DEFINE: expected a C prototype such as 'int bpf_foo(u64 flags)'"],
  },
  {
    what: 'a helper whose function has another name than BPF_FUNC_ says',
    c: `static const struct bpf_func_proto sk_shape_select_proto = {\n\t.func           = sk_shape_select,\n\t.gpl_only       = false,\n\t.ret_type       = RET_INTEGER,\n\t.arg1_type      = ARG_PTR_TO_CTX,\n\t.arg2_type      = ARG_CONST_MAP_PTR,\n};\nstatic const struct bpf_func_proto *\nsk_reuseport_func_proto(enum bpf_func_id func_id,\n\t\t\tconst struct bpf_prog *prog)\n{\n\tswitch (func_id) {\n\tcase BPF_FUNC_sk_shape_select:\n\t\treturn &sk_shape_select_proto;\n\tdefault:\n\t\treturn bpf_base_func_proto(func_id, prog);\n\t}\n}\n`,
    found: [
      {
        name: 'bpf_sk_shape_select',
        ret: 'RET_INTEGER',
        args: ['ARG_PTR_TO_CTX', 'ARG_CONST_MAP_PTR'],
        types: ['sk_reuseport'],
      },
    ],
  },
  {
    what: 'prototypes of one helper for several program types',
    c: `const struct bpf_func_proto bpf_shape_tp_proto = { .func = bpf_shape_tp, .ret_type = RET_INTEGER, .arg1_type = ARG_PTR_TO_CTX };\nconst struct bpf_func_proto bpf_shape_proto = { .func = bpf_shape, .ret_type = RET_INTEGER, .arg1_type = ARG_ANYTHING };\nstatic const struct bpf_func_proto *tp_prog_func_proto(enum bpf_func_id func_id, const struct bpf_prog *prog)\n{\n\tcase BPF_FUNC_shape:\n\t\treturn &bpf_shape_tp_proto;\n}\nstatic const struct bpf_func_proto *kprobe_prog_func_proto(enum bpf_func_id func_id, const struct bpf_prog *prog)\n{\n\tcase BPF_FUNC_other:\n\tcase BPF_FUNC_shape:\n\t\treturn prog->sleepable ? &bpf_shape_proto : NULL;\n}\n`,
    found: [{ name: 'bpf_shape', ret: 'RET_INTEGER', args: ['ARG_ANYTHING'], types: ['kprobe'] }],
    notes: ['bpf_shape: a second prototype, bpf_shape_tp_proto, for other program types'],
  },
  {
    what: 'initialisers with lists, conditions, numbers for true and sizes',
    c: 'static struct bpf_func_proto bpf_shape_list_proto __read_mostly = {\n\t.func\t= bpf_shape_list,\n#ifdef X\n\t.gpl_only = 1,\n#endif\n\t.pkt_access = true,\n\t.might_sleep = true,\n\t.ret_type = RET_PTR_TO_BTF_ID_TRUSTED,\n\t.ret_btf_id = &shape_ids[0],\n\t.arg_type = { ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT,\n\t\t      ARG_ANYTHING },\n\t.arg1_size = sizeof(struct iphdr),\n};\nBTF_ID_LIST(shape_ids)\nBTF_ID(struct, file)\n',
    found: [
      {
        name: 'bpf_shape_list',
        ret: 'RET_PTR_TO_BTF_ID_TRUSTED [file]',
        args: ['ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT [20]', 'ARG_ANYTHING'],
        gpl: true,
        sleeps: true,
        packetArgs: true,
      },
    ],
  },
  {
    what: 'a helper that a function of no program type hands out',
    c: 'const struct bpf_func_proto bpf_shape_set_proto = { .func = bpf_shape_set, .ret_type = RET_INTEGER };\nconst struct bpf_func_proto *bpf_sk_base_func_proto(enum bpf_func_id func_id, const struct bpf_prog *prog);\nstatic const struct bpf_func_proto *bpf_get_shape_proto(enum bpf_func_id which)\n{\n\tcase BPF_FUNC_shape_set:\n\t\treturn &bpf_shape_set_proto;\n}\n',
    found: [{ name: 'bpf_shape_set', ret: 'RET_INTEGER', args: [] }],
  },
];
