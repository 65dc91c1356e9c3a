/**
 * Connection tracking and IPsec states. Follows net/netfilter/nf_conntrack_bpf.c, net/netfilter/nf_nat_bpf.c and
 * net/xfrm/xfrm_state_bpf.c. The kernel lists the xdp and the skb functions for both types of program, but each takes the context of
 * one of them.
 */
import type { ProgType } from '../../object/program.js';
import type { Contract } from '../contract.js';
import {
  acquired,
  btf,
  btfReleased,
  ctx,
  fixedMem,
  INTEGER,
  kfunc,
  mem,
  NULL,
  outcome,
  releases,
  scalar,
  sizeOrZero,
  struct,
  VOID,
} from './define.js';

const tupleAndOptions = [ctx, mem('readwrite', 2), sizeOrZero, mem('readwrite', 4), sizeOrZero];
const connection = acquired(struct('nf_conn'), 'nf_conn');
/** An entry that is not in the table yet; the name is a type that exists only in BTF. */
const entry = acquired(struct('nf_conn___init'), 'nf_conn_init');
const existing = btf('trusted', 'nf_conn');
const fresh = btf('trusted', 'nf_conn___init');

const lookup = (name: string, ...only: ProgType[]): Contract =>
  kfunc(name, tupleAndOptions, [outcome('null', NULL), outcome('found', connection)], { only });
const alloc = (name: string, ...only: ProgType[]): Contract =>
  kfunc(name, tupleAndOptions, [outcome('null', NULL), outcome('allocated', entry)], { only });

export const FLOW_CONTRACTS: readonly Contract[] = [
  lookup('bpf_xdp_ct_lookup', 'xdp'),
  lookup('bpf_skb_ct_lookup', 'tc', 'action'),
  alloc('bpf_xdp_ct_alloc', 'xdp'),
  alloc('bpf_skb_ct_alloc', 'tc', 'action'),
  // Gives the entry back even when it fails: a stub that returns NULL without doing so leaks it.
  kfunc(
    'bpf_ct_insert_entry',
    [btfReleased('nf_conn___init')],
    [outcome('error', NULL, releases(0)), outcome('inserted', connection, releases(0))],
  ),
  kfunc('bpf_ct_release', [btfReleased('nf_conn')], [outcome('done', VOID, releases(0))]),
  kfunc('bpf_ct_set_timeout', [fresh, scalar], [outcome('done', VOID)]),
  kfunc('bpf_ct_change_timeout', [existing, scalar], [outcome('done', INTEGER)]),
  kfunc('bpf_ct_set_status', [fresh, scalar], [outcome('done', INTEGER)]),
  kfunc('bpf_ct_change_status', [existing, scalar], [outcome('done', INTEGER)]),
  // union nf_inet_addr.
  kfunc(
    'bpf_ct_set_nat_info',
    [fresh, fixedMem('readwrite', 16), scalar, scalar],
    [outcome('done', INTEGER)],
  ),

  kfunc(
    'bpf_xdp_get_xfrm_state',
    [ctx, mem('readwrite', 2), sizeOrZero],
    [outcome('null', NULL), outcome('found', acquired(struct('xfrm_state'), 'xfrm_state'))],
  ),
  kfunc('bpf_xdp_xfrm_state_release', [btfReleased('xfrm_state')], [outcome('done', VOID, releases(0))]),
];
