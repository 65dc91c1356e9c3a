/** Where a contract disagrees with the kernel's own prototypes and flags, as the generated tables have them. */
import type { Arg, Contract, Outcome } from '../../../src/kernel/contract.js';
import { callsBack, iteratorRole, outcomeReleases } from '../../../src/kernel/describe.js';
import type { HelperRow, KfuncRow } from '../../../src/kernel/tables/rows.js';
import { HELPERS, KFUNCS } from '../../../src/kernel/tables/rows.js';

const helperRows = new Map(HELPERS.map((row) => [row.name, row]));
const kfuncRows = new Map(KFUNCS.map((row) => [row.name, row]));

const DEVICE = 'only programs that are bound to a device may call it (bpf_prog_is_dev_bound)';
const AWAKE = 'its kind of map is refused in sleepable programs';

/**
 * Fewer program types than the kernel's list: it lets the function be named, and no program of the type can satisfy its arguments
 * or the checks that follow.
 */
export const NARROWED: Readonly<Record<string, string>> = {
  bpf_tail_call: 'program arrays are refused in sleepable programs',
  bpf_get_socket_cookie: 'in syscall programs it takes a socket by BTF id',
  bpf_get_cgroup_classid: 'elsewhere it takes no argument',
  bpf_xdp_get_buff_len: 'in syscall programs it takes a struct xdp_buff by BTF id',
  bpf_dynptr_slice_rdwr: 'refused where packets may not be written',
  bpf_iter_css_task_new: 'check_css_task_iter_allowlist',
  bpf_iter_css_task_next: 'check_css_task_iter_allowlist',
  bpf_iter_css_task_destroy: 'check_css_task_iter_allowlist',
  bpf_xdp_ct_lookup: 'takes an xdp context',
  bpf_xdp_ct_alloc: 'takes an xdp context',
  bpf_skb_ct_lookup: 'takes an skb context',
  bpf_skb_ct_alloc: 'takes an skb context',
  bpf_dynptr_from_skb: 'takes an skb context',
  bpf_cast_to_kern_ctx: 'the others have contexts without a struct in the kernel, or none that is described',
  bpf_sk_assign: 'for lookups of sockets it takes one that may be NULL (a variant)',
  bpf_sk_storage_get: 'elsewhere it takes the context, or a socket by BTF id (variants)',
  bpf_sk_storage_delete: 'elsewhere it takes a socket by BTF id (a variant)',
  bpf_setsockopt: 'elsewhere it takes a socket (a variant)',
  bpf_getsockopt: 'elsewhere it takes a socket (a variant)',
  bpf_get_func_ip: 'check_get_func_ip',
  bpf_d_path: 'bpf_d_path_allowed',
  bpf_xdp_metadata_rx_timestamp: DEVICE,
  bpf_xdp_metadata_rx_hash: DEVICE,
  bpf_xdp_metadata_rx_vlan_tag: DEVICE,
  bpf_perf_event_output: AWAKE,
  bpf_skb_output: AWAKE,
  bpf_xdp_output: AWAKE,
  bpf_perf_event_read: AWAKE,
  bpf_perf_event_read_value: AWAKE,
  bpf_get_stackid: AWAKE,
  bpf_current_task_under_cgroup: AWAKE,
};

/** Flagged KF_RET_NULL without returning a pointer: the verifier forks on the zero. */
const ZERO_IS_NULL: ReadonlySet<string> = new Set(['bpf_res_spin_lock', 'bpf_res_spin_lock_irqsave']);

/** One sentence for each disagreement. */
export function disagreements(c: Contract): string[] {
  const out = [...common(c)];
  if (c.kind === 'helper') {
    const row = helperRows.get(c.name);
    return row === undefined ? ['not a helper'] : [...out, ...helper(c, row)];
  }
  const row = kfuncRows.get(c.name);
  return row === undefined ? ['not a kfunc'] : [...out, ...kfunc(c, row)];
}

function* common(c: Contract): Generator<string> {
  const row = helperRows.get(c.name) ?? kfuncRows.get(c.name);
  if (row === undefined) return;
  if (c.ret !== row.ret) yield `returns ${row.ret}, not ${c.ret}`;
  const stray = c.types.filter((type) => !row.types.includes(type));
  if (stray.length > 0) yield `${stray.join(', ')} may not call it`;
  if (c.types.length < row.types.length && NARROWED[c.name] === undefined)
    yield 'fewer program types without a reason';
}

