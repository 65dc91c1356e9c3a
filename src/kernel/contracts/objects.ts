/**
 * Objects of local types, kptrs, lists and trees. Follows kernel/bpf/helpers.c; check_kfunc_call, ref_convert_owning_non_owning and
 * __process_kf_arg_ptr_to_graph_node in kernel/bpf/verifier.c.
 *
 * list_push and rbtree_add take an owned node without KF_RELEASE; pop and remove give one with KF_ACQUIRE. All of them want the
 * lock beside the head or root, and with it leave the program non-owning references until the unlock.
 */
import type { Arg, CallbackSpec, Contract, PointerKind } from '../contract.js';
import {
  acquired,
  callback,
  constant,
  guarded,
  helper,
  INTEGER,
  ignored,
  kfunc,
  NULL,
  outcome,
  pointer,
  releases,
  runs,
  scalar,
  VOID,
} from './define.js';

const object: PointerKind = { kind: 'object' };
const percpuObject: PointerKind = { kind: 'object', percpu: true };
const head: Arg = { kind: 'graph_root', graph: 'list' };
const root: Arg = { kind: 'graph_root', graph: 'rbtree' };
const listNodeOwned: Arg = { kind: 'graph_node', graph: 'list', owned: true };
const treeNodeOwned: Arg = { kind: 'graph_node', graph: 'rbtree', owned: true };
const treeNode: Arg = { kind: 'graph_node', graph: 'rbtree', owned: false };
const seen: PointerKind = { kind: 'graph_node', owning: false };
const removed: PointerKind = { kind: 'graph_node', owning: true };

/** set_rbtree_add_callback_state. */
const less: CallbackSpec = { args: ['rb_node', 'rb_node', 'none', 'none', 'none'], returns: [0, 1] };

const moved = { kind: 'transfer', arg: 1, nonOwning: true } as const;

const push = (name: string): Contract =>
  // Fails at run time if the node is in a list already, and then frees it: owned no more either way.
  kfunc(name, [head, listNodeOwned, ignored, scalar], [outcome('done', INTEGER, moved)], { underLock: true });
const pop = (name: string): Contract =>
  kfunc(name, [head], [outcome('empty', NULL), outcome('popped', acquired(removed, 'object'))], {
    underLock: true,
  });
/** Looks at a node without taking it out. */
const look = (name: string, ...args: Arg[]): Contract =>
  kfunc(name, args, [outcome('null', NULL), outcome('found', pointer(seen))], { underLock: true });

/** Where Linux 7.2 drops the `_impl` of a name, the verifier gives what programs had to pass as 0 (KF_IMPLICIT_ARGS); all else is the same. */
const create = (name: string): Contract =>
  kfunc(name, [constant, ignored], [outcome('null', NULL), outcome('allocated', acquired(object, 'object'))]);
const createPercpu = (name: string): Contract =>
  kfunc(
    name,
    [constant, ignored],
    [outcome('null', NULL), outcome('allocated', acquired(percpuObject, 'percpu_object'))],
  );
const drop = (name: string, percpu?: true): Contract =>
  kfunc(
    name,
    [{ kind: 'object', release: true, ...(percpu ? { percpu } : {}) }, ignored],
    [outcome('done', VOID, releases(0))],
  );
const share = (name: string): Contract =>
  kfunc(
    name,
    [{ kind: 'refcounted' }, ignored],
    [
      // With an owning reference the count cannot be zero: the verifier drops OR_NULL, and no branch on NULL was walked.
      guarded({ kind: 'not_owning', arg: 0 }, outcome('null', NULL)),
      outcome('acquired', acquired({ kind: 'same', arg: 0 }, 'object')),
    ],
    { underLock: true },
  );
const plant = (name: string): Contract =>
  kfunc(
    name,
    [root, treeNodeOwned, callback(less), ignored, scalar],
    [outcome('first', INTEGER, runs(2, 'none'), moved), outcome('placed', INTEGER, runs(2, 'any'), moved)],
    { underLock: true },
  );

export const OBJECT_CONTRACTS: readonly Contract[] = [
  create('bpf_obj_new_impl'),
  create('bpf_obj_new'),
  drop('bpf_obj_drop_impl'),
  drop('bpf_obj_drop'),
  createPercpu('bpf_percpu_obj_new_impl'),
  createPercpu('bpf_percpu_obj_new'),
  drop('bpf_percpu_obj_drop_impl', true),
  drop('bpf_percpu_obj_drop', true),
  share('bpf_refcount_acquire_impl'),
  share('bpf_refcount_acquire'),

  // Whatever the slot held comes back owned, and the argument is gone in either case.
  helper(
    'bpf_kptr_xchg',
    [{ kind: 'kptr_slot' }, { kind: 'kptr_value' }],
    [
      outcome('empty', NULL, { kind: 'transfer', arg: 1 }),
      outcome('held', acquired({ kind: 'kptr' }, 'kptr'), { kind: 'transfer', arg: 1 }),
    ],
  ),

  push('bpf_list_push_front_impl'),
  push('bpf_list_push_back_impl'),
  push('bpf_list_push_front'),
  push('bpf_list_push_back'),
  kfunc('bpf_list_empty', [head], [outcome('done', INTEGER)], { underLock: true }),
  pop('bpf_list_pop_front'),
  pop('bpf_list_pop_back'),
  look('bpf_list_front', head),
  look('bpf_list_back', head),

  plant('bpf_rbtree_add_impl'),
  plant('bpf_rbtree_add'),
  kfunc(
    'bpf_rbtree_remove',
    [root, treeNode],
    [outcome('absent', NULL), outcome('removed', acquired(removed, 'object'))],
    { underLock: true },
  ),
  look('bpf_rbtree_first', root),
  look('bpf_rbtree_root', root),
  look('bpf_rbtree_left', root, treeNode),
  look('bpf_rbtree_right', root, treeNode),
];
