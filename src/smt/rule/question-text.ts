/** The question of a rule proof as a file of SMT-LIB 2 that any solver can be asked. */
import type { RuleQuestion } from '../rule-proof.js';
import { toSmtLib } from '../term/smtlib.js';

const DOES: Readonly<Record<RuleQuestion['action'], string>> = {
  stub: 'stubbed',
  keep: 'kept',
  unwind: 'kept where it has no landing pad',
};

/** The file. Its comments say what it asks, and which answer was given. */
export function questionText(
  rules: string,
  { name, action, rule, assertions, verdict }: RuleQuestion,
): string {
  const status = verdict === 'sat' || verdict === 'unsat' ? verdict : 'unknown';
  return toSmtLib(assertions, {
    comments: [
      `rule set ${rules}, function ${name}: ${DOES[action]} ${rule === undefined ? 'as no rule matches' : `by '${rule}'`}`,
      action === 'stub'
        ? 'is there a situation in which the stub is inside no outcome?'
        : 'is there a situation in which a stub could refuse the call, and the call may acquire something or take long?',
      `expected: ${status} (sat: the rule is wrong; unsat: it is right)`,
    ].map((line) => line.replace(/[\r\n]+/g, ' ')),
    status,
  });
}