const isNull = (o: Outcome): boolean => o.r0.kind === 'null';
const isPointer = (o: Outcome): boolean => o.r0.kind === 'pointer';

function* helper(c: Contract, row: HelperRow): Generator<string> {
  const has = (mark: HelperRow['marks'][number]): boolean => row.marks.includes(mark);
  if (c.id !== row.id) yield `its number is ${row.id}`;
  if ((c.gpl === true) !== has('gpl')) yield 'GPL-only in one place';
  if ((c.sleeps === true) !== has('sleeps')) yield 'sleeps in one place';
  if ((c.fastcall === true) !== has('fastcall')) yield 'fastcall in one place';
  if (c.args.length !== row.args.length) yield `takes ${row.args.length} arguments`;
  for (const [i, word] of row.args.entries()) {
    const arg = c.args[i];
    if (arg !== undefined && !helperArgFits(word, arg, /sockopt$/.test(c.name)))
      yield `argument ${i} is ${word}`;
  }
  if (row.ret === 'RET_VOID' && !c.outcomes.every((o) => o.r0.kind === 'void')) yield 'returns nothing';
  if (row.ret === 'RET_INTEGER' && !c.outcomes.every((o) => o.r0.kind === 'scalar')) yield 'returns a number';
  if (row.ret.startsWith('RET_PTR') && !c.outcomes.every((o) => isPointer(o) || isNull(o)))
    yield 'returns a pointer';
  if (has('null') !== c.outcomes.some(isNull)) yield 'NULL in one place';
  if (has('acquires') && !c.outcomes.some(acquiresSomething)) yield 'nothing acquired';
  // Whether a look into a map acquires is up to the map, which the tables know nothing of.
  const byTheMap = ({ guard }: Outcome): boolean => guard?.kind === 'map_of_sockets';
  if (!has('acquires') && c.outcomes.some((o) => acquiresReference(o) && !byTheMap(o)))
    yield 'acquires a reference the kernel does not count';
  if (has('releases') && !c.outcomes.every(outcomeReleases)) yield 'an outcome does not release';
  if (
    has('cast') &&
    !c.outcomes.filter(isPointer).every((o) => o.r0.kind === 'pointer' && o.r0.derives === 0)
  ) {
    yield 'a cast that does not share the reference';
  }
  if (!has('cast') && c.outcomes.some((o) => o.r0.kind === 'pointer' && o.r0.derives !== undefined)) {
    yield 'shares a reference though it is no cast';
  }
  if (has('callback') !== callsBack(c)) yield 'calls back in one place';
  const moves = (o: Outcome): boolean =>
    o.effects.some((e) => e.kind === 'invalidate_packet' && e.dynptr === undefined);
  const leaves = (o: Outcome): boolean => o.effects.some((e) => e.kind === 'tail_call');
  // A tail call moves the packet only if another program runs.
  const mayMove = c.outcomes.some(leaves) ? c.outcomes.filter(leaves) : c.outcomes;
  if (has('packet') && !mayMove.every(moves)) yield 'an outcome keeps packet pointers';
  if (!has('packet') && c.outcomes.some(moves)) yield 'drops packet pointers the kernel keeps';
}

const acquiresReference = (o: Outcome): boolean => o.r0.kind === 'pointer' && o.r0.acquires !== undefined;
const acquiresSomething = (o: Outcome): boolean =>
  acquiresReference(o) || o.effects.some((e) => e.kind === 'init_dynptr' && e.acquires !== undefined);

