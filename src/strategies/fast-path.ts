/**
 * The fast path under a rule set: at the kill call sites are replaced, and the program runs on to its exit. What is kept for it differs by
 * posting: v1 and v2 keep a second copy of the program, from v3 on it is a table of the call sites that are replaced.
 */

import { fastPath } from '../patch/fast-path.js';
import type { RuleSet } from '../patch/rule.js';
import type { Strategy } from './strategy.js';

/** Bytes of an entry of the table of call sites. */
const SITE_BYTES = 12;
const INSN_BYTES = 8;

/** Posted versions that clone the program. */
const CLONES: ReadonlySet<string> = new Set(['rfc-v1', 'rfc-v2']);
/** The first posting makes no clone of a program that is shorter. */
const SHORTEST_CLONED = 10;

/** The strategy that a rule set is. `name`: how it was called, if not by the name of the set. */
export function fastPathUnder(rules: RuleSet, name = rules.name): Strategy {
  return {
    name,
    does: `runs the program on to its exit, its call sites replaced as the rules ${rules.name} say`,
    prepare({ code, facts }) {
      const { program } = code;
      const insns = program.insns.length;
      if (rules.name === 'rfc-v1' && insns < SHORTEST_CLONED)
        return { cannot: `it has fewer than ${SHORTEST_CLONED} insns, and is not cloned` };
      const path = fastPath(program, facts, rules);
      const sites = path.stubs.size + (path.unwinds?.calls.size ?? 0);
      return {
        kind: 'runs out',
        bytes: CLONES.has(rules.name) ? INSN_BYTES * insns : SITE_BYTES * sites,
        fastPath: path,
      };
    },
  };
}
