/**
 * A generated program is a tree of fragments. A fragment can write itself as insns at any place: its opening code, then the fragments
 * nested in it, then its closing code. If it needs something that is not available there (a lock is held, the stack is full), it leaves
 * itself out. So every tree makes a valid program, and fast-check may drop or simplify any part of one while it shrinks.
 */
import fc from 'fast-check';
import type { Compiler } from './compile/compiler.js';

/** One node of the tree that a program is made from. */
export interface Fragment {
  /** What it is, for people: `acquire bpf_task_from_pid`. */
  readonly name: string;
  /** Fragments nested in it, in order. */
  readonly body: readonly Fragment[];
  /** Writes it. Throws `Elided` when it cannot stand there; the nested fragments are then written in its place. */
  emit(c: Compiler): void;
}

/** Writes something around what is nested in it. */
export type Write = (c: Compiler, inner: () => void) => void;

/**
 * Makes a fragment from the fragments nested in it and from `emit`, which writes its insns and calls for the nested ones. `name` is
 * for reading and coverage.
 */
export function fragment(name: string, body: readonly Fragment[], emit: (c: Compiler) => void): Fragment {
  return { name, body, emit };
}

/** The tree as an indented outline, one fragment a line. */
export function outline(body: readonly Fragment[], indent = ''): string {
  return body.map((node) => `${indent}${node.name}\n${outline(node.body, `${indent}  `)}`).join('');
}

/** Number of fragments in a tree. */
export function countFragments(body: readonly Fragment[]): number {
  return body.reduce((sum, node) => sum + 1 + countFragments(node.body), 0);
}

/**
 * A fragment that may shrink to the fragments nested in it: the wrapper is there in all but one of 64 draws, and fast-check tries
 * first to do without it.
 */
export function hollowable(wrapped: fc.Arbitrary<Fragment>): fc.Arbitrary<Fragment> {
  return fc
    .tuple(fc.nat({ max: 63 }), wrapped)
    .map(([there, node]) => (there > 0 || node.body.length === 0 ? node : sequence(node.body)));
}

/** Fragments one after the other, with no code of their own. */
export function sequence(body: readonly Fragment[]): Fragment {
  return fragment('sequence', body, (c) => c.body(body));
}
