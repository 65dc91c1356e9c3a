/**
 * What the third posting (7 September 2025) does: no clone, a table of call sites that are patched in place. The sites are
 * those of RFC v2, and a bpf_loop that is not inlined returns 0. (A callback that is running at the kill is made to return 1
 * when it ends; that is the machine's business, not a rule's.)
 */
import { NULL, rule, ruleSet } from '../define.js';

export default ruleSet('rfc-v3', [
  rule('bpf_kptr_xchg is inlined, so there is no call to patch')
    .when((f) => f.name === 'bpf_kptr_xchg')
    .keep(),
  rule('helpers that may return NULL do')
    .when((f) => f.kind === 'helper' && f.mayReturnNull)
    .stub({ r0: NULL }),
  rule('kfuncs flagged KF_RET_NULL return NULL')
    .when((f) => f.flags.includes('KF_RET_NULL'))
    .stub({ r0: NULL }),
  rule('bpf_loop returns 0')
    .when((f) => f.name === 'bpf_loop')
    .stub({ r0: 0 }),
  rule('everything else runs').keep(),
]);
