/** The types of the running kernel, as its BTF has them: enum values, places of members, prototypes in C. */
import { readFileSync } from 'node:fs';
import { cType, type Prototype, prototypeOf } from '../../../src/object/btf/declare.js';
import { Btf } from '../../../src/object/btf/read.js';
import type { Member } from '../../../src/object/btf/types.js';

const FILE = '/sys/kernel/btf/vmlinux';

let opened: Btf | undefined;
/** Read once. Throws where the kernel does not show its types. */
function kernel(): Btf {
  opened ??= new Btf(readFileSync(FILE), FILE, 'the BTF of the kernel');
  return opened;
}

/** Values of an enum by name; of a nameless one, if `name` is the name of one of its values. */
export function enumValues(name: string): ReadonlyMap<string, number> {
  const btf = kernel();
  const named = btf.find(name, 'enum');
  const ids = named === undefined ? btf.idsByPrefix('', ['enum']) : [named];
  for (const id of ids) {
    const type = btf.type(id);
    if (type.kind !== 'enum') continue;
    if (named !== undefined || (type.name === '' && type.values.some((value) => value.name === name)))
      return new Map(type.values.map((value) => [value.name, value.value]));
  }
  throw new Error(`the kernel has no enum ${name}`);
}

/** Bytes of a struct; undefined where the kernel has none of that name. */
export function structSize(name: string): number | undefined {
  const id = kernel().find(name, 'struct');
  const type = id === undefined ? undefined : kernel().type(id);
  return type?.kind === 'struct' ? type.size : undefined;
}

/** Where in the struct a member is, in bytes: `cb`, `args[1]`, also inside nameless unions. Undefined where there is none. */
export function memberPlace(
  struct: string,
  member: string,
): { readonly offset: number; readonly size: number } | undefined {
  const id = kernel().find(struct, 'struct');
  const [, name, index] = /^(\w+)(?:\[(\d+)\])?$/.exec(member) ?? [];
  if (id === undefined || name === undefined) return undefined;
  const found = findMember(id, name, 0);
  if (found === undefined) return undefined;
  const type = kernel().type(plain(found.type));
  if (index === undefined || type.kind !== 'array') return { offset: found.offset, size: sizeOf(found.type) };
  const size = sizeOf(type.element);
  return { offset: found.offset + Number(index) * size, size };
}

/** Names of a struct's members, those of nameless unions among them. */
export function memberTypes(struct: string): ReadonlyMap<string, string> {
  const id = kernel().find(struct, 'struct');
  const type = id === undefined ? undefined : kernel().type(id);
  if (type?.kind !== 'struct') return new Map();
  return new Map(type.members.map((m) => [m.name, cType(kernel(), m.type)]));
}

function findMember(
  id: number,
  name: string,
  base: number,
): { readonly offset: number; readonly type: number } | undefined {
  const type = kernel().type(id);
  if (type.kind !== 'struct' && type.kind !== 'union') return undefined;
  for (const { name: each, type: of, bitOffset } of type.members as readonly Member[]) {
    const offset = base + bitOffset / 8;
    if (each === name) return { offset, type: of };
    const inside = each === '' ? findMember(plain(of), name, offset) : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** Without typedefs and qualifiers. */
function plain(id: number): number {
  const type = kernel().type(id);
  switch (type.kind) {
    case 'typedef':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return plain(type.type);
    default:
      return id;
  }
}

function sizeOf(id: number): number {
  const type = kernel().type(plain(id));
  if (type.kind === 'ptr') return 8;
  if (type.kind === 'array') return type.count * sizeOf(type.element);
  return 'size' in type ? type.size : 0;
}

/** Return type and parameters of a function; undefined where the kernel has none of that name. */
export const prototype = (name: string): Prototype | undefined => prototypeOf(kernel(), name);