/** What an enum bpf_arg_type word may be described as. */
function helperArgFits(word: string, arg: Arg, option: boolean): boolean {
  const flags = word.split(/[+<[]/);
  const base = flags[0] ?? '';
  const nullable = base.endsWith('_OR_NULL') || flags.includes('PTR_MAYBE_NULL');
  const reads = flags.includes('MEM_RDONLY');
  switch (base.replace(/_OR_NULL$/, '')) {
    case 'ARG_ANYTHING':
      return arg.kind === 'anything';
    case 'ARG_SCALAR':
      return arg.kind === 'scalar';
    case 'ARG_CONST_MAP_PTR':
      return arg.kind === 'map';
    case 'ARG_PTR_TO_MAP_KEY':
      return arg.kind === 'map_key';
    case 'ARG_PTR_TO_MAP_VALUE':
      return arg.kind === 'map_value';
    case 'ARG_PTR_TO_MEM':
      return (
        arg.kind === 'mem' &&
        (arg.nullable === true) === nullable &&
        arg.access === (reads ? 'read' : arg.access)
      );
    case 'ARG_PTR_TO_UNINIT_MEM':
      // bpf_dynptr_from_mem takes memory that need not be initialised, and does not write it.
      return arg.kind === 'mem' && (arg.access === 'write' || arg.mapValue === true);
    case 'ARG_PTR_TO_FIXED_SIZE_MEM':
      return (
        arg.kind === 'mem' &&
        'bytes' in arg.size &&
        (arg.aligned === true) === word.includes('MEM_ALIGNED') &&
        (arg.access === 'write') === flags.includes('MEM_UNINIT')
      );
    case 'ARG_CONST_SIZE':
      return arg.kind === 'size' && arg.zero === base.endsWith('_OR_ZERO');
    case 'ARG_CONST_SIZE_OR_ZERO':
      return arg.kind === 'size' && arg.zero;
    case 'ARG_CONST_ALLOC_SIZE_OR_ZERO':
      return arg.kind === 'alloc_size';
    case 'ARG_PTR_TO_CTX':
      return arg.kind === 'ctx' && (arg.nullable === true) === nullable;
    case 'ARG_PTR_TO_SOCK_COMMON':
      return arg.kind === 'sock' && arg.btf !== true;
    case 'ARG_PTR_TO_BTF_ID_SOCK_COMMON':
      // The options of a socket are those of the context where there is no other.
      if (arg.kind === 'ctx') return option;
      return (
        arg.kind === 'sock' && arg.btf === true && (arg.release === true) === flags.includes('OBJ_RELEASE')
      );
    case 'ARG_PTR_TO_RINGBUF_MEM':
      return arg.kind === 'record';
    case 'ARG_PTR_TO_SPIN_LOCK':
      return arg.kind === 'spin_lock' && arg.lock === 'spin_lock';
    case 'ARG_PTR_TO_TIMER':
      return arg.kind === 'timer';
    case 'ARG_PTR_TO_FUNC':
      return arg.kind === 'callback';
    case 'ARG_PTR_TO_STACK':
      return arg.kind === 'stack_or_null' && nullable;
    case 'ARG_PTR_TO_CONST_STR':
      return arg.kind === 'const_str';
    case 'ARG_PTR_TO_DYNPTR':
      return (
        arg.kind === 'dynptr' &&
        (arg.state === 'uninit') === flags.includes('MEM_UNINIT') &&
        (arg.release === true) === flags.includes('OBJ_RELEASE')
      );
    case 'ARG_PTR_TO_PERCPU_BTF_ID':
      return arg.kind === 'percpu';
    case 'ARG_KPTR_XCHG_DEST':
      return arg.kind === 'kptr_slot';
    case 'ARG_PTR_TO_BTF_ID':
      return arg.kind === 'kptr_value' || arg.kind === 'btf';
    default:
      return false;
  }
}

function* kfunc(c: Contract, row: KfuncRow): Generator<string> {
  const has = (flag: string): boolean => row.flags.includes(flag);
  if (c.flags.join() !== row.flags.join()) yield 'other flags';
  if ((c.sleeps === true) !== has('KF_SLEEPABLE')) yield 'sleeps in one place';
  if ((c.needsRcu === true) !== has('KF_RCU_PROTECTED')) yield 'needs RCU in one place';
  if ((c.fastcall === true) !== has('KF_FASTCALL')) yield 'fastcall in one place';
  if (c.args.length !== row.params.length) yield `takes ${row.params.length} arguments`;
  for (const [i, param] of row.params.entries()) {
    const arg = c.args[i];
    if (arg !== undefined && !paramFits(param, arg)) yield `argument ${i} is ${param}`;
  }
  // To the verifier an address in an arena is a number until it is cast.
  const pointer = row.ret.endsWith('*') && !row.ret.includes('__arena');
  if (row.ret === 'void' && !c.outcomes.every((o) => o.r0.kind === 'void')) yield 'returns nothing';
  if (pointer && !c.outcomes.every((o) => isPointer(o) || isNull(o))) yield 'returns a pointer';
  if (!pointer && row.ret !== 'void' && !c.outcomes.every((o) => o.r0.kind === 'scalar'))
    yield 'returns a number';
  if (has('KF_RET_NULL') !== c.outcomes.some(isNull) && !ZERO_IS_NULL.has(c.name)) yield 'NULL in one place';
  if (has('KF_ACQUIRE') !== c.outcomes.some(acquiresReference)) yield 'acquires in one place';
  if (has('KF_RELEASE') && !c.outcomes.every(outcomeReleases)) yield 'an outcome does not release';
  const gives = c.outcomes.some((o) => o.effects.some((e) => e.kind === 'release'));
  if (gives && !has('KF_RELEASE')) yield 'releases without KF_RELEASE';
  const role = has('KF_ITER_NEW')
    ? 'new'
    : has('KF_ITER_NEXT')
      ? 'next'
      : has('KF_ITER_DESTROY')
        ? 'destroy'
        : undefined;
  if (iteratorRole(c) !== role) yield 'another part of the iterator';
  for (const arg of c.args) {
    if (arg.kind !== 'btf' || arg.release === true) continue;
    if (has('KF_RCU') && arg.trust !== 'rcu') yield 'KF_RCU takes RCU pointers';
    if (has('KF_TRUSTED_ARGS') && arg.trust !== 'trusted') yield 'KF_TRUSTED_ARGS takes trusted pointers';
  }
}

/** What the verifier gives in the program's stead: the program itself, and what is known of its local type. */
const IMPLICIT = /^(const )?struct (bpf_prog_aux|btf_struct_meta) \*/;

/** What a C parameter may be described as: its suffix says, or its type. */
function paramFits(param: string, arg: Arg): boolean {
  const suffixed = (suffix: string): boolean => param.endsWith(suffix);
  if (suffixed('__ign') || suffixed('__prog') || IMPLICIT.test(param)) return arg.kind === 'ignored';
  if (param.endsWith(' rdwr_buf_size')) return arg.kind === 'alloc_size';
  if (suffixed('__k')) return arg.kind === 'scalar' && arg.constant === true;
  if (suffixed('__szk')) return arg.kind === 'size' && arg.constant === true;
  if (suffixed('__sz')) return arg.kind === 'size' && arg.zero;
  if (suffixed('__str')) return arg.kind === 'const_str';
  if (suffixed('__opt')) return arg.kind === 'mem' && arg.optional === true;
  if (suffixed('__alloc')) return arg.kind === 'object';
  if (suffixed('__refcounted_kptr')) return arg.kind === 'refcounted';
  if (suffixed('__irq_flag')) return arg.kind === 'irq_flag';
  if (suffixed('__map') || param === 'void *p__map') return arg.kind === 'map';
  if (suffixed('__uninit')) return arg.kind === 'dynptr' && arg.state === 'uninit';
  const nullable = 'nullable' in arg && arg.nullable === true;
  if (suffixed('__nullable') !== nullable) return false;
  if (param.includes('(*') || /\(\w+\)\(/.test(param)) return arg.kind === 'callback';
  if (!param.includes('*')) return arg.kind === 'scalar';
  const struct = /struct (\w+)/.exec(param)?.[1];
  switch (struct) {
    case undefined:
      return arg.kind === 'mem' || arg.kind === 'ctx';
    case 'bpf_dynptr':
      return arg.kind === 'dynptr' && arg.state === 'init';
    case 'bpf_res_spin_lock':
      return arg.kind === 'spin_lock' && arg.lock.startsWith('res_spin_lock');
    case 'bpf_wq':
    case 'bpf_timer':
      return arg.kind === struct.slice(4);
    // A map is a pointer to its struct, too (reg2btf_ids).
    case 'bpf_map':
      return arg.kind === 'map';
    case 'bpf_list_head':
    case 'bpf_rb_root':
      return arg.kind === 'graph_root' && arg.graph === (struct === 'bpf_list_head' ? 'list' : 'rbtree');
    case 'bpf_list_node':
    case 'bpf_rb_node':
      return arg.kind === 'graph_node' && arg.graph === (struct === 'bpf_list_node' ? 'list' : 'rbtree');
    case '__sk_buff':
    case 'xdp_md':
      return arg.kind === 'ctx';
    default:
      if (struct.startsWith('bpf_iter_')) return arg.kind === 'iter' && struct === `bpf_iter_${arg.type}`;
      return arg.kind === 'mem' || (arg.kind === 'btf' && arg.structs.includes(struct));
  }
}
