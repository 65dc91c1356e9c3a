/** The way of a run that refutes a program, in words. */
import type { WitnessEvent, WitnessPath } from '../../smt/witness-path.js';
import { placeInWords } from './explanations.js';

/** A line for each event; `of`: file and program. */
export function witnessPathInWords(of: string, { events, eventsLeftOut }: WitnessPath): string {
  const lines = [`${of}: the run that refutes it, step by step:`, ...events.flatMap(inWords)];
  if (eventsLeftOut > 0) lines.push(`  ${eventsLeftOut} events more are not told`);
  return lines.map((line) => `${line}\n`).join('');
}

function inWords(one: WitnessEvent): string[] {
  const step = `  ${String(one.step).padStart(5)}  `;
  const below = ' '.repeat(step.length + 2);
  const at = `in ${one.at.function} at insn ${placeInWords(one.at)}`;
  switch (one.event) {
    case 'acquired':
    case 'released':
      return [`${step}${one.event} ${at}`, `${below}${one.what}`];
    case 'killed':
      return [
        `${step}KILLED before the insn ${at}`,
        ...one.calls.map((call) => `${below}called from ${call.function} at insn ${placeInWords(call)}`),
        `${below}held: ${one.held.join(', ') || 'nothing'}`,
      ];
    case 'stubbed': {
      const arg = (n: number): string => `r${n}`;
      const did = [
        one.r0 === null ? 'r0 may not be read' : `r0 = ${one.r0}`,
        ...one.zeroed.map((n) => `memory of ${arg(n)} is zeroed`),
        ...one.nullDynptrs.map((n) => `${arg(n)} is a null dynptr`),
      ];
      return [`${step}call replaced ${at}`, `${below}${did.join(', ')} (${byRule(one.rule)})`];
    }
    case 'kept': {
      const r0 = one.r0 === null ? 'r0 may not be read' : `r0 = ${one.r0}`;
      return [`${step}call kept ${at}`, `${below}${r0} (${byRule(one.rule)})`];
    }
    case 'unwound':
      return [`${step}call ended in the landing pad of its function ${at}`, `${below}(${byRule(one.rule)})`];
    case 'stopped':
      return [`${step}callback ended; the helper calls it no more ${at}`];
    case 'branch':
      return [`${step}${one.taken ? 'taken' : 'not taken'} ${at}`];
    case 'broken':
      return [`${step}BREAKS ${one.check} ${at}`, `${below}${one.message}`];
  }
}

const byRule = (rule: string | null): string => (rule === null ? 'no rule' : `rule '${rule}'`);
