/** Why a program was refused, in words: short, or the whole way. */
import type { Explanation } from '../../verifier/explain/explanation.js';
import type { Place } from '../../verifier/explain/place.js';
import type { Refused } from '../../verifier/result.js';

/** What is explained, as a row of a document has it. */
export interface Explained {
  readonly file: string;
  readonly name: string;
  readonly lines?: readonly string[];
  readonly message: string;
  readonly explanation?: Explanation;
}

/** What a document has of a program that our verifier refuses. */
export function refusalFields({
  message,
  lines,
  slot,
  reason,
  explanation,
}: Refused): Pick<Explained, 'message' | 'lines' | 'explanation'> & { readonly slot?: number } {
  return {
    message,
    lines,
    ...(slot >= 0 && reason !== 'budget' && { slot }),
    ...(explanation !== undefined && { explanation }),
  };
}

/** Branches and loops that are told at the most, unless the whole way is asked for. */
const FEW_BRANCHES = 8;
const FEW_LOOPS = 2;

/** `12: call bpf_ringbuf_reserve#131  ; leak.c:9: struct ev *e = ...` */
export function placeInWords({ slot, insn, file, line, source }: Place): string {
  const told = line === undefined ? '' : `  ; ${file}:${line}${source === undefined ? '' : `: ${source}`}`;
  return `${slot}: ${insn}${told}`;
}

/** Empty for what was not refused, or is not explained. */
export function explanationInWords(
  { file, name, message, lines = [message], explanation }: Explained,
  whole: boolean,
): string {
  if (explanation === undefined) return '';
  const { about, at, calls, acquired, loops, same } = explanation;
  const told = [
    `${file}:${name}: refused${at === undefined ? `: ${about}` : ` in ${at.function} at insn ${placeInWords(at)}`}`,
  ];
  for (const line of lines) told.push(`    ${line}`);
  for (const call of calls) told.push(`  called from ${call.function} at insn ${placeInWords(call)}`);
  for (const one of acquired) {
    const id = one.id === 0 ? '' : ` id=${one.id}`;
    told.push(`  ${one.what}${id} acquired in ${one.at.function} at insn ${placeInWords(one.at)}`);
    for (const call of one.calls) told.push(`    called from ${call.function} at insn ${placeInWords(call)}`);
  }
  told.push(...branchesInWords(explanation, whole));
  if (same.length > 0)
    told.push(`  the same at both visits: ${same.map(({ place, value }) => `${place}=${value}`).join(' ')}`);
  for (const one of whole ? loops : loops.slice(0, FEW_LOOPS)) {
    const { from, to, walked, walkedInCalls, rounds, states, waiting } = one;
    const inCalls = walkedInCalls === 0 ? '' : ` (${walkedInCalls} in what it calls)`;
    told.push(
      `  loop in ${from.function}, insns ${from.slot} to ${to.slot}: ${walked} insns walked${inCalls}, ${rounds} rounds, ${states} states kept, ${waiting} paths wait`,
      `    first insn ${placeInWords(from)}`,
      `    last insn ${placeInWords(to)}`,
    );
  }
  return told.map((line) => `${line}\n`).join('');
}

function branchesInWords({ branches, branchesLeftOut }: Explanation, whole: boolean): string[] {
  if (branches.length === 0) return [];
  const shown = whole ? branches : branches.slice(-FEW_BRANCHES);
  const all = branches.length + branchesLeftOut;
  return [
    `  branches on the way${shown.length === all ? '' : `, the last ${shown.length} of ${all}${whole ? '' : ' (--explain tells more)'}`}:`,
    ...shown.map((one) => `    ${one.taken ? 'taken    ' : 'not taken'} ${placeInWords(one)}`),
  ];
}
