/** The tail calls of a program: which programs each may enter, and whether a killed run still makes it. */
import type { Contract } from '../kernel/contract.js';
import type { ArrayEntry, Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import { landingAt } from '../patch/unwinding.js';
import type { Facts } from '../verifier/result.js';
import { constValue, isConst } from '../verifier/scalar/scalar.js';
import { frameOf, type Reg } from '../verifier/state/state.js';
import type { Code } from '../verifier/text/code.js';
import type { Visit } from '../verifier/walk/visit.js';

/** A call that may go on in another program. */
export interface TailCall {
  readonly slot: number;
  readonly function: string;
  /** The maps that the program to enter may come from, each with what the object puts into it. User space may put other programs there. */
  readonly maps: readonly { readonly name: string; readonly programs: readonly ArrayEntry[] }[];
  /** The index in the map, where all runs have the same. */
  readonly index?: number;
  /** A killed run still makes the call. So it may enter another program, which is not killed with this one. */
  readonly killedMayEnter: boolean;
  /** The call is in a function. A program that it enters comes back to the caller of this function, so a kill may come while that program runs. */
  readonly inFunction: boolean;
}

/** The function may go on in another program. */
export const entersProgram = ({ outcomes }: Contract): boolean =>
  outcomes.some(({ effects }) => effects.some(({ kind }) => kind === 'tail_call'));

/** The reachable tail calls by slot. `facts`: those of normal runs and those of killed runs. A killed run may be at any of them. */
export function tailCalls(
  program: Program,
  code: Code,
  facts: readonly Facts[],
  path: FastPath,
): readonly TailCall[] {
  return code.contracts.flatMap((contract, slot): TailCall[] => {
    if (contract === undefined || !entersProgram(contract)) return [];
    const visits = facts.flatMap((one) => one.at(slot));
    if (visits.length === 0) return [];
    const index = indexAt(visits, contract);
    return [
      {
        slot,
        function: contract.name,
        maps: mapsAt(program, visits, contract),
        ...(index !== undefined && { index }),
        killedMayEnter:
          !path.stubs.has(slot) &&
          visits.some(({ state }) => landingAt(path, code.ops, slot, state) !== 'pad'),
        inFunction: visits.some(({ state }) => frameOf(state).subprog !== 0),
      },
    ];
  });
}

/** What is known of the map in each state, or of what is `behind` arguments behind it; empty where the function takes no map. */
function mapArguments(visits: readonly Visit[], { args }: Contract, behind: number): readonly Reg[] {
  const at = args.findIndex(({ kind }) => kind === 'map');
  return at < 0 || at + behind >= args.length
    ? []
    : visits.map(({ state }) => frameOf(state).regs[at + behind + 1]!);
}

function mapsAt(program: Program, visits: readonly Visit[], contract: Contract): TailCall['maps'] {
  const indexes = new Set(mapArguments(visits, contract, 0).map(({ map }) => map));
  return [...indexes].flatMap((index) => {
    const map = program.maps[index];
    return map === undefined ? [] : [{ name: map.name, programs: map.programs ?? [] }];
  });
}

/** The kernel takes the low half of the number as an index. */
function indexAt(visits: readonly Visit[], contract: Contract): number | undefined {
  const regs = mapArguments(visits, contract, 1);
  if (regs.length === 0 || !regs.every(({ type, num }) => type === 'scalar' && isConst(num)))
    return undefined;
  const indexes = new Set(regs.map(({ num }) => Number(BigInt.asUintN(32, constValue(num)))));
  return indexes.size === 1 ? [...indexes][0] : undefined;
}

/** The programs that the object itself puts where the call looks. */
export const programsToEnter = ({ maps, index }: TailCall): readonly string[] => [
  ...new Set(
    maps.flatMap(({ programs }) =>
      programs.flatMap((one) => (index === undefined || one.index === index ? [one.program] : [])),
    ),
  ),
];
