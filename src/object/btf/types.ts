/** BTF types as values: what the reader gives and the writer takes. Follows include/uapi/linux/btf.h. */

export interface Member {
  /** Empty for an anonymous struct or union inside. */
  readonly name: string;
  readonly type: number;
  /** From the start of the struct. */
  readonly bitOffset: number;
  /** 0 for a member that is not a bit field. */
  readonly bitSize: number;
}

/** A parameter of a function type: its name and the id of its type. */
export interface Param {
  readonly name: string;
  /** 0 for the `...` of a variadic function. */
  readonly type: number;
}

/** A variable in a data section: id of its VAR, place and size in bytes. */
export interface SectionVar {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

export type FuncLinkage = 'static' | 'global' | 'extern';

/** In the order of their numbers in BTF. */
export const FUNC_LINKAGES: readonly FuncLinkage[] = ['static', 'global', 'extern'];

/** A struct or union and where its members lie. */
export interface Composite {
  readonly kind: 'struct' | 'union';
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly members: readonly Member[];
}

/** One type. A `type` is the id of another type of the same BTF; 0 is void. Sizes are in bytes unless they say bits. */
export type BtfType =
  | { readonly kind: 'void' }
  | {
      readonly kind: 'int';
      readonly name: string;
      readonly size: number;
      readonly bits: number;
      readonly bitOffset: number;
      readonly encoding: 'unsigned' | 'signed' | 'char' | 'bool';
    }
  | { readonly kind: 'float'; readonly name: string; readonly size: number }
  | { readonly kind: 'ptr'; readonly type: number }
  | { readonly kind: 'array'; readonly element: number; readonly index: number; readonly count: number }
  | Composite
  | {
      readonly kind: 'enum';
      readonly name: string;
      readonly size: number;
      readonly signed: boolean;
      readonly values: readonly { readonly name: string; readonly value: number }[];
    }
  | {
      readonly kind: 'enum64';
      readonly name: string;
      readonly size: number;
      readonly signed: boolean;
      readonly values: readonly { readonly name: string; readonly value: bigint }[];
    }
  | { readonly kind: 'fwd'; readonly name: string; readonly of: 'struct' | 'union' }
  | { readonly kind: 'typedef'; readonly name: string; readonly type: number }
  | { readonly kind: 'volatile' | 'const' | 'restrict'; readonly type: number }
  | { readonly kind: 'func'; readonly name: string; readonly type: number; readonly linkage: FuncLinkage }
  | { readonly kind: 'func_proto'; readonly returns: number; readonly params: readonly Param[] }
  /** Linkage 0 static, 1 allocated global, 2 extern. */
  | { readonly kind: 'var'; readonly name: string; readonly type: number; readonly linkage: number }
  | {
      readonly kind: 'datasec';
      readonly name: string;
      readonly size: number;
      readonly vars: readonly SectionVar[];
    }
  /** `component`: index of the member or parameter that is tagged, -1 for the type itself. `attribute`: the tag is a C attribute. */
  | {
      readonly kind: 'decl_tag';
      readonly name: string;
      readonly type: number;
      readonly component: number;
      readonly attribute: boolean;
    }
  | { readonly kind: 'type_tag'; readonly name: string; readonly type: number; readonly attribute: boolean };

/** What a BTF type is: `int`, `ptr`, `struct` and so on, after the BTF_KIND_* constants. */
export type BtfKind = BtfType['kind'];

/** In the order of their numbers in BTF (BTF_KIND_UNKN is void). */
export const BTF_KINDS: readonly BtfKind[] = [
  'void',
  'int',
  'ptr',
  'array',
  'struct',
  'union',
  'enum',
  'fwd',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'func',
  'func_proto',
  'var',
  'datasec',
  'float',
  'decl_tag',
  'type_tag',
  'enum64',
];

export const BTF_MAGIC = 0xeb9f;
/** Bytes of the header that this version writes. */
export const BTF_HEADER_SIZE = 24;
