/** Which programs of an object may be in one map of programs, and so be entered by a tail call from each other. */
import type { Program } from './program.js';

/** Types whose programs share a map only if they attach to the same function. */
const BY_TARGET: ReadonlySet<Program['type']> = new Set(['tp_btf', 'iter', 'fentry', 'lsm', 'struct_ops']);

const hasFragments = ({ section = '' }: Program): boolean => /^\??xdp\.frags(?:\/|$)/.test(section);

/**
 * Whether a tail call of `from` may enter `to`, as far as any kernel allows it: what __bpf_prog_map_compatible of Linux has asked of a map's programs
 * since 5.18. Later kernels also compare attach types and whether both sleep; that is not asked here, so that no program is missed.
 */
export function mayEnter(from: Program, to: Program): boolean {
  return (
    from.type === to.type &&
    hasFragments(from) === hasFragments(to) &&
    (!BY_TARGET.has(from.type) || from.attach?.target === to.attach?.target)
  );
}
