/** What calls are made with: maps with every kind of field, local types, and who makes and takes back each resource. */
import { contractOf } from '../../../src/kernel/catalog.js';
import type { Arg, Contract, Resource } from '../../../src/kernel/contract.js';
import { FIELD_LAYOUT } from '../../../src/kernel/structs.js';
import type { LocalType, MapDef, ProgType, SpecialField } from '../../../src/object/program.js';

/** The program type has no way to come by an argument, or the builder does not know one. */
export class NoWay extends Error {}

type Field = SpecialField['kind'];
const at = (kind: Field, offset: number, more: Partial<SpecialField> = {}): SpecialField => ({
  kind,
  offset,
  size: FIELD_LAYOUT[kind].size,
  ...more,
});
export const array = (name: string, valueSize: number, fields: readonly SpecialField[] = []): MapDef => ({
  name,
  type: 'array',
  keySize: 4,
  valueSize,
  maxEntries: 1,
  flags: 0,
  fields,
});

export const LOCK = array('lock', 8, [at('spin_lock', 0)]);
export const RES_LOCK = array('res', 8, [at('res_spin_lock', 0)]);
export const TIMER = array('timer', 16, [at('timer', 0)]);
export const WQ = array('wq', 16, [at('wq', 0)]);
export const KPTR = array('kptr', 8, [at('kptr', 0, { struct: 'task_struct' })]);
export const LIST = array('list', 24, [
  at('spin_lock', 0),
  at('list_head', 8, { struct: 'item', node: 'node' }),
]);
export const TREE = array('tree', 24, [
  at('spin_lock', 0),
  at('rb_root', 8, { struct: 'item', node: 'node' }),
]);
export const TEXT: MapDef = {
  ...array('text', 8),
  flags: 1 << 7,
  frozen: true,
  initial: new Uint8Array([120, 0]),
};

export const ITEM_OF: Readonly<Record<'list' | 'rbtree' | 'counted' | 'plain', LocalType>> = {
  list: { name: 'item', size: 32, fields: [at('list_node', 8)], id: 1 },
  rbtree: { name: 'item', size: 40, fields: [at('rb_node', 8)], id: 1 },
  counted: { name: 'item', size: 16, fields: [at('refcount', 8)], id: 1 },
  plain: { name: 'item', size: 16, fields: [], id: 1 },
};

/** What gives a resource back: a function whose first argument it is. */
export const GIVE_BACK: Partial<Record<Resource, string>> = {
  socket: 'bpf_sk_release',
  ringbuf_record: 'bpf_ringbuf_discard',
  task: 'bpf_task_release',
  cgroup: 'bpf_cgroup_release',
  cpumask: 'bpf_cpumask_release',
  key: 'bpf_key_put',
  crypto_ctx: 'bpf_crypto_ctx_release',
  nf_conn: 'bpf_ct_release',
  nf_conn_init: 'bpf_ct_insert_entry',
  xfrm_state: 'bpf_xdp_xfrm_state_release',
  object: 'bpf_obj_drop_impl',
  percpu_object: 'bpf_percpu_obj_drop_impl',
  kptr: 'bpf_task_release',
};

/** What makes a pointer to a struct, for each type of program that has a way. */
export function makerOf(arg: Extract<Arg, { kind: 'btf' }>, type: ProgType): string {
  const struct = arg.structs[0]!;
  const layer = type === 'xdp' ? 'xdp' : 'skb';
  const makers: Readonly<Record<string, string>> = {
    task_struct: arg.release === true ? 'bpf_task_from_pid' : 'bpf_get_current_task_btf',
    cgroup: 'bpf_cgroup_from_id',
    cgroup_subsys_state: 'bpf_cgroup_from_id',
    cpumask: 'bpf_cpumask_create',
    bpf_cpumask: 'bpf_cpumask_create',
    bpf_key: 'bpf_lookup_system_key',
    bpf_crypto_ctx: 'bpf_crypto_ctx_create',
    nf_conn: `bpf_${layer}_ct_lookup`,
    nf_conn___init: `bpf_${layer}_ct_alloc`,
    xfrm_state: 'bpf_xdp_get_xfrm_state',
  };
  const maker = makers[struct];
  if (maker === undefined) throw new NoWay(`nothing makes a ${struct}`);
  return maker;
}

export const known = (name: string): Contract => {
  const c = contractOf(name);
  if (c === undefined) throw new Error(`${name} is not in the catalog`);
  return c;
};
