/** The members of a context, and functions with which its layout is written down. */

/** What a load from the context yields. `_or_null`: may be NULL; so may `sock_common`. */
export type ContextValue =
  | 'scalar'
  | 'packet'
  | 'packet_end'
  | 'packet_meta'
  | 'sock_common'
  | 'sock'
  | 'sock_or_null'
  | 'flow_keys'
  | 'tp_buffer'
  | 'btf';

/** A member of a context struct. Offsets and sizes in bytes. */
export interface ContextMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly value: ContextValue;
  /**
   * Sizes that a load may have, at offsets that are multiples of it. Narrow loads inside a member are allowed where the kernel
   * rewrites them.
   */
  readonly reads: readonly number[];
  /** Sizes that a store may have; none: the member is read-only. */
  readonly writes: readonly number[];
  /** Only programs with one of these attach types (enum bpf_attach_type) may read it. */
  readonly readBy?: ReadonlySet<number>;
  /** Only programs with one of these attach types may write it. */
  readonly writeBy?: ReadonlySet<number>;
  /**
   * Loads of less than the whole member must lie in its first `pieces` bytes (the rest is padding). `start`: they must begin where the
   * member does.
   */
  readonly pieces?: number | 'start';
  /** For `btf`: the kernel struct that it points to. */
  readonly struct?: string;
}

/** Contexts without members: a range of bytes that takes any aligned access. `from` inclusive, `to` exclusive. */
export interface ContextBytes {
  readonly from: number;
  readonly to: number;
  readonly writable: boolean;
}

export const NARROW: readonly number[] = [1, 2, 4];
export const WORD: readonly number[] = [4];
export const LONG: readonly number[] = [8];
export const NONE: readonly number[] = [];

/**
 * One member of a context. `offset` and `size` are in bytes; `reads` and `writes` are the access sizes that the verifier allows there,
 * in bytes.
 */
export function member(
  name: string,
  offset: number,
  size: number,
  reads: readonly number[],
  writes: readonly number[] = NONE,
  value: ContextValue = 'scalar',
): ContextMember {
  return { name, offset, size, value, reads, writes };
}

/** Members of four bytes each, one after the other from `offset`. */
export function words(offset: number, names: string, reads: readonly number[] = WORD): ContextMember[] {
  return names.split(' ').map((name, i) => member(name, offset + 4 * i, 4, reads));
}

/** The same members, those named in `writes` with sizes that a store may have. */
export function writable(
  members: readonly ContextMember[],
  writes: Readonly<Record<string, readonly number[]>>,
): ContextMember[] {
  return members.map((m) => ({ ...m, writes: writes[m.name] ?? m.writes }));
}

/** The same members without those named. */
export function without(members: readonly ContextMember[], names: string): ContextMember[] {
  const gone = new Set(names.split(' '));
  return members.filter((m) => !gone.has(m.name));
}

/** The same members, with those named allowed for some attach types only: for loads, and for stores if there are any. */
export function onlyFor(
  members: readonly ContextMember[],
  names: string,
  attach: readonly number[],
): ContextMember[] {
  const meant = new Set(names.split(' '));
  const by = new Set(attach);
  return members.map((m) => (meant.has(m.name) ? { ...m, readBy: by, writeBy: by } : m));
}
