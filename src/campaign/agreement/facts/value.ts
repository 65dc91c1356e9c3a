/** Checks whether our value of a register covers Linux's. The kinds must be the same; our ranges may be wider. */
import type { MapDef, Program } from '../../../object/program.js';
import type { LogHold } from '../../../oracle/walk-log/held.js';
import type { LogValue } from '../../../oracle/walk-log/value.js';
import { scalarArithmetic } from '../../../verifier/scalar/alu.js';
import { constant, contains, isConst, type Scalar } from '../../../verifier/scalar/scalar.js';
import { format } from '../../../verifier/scalar/set.js';
import { ownedRef } from '../../../verifier/state/regs.js';
import type { Ref, Reg } from '../../../verifier/state/state.js';

/** How a value of ours fails to cover one of Linux's: it is of another kind, or narrower. */
export interface Mismatch {
  readonly what: 'kind' | 'narrower';
  readonly text: string;
}

/** The meaning of ids on both sides. */
export interface IdOrigins {
  readonly program: Program;
  /** Depth of the frame that is compared. */
  readonly depth: number;
  readonly ours: readonly Ref[];
  readonly theirs: ReadonlyMap<number, Pick<LogHold, 'kind' | 'at'>>;
}

type KindName = Pick<LogValue, 'type' | 'nullable' | 'struct'> & { readonly flags: string };

const BASE: Partial<Record<Reg['type'], string>> = {
  stack: 'fp',
  packet: 'pkt',
  packet_meta: 'pkt_meta',
  packet_end: 'pkt_end',
  record: 'mem',
  btf: 'ptr',
  object: 'ptr',
  dynptr: 'dynptr_ptr',
};

/** What bpf_rdonly_cast makes of type 0, for us a struct like any other: with the running kernel's BTF, and without. */
const VOID: ReadonlySet<string> = new Set(['void', 'btf_id 0']);

/** The kernel's name for our kind of value. */
function kernelName(reg: Reg): KindName {
  if (VOID.has(reg.struct))
    return { type: 'mem', nullable: reg.nullable, struct: '', flags: 'rdonly untrusted' };
  const named = reg.type === 'btf' || reg.type === 'object';
  const flags = [
    ...(reg.readonly ? ['rdonly'] : []),
    ...(reg.type === 'record' ? ['ringbuf'] : []),
    ...(reg.percpu ? ['percpu'] : []),
    // A pointer that owns a reference is trusted. Linux does not print that.
    ...(reg.trust === 'none' || (reg.trust === 'trusted' && reg.ref !== 0) ? [] : [reg.trust]),
  ];
  return {
    type: BASE[reg.type] ?? reg.type,
    nullable: reg.nullable,
    struct: named ? reg.struct : '',
    flags: flags.join(' '),
  };
}

const spellName = ({ flags, type, nullable, struct }: KindName): string =>
  [flags, type, nullable ? 'or_null' : '', struct].filter((word) => word !== '').join(' ');

/** Undefined where `ours` covers `theirs`. */
export function mismatch(ours: Reg, theirs: LogValue, origins: IdOrigins): Mismatch | undefined {
  const a = spellName(kernelName(ours));
  const b = spellName({ ...theirs, flags: theirs.flags.join(' ') });
  // A value that cannot be used may be anything.
  if (ours.type === 'uninit') return undefined;
  if (a !== b) return { what: 'kind', text: `we say ${a}, Linux ${b}` };
  if (ours.type === 'scalar') return rangeMismatch(ours.num, theirs.num, '');
  const other = pointerMismatch(ours, theirs, origins);
  if (other !== undefined) return { what: 'kind', text: `${a}: ${other}` };
  if (ours.range > theirs.range)
    return { what: 'narrower', text: `packet range ${ours.range}, Linux ${theirs.range}` };
  return rangeMismatch(ours.num, shifted(theirs.num, theirs.off - ours.off), 'offset ');
}

/** A variable offset, counted from a constant that is `by` less. An offset that is constant for Linux may be variable for us. */
const shifted = (num: Scalar, by: number): Scalar =>
  by === 0 ? num : scalarArithmetic.binary('add', 64, num, constant(BigInt(by)));

function rangeMismatch(ours: Scalar, theirs: Scalar, what: string): Mismatch | undefined {
  if (contains(ours, theirs)) return undefined;
  return { what: 'narrower', text: `${what}${format(ours)}, Linux ${format(theirs)}` };
}

function pointerMismatch(
  ours: Reg,
  theirs: LogValue,
  { program, depth, ours: refs, theirs: origins }: IdOrigins,
): string | undefined {
  if (ours.off !== theirs.off && isConst(ours.num)) return `offset ${ours.off}, Linux ${theirs.off}`;
  if (ours.type === 'stack' && ours.frame !== (theirs.frame ?? depth))
    return `frame ${ours.frame}, Linux ${theirs.frame ?? depth}`;
  const map = ours.map >= 0 ? program.maps[ours.map] : undefined;
  if (map !== undefined && !isMap(map, theirs)) return `map ${map.name}, Linux ${theirs.map}`;
  if (theirs.size >= 0 && !VOID.has(ours.struct) && ours.size !== theirs.size)
    return `size ${ours.size}, Linux ${theirs.size}`;
  if (ours.nonOwning !== theirs.nonOwning) return `${ours.nonOwning ? '' : 'not '}non-owning`;
  const by = refs.find((ref) => ref.id === ours.ref && ref.kind === 'pointer')?.at;
  const theirBy = origins.get(theirs.ref)?.at;
  // A slice is bound to its dynptr. Linux does not print the dynptr's reference again.
  if (ours.dynptr !== 0 && theirs.ref === 0) return undefined;
  if ((ownedRef(ours) === 0) !== (theirs.ref === 0)) return `reference ${ours.ref}, Linux ${theirs.ref}`;
  if (by !== theirBy) return `acquired at ${by}, Linux ${theirBy}`;
  return undefined;
}

/** Linux keeps the first fifteen characters of a map's name, without invalid ones. */
function isMap(map: MapDef, { map: name, keySize, valueSize }: LogValue): boolean {
  return map.keySize === keySize && map.valueSize === valueSize && (name === '' || map.name.startsWith(name));
}
