/** BTF in the kernel: loading a program's own, and finding the ids of the kernel's functions (kfuncs). */
import { readFileSync } from 'node:fs';
import { Attr, BpfCmd, bpf, errnoName, KernelError } from './syscall.js';

const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

/**
 * Loads BTF bytes; returns the descriptor, which the caller closes. Throws KernelError, with the last line of the
 * kernel's complaint, when it refuses them.
 */
export function loadBtf(bytes: Uint8Array): number {
  const plain = new Attr(40).pointer(0, bytes).u32(16, bytes.length);
  const fd = bpf(BpfCmd.btfLoad, plain);
  if (fd >= 0) return fd;
  const log = Buffer.alloc(1 << 16);
  const telling = new Attr(40)
    .pointer(0, bytes)
    .u32(16, bytes.length)
    .pointer(8, log)
    .u32(20, log.length)
    .u32(24, 1);
  const again = bpf(BpfCmd.btfLoad, telling);
  if (again >= 0) return again;
  const end = log.indexOf(0);
  const lines = log
    .toString('latin1', 0, end < 0 ? log.length : end)
    .split('\n')
    .filter((line) => line.trim() !== '');
  throw new KernelError('load BTF', errnoName(fd), lines.at(-1) ?? '');
}

/** Bytes that follow the 12-byte head of a type, by kind (include/uapi/linux/btf.h); `each` is per member. */
const TAIL: readonly { readonly fixed: number; readonly each: number }[] = [
  { fixed: 0, each: 0 }, // 0 void
  { fixed: 4, each: 0 }, // 1 int
  { fixed: 0, each: 0 }, // 2 pointer
  { fixed: 12, each: 0 }, // 3 array
  { fixed: 0, each: 12 }, // 4 struct
  { fixed: 0, each: 12 }, // 5 union
  { fixed: 0, each: 8 }, // 6 enum
  { fixed: 0, each: 0 }, // 7 forward
  { fixed: 0, each: 0 }, // 8 typedef
  { fixed: 0, each: 0 }, // 9 volatile
  { fixed: 0, each: 0 }, // 10 const
  { fixed: 0, each: 0 }, // 11 restrict
  { fixed: 0, each: 0 }, // 12 function
  { fixed: 0, each: 8 }, // 13 prototype
  { fixed: 4, each: 0 }, // 14 variable
  { fixed: 0, each: 12 }, // 15 data section
  { fixed: 0, each: 0 }, // 16 float
  { fixed: 4, each: 0 }, // 17 declaration tag
  { fixed: 0, each: 0 }, // 18 type tag
  { fixed: 0, each: 12 }, // 19 enum64
];
const KIND_FUNC = 12;

/**
 * The ids of all functions in BTF bytes, by the offset of their name. Only functions are looked at: the kernel's BTF
 * has some 126,000 types, and this walk takes a few milliseconds where reading them all takes a fifth of a second.
 */
class FunctionIds {
  private readonly idByName = new Map<number, number>();
  private readonly strings: Buffer;

  constructor(bytes: Buffer) {
    if (bytes.length < 24 || bytes.readUInt16LE(0) !== 0xeb9f)
      throw new KernelError('read kernel BTF', 'EINVAL', 'no BTF header');
    const header = bytes.readUInt32LE(4);
    const from = header + bytes.readUInt32LE(8);
    const until = from + bytes.readUInt32LE(12);
    const stringsFrom = header + bytes.readUInt32LE(16);
    this.strings = bytes.subarray(stringsFrom, stringsFrom + bytes.readUInt32LE(20));
    let id = 1;
    for (let at = from; at + 12 <= until; id++) {
      const info = bytes.readUInt32LE(at + 4);
      const kind = (info >>> 24) & 0x1f;
      const tail = TAIL[kind];
      if (tail === undefined)
        throw new KernelError('read kernel BTF', 'EINVAL', `type ${id} has unknown kind ${kind}`);
      if (kind === KIND_FUNC) {
        const name = bytes.readUInt32LE(at);
        if (!this.idByName.has(name)) this.idByName.set(name, id);
      }
      at += 12 + tail.fixed + tail.each * (info & 0xffff);
    }
  }

  find(name: string): number | undefined {
    // Every string but the first (empty) one stands between two zero bytes, and each only once.
    const at = this.strings.indexOf(`\0${name}\0`, 0, 'latin1');
    return at < 0 ? undefined : this.idByName.get(at + 1);
  }
}

let functions: FunctionIds | undefined;
const known = new Map<string, number | undefined>();

/**
 * The id of a kernel function in the running kernel's own BTF, or undefined if it has none of that name (a kfunc
 * of a module is not there either). Read once, then cached. Throws KernelError when the kernel shows no BTF.
 */
export function kernelFunctionId(name: string): number | undefined {
  if (known.has(name)) return known.get(name);
  if (functions === undefined) {
    let bytes: Buffer;
    try {
      bytes = readFileSync(KERNEL_BTF);
    } catch (error) {
      throw new KernelError(`read ${KERNEL_BTF}`, (error as NodeJS.ErrnoException).code ?? 'EIO');
    }
    functions = new FunctionIds(bytes);
  }
  const id = functions.find(name);
  known.set(name, id);
  return id;
}
