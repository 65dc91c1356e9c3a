/**
 * A function by which a program names a termination point itself: it is killed when the call returns. No kernel has it; the authors of the fast
 * path use it in their programs. Here the call does nothing. Whoever kills may ask where it was made.
 */
import type { DeclaredFunction } from '../object/program.js';
import { declare } from './declare/declare.js';

/** Its name, in programs and in messages. */
export const DIE = 'bpf_die_kfunc';

let declaration: DeclaredFunction | undefined;

/** The function as it would be declared in a file: programs of every type may call it. */
export function dieDeclaration(): DeclaredFunction {
  declaration ??= declare('kfunc', { proto: `void ${DIE}(void)`, flags: [], types: 'all', blocks: false });
  return declaration;
}

/** Slots of a program's calls of it. */
export function dieCalls({
  ops,
  contracts,
}: {
  readonly ops: readonly unknown[];
  readonly contracts: readonly ({ readonly name: string } | undefined)[];
}): ReadonlySet<number> {
  return new Set(ops.flatMap((_, slot) => (contracts[slot]?.name === DIE ? [slot] : [])));
}
