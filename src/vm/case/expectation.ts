/** What a case expects a replay to show: how that is written in its `.expect` line, and whether a broken check is the expected one. */
import { CHECKS, type Check, type Violation } from '../state/trap.js';
import { count, type Line } from './words.js';

/** What a replay is expected to show. */
export type Expectation =
  | { readonly kind: 'holds' }
  | {
      readonly kind: 'breaks';
      readonly check: Check;
      readonly function?: string | undefined;
      /** Slot at which it shows. */
      readonly slot?: number;
    };

/** Reads `.expect holds`, `.expect CHECK [FUNCTION] [at SLOT]` */
export function parseExpectation(line: Line): Expectation {
  const word = line.need(1, `a check: ${CHECKS.join(', ')}, or holds`);
  if (word.text === 'holds') {
    line.end(2);
    return { kind: 'holds' };
  }
  const check = CHECKS.find((known) => known === word.text);
  if (check === undefined)
    return line.fail(`no check '${word.text}'; there are ${CHECKS.join(', ')} and holds`, word);
  let next = 2;
  const named =
    line.words[next] !== undefined && line.words[next]!.text !== 'at' ? line.words[next++]!.text : undefined;
  let slot: number | undefined;
  if (line.words[next]?.text === 'at') {
    const at = line.need(next + 1, 'a slot');
    slot = line.at(at, () => count(at.text));
    next += 2;
  }
  line.end(next);
  return {
    kind: 'breaks',
    check,
    ...(named === undefined ? {} : { function: named }),
    ...(slot === undefined ? {} : { slot }),
  };
}

/** `holds`, `misuse bpf_spin_unlock at 14` */
export function printExpectation(expect: Expectation): string {
  if (expect.kind === 'holds') return 'holds';
  const words: string[] = [expect.check];
  if (expect.function !== undefined) words.push(expect.function);
  if (expect.slot !== undefined) words.push(`at ${expect.slot}`);
  return words.join(' ');
}

/** The expectation that a violation fulfils. */
export function expectationOf(violation: Violation | undefined): Expectation {
  if (violation === undefined) return { kind: 'holds' };
  const { check, slot, function: named } = violation;
  return { kind: 'breaks', check, slot, function: named };
}

/** Whether a violation is the one that is expected. */
export function matches(expect: Expectation, violation: Violation): boolean {
  return (
    expect.kind === 'breaks' &&
    expect.check === violation.check &&
    (expect.function === undefined || expect.function === violation.function) &&
    (expect.slot === undefined || expect.slot === violation.slot)
  );
}
