/** BTF in the kernel: loading a program's own, and finding the ids of the kernel's functions (kfuncs). */
import { existsSync, readFileSync } from 'node:fs';
import { Btf } from '../object/btf/read.js';
import type { BtfKind } from '../object/btf/types.js';
import { kernelTypes } from '../object/kernel/types.js';
import type { KernelTypes, Program } from '../object/program.js';
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

let opened: Btf | undefined;
let shows: boolean | undefined;

/** Whether the running kernel shows its BTF. One that does not lets no program call a kfunc, nor attach to what is named by BTF. */
export function kernelShowsBtf(): boolean {
  shows ??= existsSync(KERNEL_BTF);
  return shows;
}

const known = new Map<string, number | undefined>();

/** The id of a type of this kind and name in the running kernel's own BTF, or undefined. Read once, then cached. */
export function kernelTypeId(name: string, kind: BtfKind): number | undefined {
  const key = `${kind} ${name}`;
  if (known.has(key)) return known.get(key);
  const id = kernelBtf().find(name, kind);
  known.set(key, id);
  return id;
}

/**
 * The id of a kernel function in the running kernel's own BTF, or undefined if it has none of that name (a kfunc
 * of a module is not there either). Read once, then cached. Throws KernelError when the kernel shows no BTF.
 */
export function kernelFunctionId(name: string): number | undefined {
  return kernelTypeId(name, 'func');
}

let structs: KernelTypes | undefined;

/** The structs of the running kernel, for `Program.kernelTypes`. Throws KernelError when the kernel shows no BTF. */
export function runningKernelTypes(): KernelTypes {
  structs ??= kernelTypes(kernelBtf());
  return structs;
}

/** What a program is given to be verified with the structs of the running kernel: nothing where it does not show them. */
export function withRunningTypes(): Pick<Program, 'kernelTypes'> {
  return kernelShowsBtf() ? { kernelTypes: runningKernelTypes() } : {};
}

/** The types of the running kernel. Read once. Throws KernelError when the kernel shows no BTF. */
export function kernelBtf(): Btf {
  opened ??= openKernelBtf();
  return opened;
}

function openKernelBtf(): Btf {
  let bytes: Buffer;
  try {
    bytes = readFileSync(KERNEL_BTF);
  } catch (error) {
    throw new KernelError(`read ${KERNEL_BTF}`, (error as NodeJS.ErrnoException).code ?? 'EIO');
  }
  return new Btf(bytes, KERNEL_BTF, 'the BTF of the kernel');
}
