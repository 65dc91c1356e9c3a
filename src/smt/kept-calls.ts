/** Lists the calls that the rules keep and that may delay a killed run. A count of insns does not show these delays. */
import type { Contract } from '../kernel/contract.js';
import { type Delay, delaysOf } from '../kernel/delays.js';
import type { KernelProfile } from '../kernel/profile.js';
import type { MapType, Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import { landingAt } from '../patch/unwinding.js';
import type { Facts } from '../verifier/result.js';
import { frameOf } from '../verifier/state/state.js';
import type { Code } from '../verifier/text/code.js';

/** A call that a killed run still makes, and the ways in which it may take long: sleep, spin, and others. */
export interface KeptCall {
  readonly slot: number;
  readonly function: string;
  /** At least one. */
  readonly may: readonly Delay[];
}

/** The kept calls by slot. `facts`: those of normal runs and those of killed runs. */
export function keptCalls(
  program: Program,
  code: Code,
  facts: readonly Facts[],
  path: FastPath,
  kernel: KernelProfile,
): KeptCall[] {
  return code.contracts.flatMap((contract, slot): KeptCall[] => {
    if (contract === undefined || path.stubs.has(slot)) return [];
    const all = facts.flatMap((one) => one.at(slot));
    // States need not be looked at where no call ends in a pad, and none is given a map.
    const visits =
      path.unwinds === undefined
        ? all
        : all.filter(({ state }) => landingAt(path, code.ops, slot, state) !== 'pad');
    const types = new Set(
      contract.args.some(({ kind }) => kind === 'map')
        ? visits.map(({ state }) => mapTypeOf(program, contract, frameOf(state).regs))
        : visits.slice(0, 1).map(() => undefined),
    );
    const may = new Set([...types].flatMap((type) => delaysOf(contract, type, kernel)));
    return may.size === 0 ? [] : [{ slot, function: contract.name, may: [...may] }];
  });
}

/** The type of the map that a call is given; undefined if it takes none. */
function mapTypeOf(
  program: Program,
  { args }: Contract,
  regs: readonly { readonly map: number }[],
): MapType | undefined {
  const index = args.findIndex(({ kind }) => kind === 'map');
  return index < 0 ? undefined : program.maps[regs[index + 1]!.map]?.type;
}
