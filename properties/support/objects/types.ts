/** A kernel's BTF, made up: the types that the samples read, laid out as a test wants them. */

import type { BtfType, Member } from '../../../src/object/btf/types.js';
import { BtfWriter } from '../../../src/object/btf/write.js';

export const UINT: BtfType = {
  kind: 'int',
  name: 'unsigned int',
  size: 4,
  bits: 32,
  bitOffset: 0,
  encoding: 'unsigned',
};
export const INT: BtfType = { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' };

export interface Field {
  readonly name: string;
  readonly type: number;
  readonly size: number;
}

/** A struct with `fields` one behind the other, each after `gap` bytes. */
export function layOut(name: string, fields: readonly Field[], gap = 0): BtfType {
  const members: Member[] = [];
  let at = 0;
  for (const field of fields) {
    at += gap;
    members.push({ name: field.name, type: field.type, bitOffset: at * 8, bitSize: 0 });
    at += field.size;
  }
  return { kind: 'struct', name, size: at, members };
}

/** BTF bytes of these types; the first has id 1. */
export function btfOf(types: readonly BtfType[]): Uint8Array {
  const writer = new BtfWriter();
  for (const type of types) writer.add(type);
  return writer.bytes();
}
