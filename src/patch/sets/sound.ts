/**
 * The rule set that is proven for every function: wherever some outcome that can happen at the call site acquires nothing,
 * gives nothing back and takes no time, the call has that outcome. The verifier has walked the program through it already, so
 * the program copes. What cannot be refused runs: releases, unlocks, moves into a list or tree, and acquirers that never fail.
 */
import { rule, ruleSet } from '../define.js';

export default ruleSet('sound', [
  rule('what can be refused here is refused')
    .at((site) => site.canFail)
    .stub((_f, site) => site.failure),
  rule('everything else runs').keep(),
]);
