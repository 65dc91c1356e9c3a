/** Which programs of an object a tail call may enter, and whether a killed run still does: as rows and in words. */

import type { Program } from '../../object/program.js';
import { mayEnter } from '../../object/program-arrays.js';
import { programsToEnter, type TailCall } from '../../smt/tail-calls.js';

/** A tail call with what is known of the object that its program is in. */
export interface TailCallRow extends TailCall {
  /** Programs of the object that user space may put where the call looks, in the object's order. */
  readonly ofObject: readonly string[];
}

/** Names that are listed at the most. */
const MOST_NAMES = 4;

/** The tail calls of a program. `all`: the programs of its object, itself among them. */
export function tailCallRows(
  program: Program,
  calls: readonly TailCall[],
  all: readonly Program[],
): readonly TailCallRow[] {
  const ofObject = all.filter((one) => mayEnter(program, one)).map(({ name }) => name);
  return calls.map((call) => ({ ...call, ofObject }));
}

/** In a few words for all tail calls of a program: `killed, it enters none of a, b`; empty where it has none. */
export function tailCallsInWords(calls: readonly TailCallRow[]): string {
  if (calls.length === 0) return '';
  const entering = calls.filter(({ killedMayEnter }) => killedMayEnter);
  if (entering.length > 0)
    return `killed, it may enter ${listed(namesOf(entering), 'any program of its type')}`;
  return `killed, it enters none of ${listed(namesOf(calls), 'the programs that its loader gives it')}`;
}

/** What the object begins with where it says that; else all of its programs that may be put there. */
const namesOf = (calls: readonly TailCallRow[]): readonly string[] => [
  ...new Set(
    calls.flatMap((call) => {
      const begins = programsToEnter(call);
      return begins.length > 0 ? begins : call.ofObject;
    }),
  ),
];

function listed(names: readonly string[], none: string): string {
  if (names.length === 0) return none;
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  return `${names.slice(0, MOST_NAMES).join(', ')}${more}`;
}

/** What is told of one tail call below its insn. */
export function tailCallLines(call: TailCallRow): readonly string[] {
  const { maps, index, killedMayEnter, inFunction, ofObject } = call;
  const places = maps.map(({ name }) => (index === undefined ? name : `${name}[${index}]`)).join(' or ');
  const begins = maps.flatMap(({ name, programs }) =>
    programs.flatMap((one) =>
      index === undefined || one.index === index ? [`${name}[${one.index}] = ${one.program}`] : [],
    ),
  );
  const object = begins.length === 0 ? `what is put into ${places}` : begins.join(', ');
  return [
    `may enter ${object}; of this object user space may put there ${ofObject.join(', ')}`,
    killedMayEnter
      ? 'a killed run may enter it, and the program there is not killed with this one'
      : 'a killed run enters no program here',
    ...(inFunction
      ? [
          'the call is in a function: a program that it entered comes back here; killed meanwhile, this program goes on once that one ends',
        ]
      : []),
  ];
}
