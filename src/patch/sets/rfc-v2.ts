/**
 * What RFC v2 (14 June 2025) does: a clone of the verified program, in which helpers that may return NULL (PTR_MAYBE_NULL in
 * their return type) and kfuncs flagged KF_RET_NULL return NULL at once. The flag is on functions that return
 * integers too: bpf_res_spin_lock then "returns NULL", which is 0, which is success.
 *
 * A bpf_loop that the verifier inlined has its callback call replaced by r0 = 1, so the loop ends at its first turn
 * with the callback not run and the count 1. Every bpf_loop is taken as inlined; one that is not is kept by the series.
 */
import { NULL, rule, ruleSet } from '../define.js';

export default ruleSet('rfc-v2', [
  rule('bpf_kptr_xchg is inlined, so there is no call to patch')
    .when((f) => f.name === 'bpf_kptr_xchg')
    .keep(),
  rule('helpers that may return NULL do')
    .when((f) => f.kind === 'helper' && f.mayReturnNull)
    .stub({ r0: NULL }),
  rule('kfuncs flagged KF_RET_NULL return NULL')
    .when((f) => f.flags.includes('KF_RET_NULL'))
    .stub({ r0: NULL }),
  rule('an inlined bpf_loop does not run its callback')
    .when((f) => f.name === 'bpf_loop')
    .stub({ r0: 1 }),
  rule('everything else runs').keep(),
]);
