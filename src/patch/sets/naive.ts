/**
 * The idea as people first have it: every call returns 0 at once, except those that release. What releases is read off the
 * kernel's own flags (OBJ_RELEASE on an argument, KF_RELEASE on a kfunc). Unlocks, section ends, iterator destructors and
 * moves into a list or tree carry no such flag.
 */
import type { Contract } from '../../kernel/contract.js';
import { rule, ruleSet } from '../define.js';

/** An argument type with OBJ_RELEASE. bpf_kptr_xchg's second argument is one too. */
const releasesByFlag = (contract: Contract): boolean =>
  contract.flags.includes('KF_RELEASE') ||
  (contract.kind === 'helper' &&
    contract.args.some((arg) => arg.kind === 'kptr_value' || ('release' in arg && arg.release === true)));

export default ruleSet('naive', [
  rule('what is flagged as releasing runs')
    .when((f) => releasesByFlag(f.contract))
    .keep(),
  rule('void functions do nothing')
    .when((f) => f.returnsVoid)
    .stub({ r0: 'void' }),
  rule('everything else returns 0').stub({ r0: 0 }),
]);
