/**
 * What is known of a register while the stack accesses of a subprogram are worked out, before the walk: a constant, an address on the stack or
 * in an argument, a function, a map. Only constants and fixed offsets; the walk itself knows far more.
 */

/** The base of an address in the frame of the subprogram itself: its offset counts from the frame pointer. */
export const FRAME = -1;

/** Where a register points: `off` bytes from `base`, which is `FRAME` or, for 1 to 5, the argument in that register on entry. */
export interface Address {
  readonly base: number;
  readonly off: number;
}

/** What is known of a register. `other`: no address that matters here, or an address that is already counted as lost. */
export type Value =
  | { readonly kind: 'other' }
  | { readonly kind: 'constant'; readonly value: number }
  | ({ readonly kind: 'address' } & Address)
  | { readonly kind: 'func'; readonly start: number }
  | { readonly kind: 'map'; readonly map: number };

export const OTHER: Value = { kind: 'other' };

/** The number that a value is known to be, undefined for an address and for what is not known. */
export const constantOf = (value: Value): number | undefined =>
  value.kind === 'constant' ? value.value : undefined;

/** Whether the same is known of two registers. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'other':
      return true;
    case 'constant':
      return b.kind === 'constant' && a.value === b.value;
    case 'address':
      return b.kind === 'address' && a.base === b.base && a.off === b.off;
    case 'func':
      return b.kind === 'func' && a.start === b.start;
    case 'map':
      return b.kind === 'map' && a.map === b.map;
  }
}
