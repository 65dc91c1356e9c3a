/** Raw slots to bytes and back: 8 bytes a slot, little endian, registers as nibbles (dst low, src high). */
import { InputError } from './errors.js';
import type { Insn } from './insn.js';

/** Bytes of one slot. */
export const SLOT_BYTES = 8;

/** The bytes of a program, as bpf(2) and a little-endian ELF section hold them. */
export function toBytes(insns: readonly Insn[]): Uint8Array {
  const bytes = new Uint8Array(insns.length * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  insns.forEach((insn, index) => {
    const at = index * SLOT_BYTES;
    bytes[at] = insn.opcode;
    bytes[at + 1] = (insn.src << 4) | insn.dst;
    view.setInt16(at + 2, insn.off, true);
    view.setInt32(at + 4, insn.imm, true);
  });
  return bytes;
}

/** The slots in `bytes`; nothing is decoded or checked. Throws InputError unless the length is a multiple of 8. */
export function fromBytes(bytes: Uint8Array): Insn[] {
  if (bytes.length % SLOT_BYTES !== 0) {
    throw new InputError(`${bytes.length} bytes is not a whole number of insns (8 bytes each)`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / SLOT_BYTES }, (_, index) => {
    const at = index * SLOT_BYTES;
    const registers = view.getUint8(at + 1);
    return {
      opcode: view.getUint8(at),
      dst: registers & 0xf,
      src: registers >> 4,
      off: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    };
  });
}
