import { rule, ruleSet } from 'swansong';

/** The sound rules, of which a CPU has seen only every other call site. */
export default ruleSet('patched-in-part', [
  rule('every other site that can be refused is patched')
    .at((site) => site.canFail && site.slot % 2 === 1)
    .stub((_f, site) => site.failure),
  rule('the others still make their call').keep(),
]);
