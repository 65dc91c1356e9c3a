/**
 * What RFC v1 of the kernel series (20 April 2025) does: a clone of the program, made before verification, in which helper
 * calls are replaced according to their return type.
 * Left alone: a list of helpers that the JIT or the verifier inlines, trace_printk, three releases, every kfunc, and
 * every helper that returns a pointer which is not a map value or NULL.
 */
import { NULL, rule, ruleSet } from '../define.js';

const SKIPPED: readonly string[] = [
  'bpf_get_smp_processor_id',
  'bpf_jiffies64',
  'bpf_get_func_arg',
  'bpf_get_func_ret',
  'bpf_get_func_arg_cnt',
  'bpf_get_func_ip',
  'bpf_get_branch_snapshot',
  'bpf_kptr_xchg',
  'bpf_map_lookup_elem',
  'bpf_trace_printk',
];

/** All that the series lists as releases; bpf_sk_release (an integer function) and the dynptr forms are not among them. */
const RELEASES: readonly string[] = ['bpf_spin_unlock', 'bpf_ringbuf_submit', 'bpf_ringbuf_discard'];

export default ruleSet('rfc-v1', [
  rule('kfuncs run')
    .when((f) => f.kind === 'kfunc')
    .keep(),
  rule('helpers on the skip list run')
    .when((f) => SKIPPED.includes(f.name))
    .keep(),
  rule('releases on the skip list run')
    .when((f) => RELEASES.includes(f.name))
    .keep(),
  rule('void helpers become 0')
    .when((f) => f.returnsVoid)
    .stub({ r0: 0 }),
  rule('integer helpers become -1')
    .when((f) => f.returnsInteger)
    .stub({ r0: -1 }),
  rule('map values become NULL')
    .when((f) => f.ret === 'RET_PTR_TO_MAP_VALUE_OR_NULL')
    .stub({ r0: NULL }),
  rule('other pointers run').keep(),
]);
