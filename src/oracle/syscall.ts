/**
 * The bpf(2) system call, by way of koffi: attributes as bytes, errors as names.
 *
 * koffi is loaded at the first call and not before, so that a machine without its binary, or without Linux, can
 * run everything that does not need a kernel.
 */
import { closeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { InputError } from '../isa/errors.js';

/** Commands of bpf(2) that are used here (enum bpf_cmd, include/uapi/linux/bpf.h). */
export const BpfCmd = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  mapNextKey: 4,
  progLoad: 5,
  objGet: 7,
  progTestRun: 10,
  infoByFd: 15,
  btfLoad: 18,
  mapFreeze: 22,
  enableStats: 32,
} as const;

/** The first argument of bpf(2) (enum bpf_cmd), as far as swansong uses it. */
export type BpfCmdNumber = (typeof BpfCmd)[keyof typeof BpfCmd];

interface Numbers {
  readonly bpf: number;
  readonly capget: number;
  readonly capset: number;
}

/** System call numbers by Node's name of the machine. Only 64-bit little-endian machines: insns are laid out for those. */
const SYSCALLS: Readonly<Record<string, Numbers>> = {
  x64: { bpf: 321, capget: 125, capset: 126 },
  arm64: { bpf: 280, capget: 90, capset: 91 },
  riscv64: { bpf: 280, capget: 90, capset: 91 },
  loong64: { bpf: 280, capget: 90, capset: 91 },
};

interface Native {
  readonly numbers: Numbers;
  readonly call: (nr: number, a: number, b: Buffer, c: number) => number | bigint;
  /** The same on another thread; tells minus the error number through `done`. */
  readonly callAside: (nr: number, a: number, b: Buffer, c: number, done: (result: number) => void) => void;
  readonly pair: (nr: number, a: Buffer, b: Buffer) => number | bigint;
  readonly mmap: (
    hint: number,
    length: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ) => number | bigint;
  readonly munmap: (address: bigint, length: number) => number;
  readonly copyOut: (to: Buffer, from: bigint, length: number) => void;
  readonly copyIn: (to: bigint, from: Uint8Array, length: number) => void;
  readonly errno: () => number;
  readonly address: (buffer: Uint8Array) => bigint;
}

let native: Native | undefined;
let refusal: string | undefined;

/** Why the system call cannot even be tried on this machine, or undefined when it can. Loads koffi. */
export function bindingRefusal(): string | undefined {
  if (native !== undefined || refusal !== undefined) return refusal;
  const numbers = SYSCALLS[process.arch];
  if (process.platform !== 'linux') refusal = `bpf(2) needs Linux, this is ${process.platform}`;
  else if (numbers === undefined) refusal = `no bpf(2) system call number known for ${process.arch}`;
  else {
    try {
      native = bind(numbers);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      refusal = `koffi cannot be loaded: ${text.split('\n')[0]}`;
    }
  }
  return refusal;
}

function bind(numbers: Numbers): Native {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  // The process itself: node is linked to its libc, whichever that is.
  const libc = koffi.load(null);
  const call = libc.func('syscall', 'long', ['long', 'long', 'void *', 'long']);
  return {
    numbers,
    call,
    callAside: (nr, a, b, c, done) => {
      call.async(nr, a, b, c, (error: unknown, result: number | bigint) => {
        const value = error === null || error === undefined ? Number(result) : -1;
        done(value < 0 ? -Math.max(1, koffi.errno()) : value);
      });
    },
    pair: libc.func('syscall', 'long', ['long', 'void *', 'void *']),
    mmap: libc.func('mmap', 'long', ['long', 'long', 'int', 'int', 'int', 'long']),
    munmap: libc.func('munmap', 'int', ['long', 'long']),
    // Twice the same function: the side that is a bare address is passed as a number.
    copyOut: libc.func('memcpy', 'void', ['void *', 'long', 'long']),
    copyIn: libc.func('memcpy', 'void', ['long', 'void *', 'long']),
    errno: () => koffi.errno(),
    address: (buffer) => koffi.address(buffer),
  };
}

function bound(): Native {
  if (native !== undefined) return native;
  const reason = bindingRefusal();
  if (native === undefined) throw new InputError(`no kernel to ask: ${reason}`);
  return native;
}

/**
 * The attribute block of one bpf(2) call. It holds on to every buffer whose address it contains, so that none is
 * collected while the kernel reads or writes it.
 */
export class Attr {
  readonly bytes: Buffer;
  private readonly held: Uint8Array[] = [];

  /** `size` in bytes. A kernel that knows fewer bytes takes the block as long as the rest is zero. */
  constructor(size: number) {
    this.bytes = Buffer.alloc(size);
  }

  u32(offset: number, value: number): this {
    this.bytes.writeUInt32LE(value >>> 0, offset);
    return this;
  }

  u64(offset: number, value: bigint): this {
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), offset);
    return this;
  }

  /** The address of `buffer`, which must not be empty: an empty one has none, and the field stays 0. */
  pointer(offset: number, buffer: Uint8Array): this {
    if (buffer.length === 0) return this;
    this.held.push(buffer);
    return this.u64(offset, bound().address(buffer));
  }

  /** A name of a map or program: at most 15 bytes of what the kernel takes, others become `_` (bpf_obj_name_cpy). */
  name(offset: number, text: string): this {
    this.bytes.write(text.replace(/[^A-Za-z0-9_.]/g, '_').slice(0, 15), offset, 'latin1');
    return this;
  }

  /** How many buffers are held; reading it after a call keeps them alive until then. */
  get holds(): number {
    return this.held.length;
  }
}

/**
 * Calls bpf(2). Returns the result (a file descriptor or 0), or minus the error number.
 * Throws InputError where the system call cannot be made at all (see `bindingRefusal`).
 */
export function bpf(cmd: BpfCmdNumber, attr: Attr): number {
  const lib = bound();
  const result = Number(lib.call(lib.numbers.bpf, cmd, attr.bytes, attr.bytes.length));
  const code = result < 0 ? -lib.errno() : result;
  // The last use of `attr`, after the call: what it points to was not collected meanwhile.
  return attr.holds < 0 ? 0 : code;
}

/**
 * The same on a thread beside: this one goes on meanwhile. For test runs that another is to end. The promise is kept with the result, or minus
 * the error number.
 */
export async function bpfAside(cmd: BpfCmdNumber, attr: Attr): Promise<number> {
  const lib = bound();
  const result = await new Promise<number>((done) => {
    lib.callAside(lib.numbers.bpf, cmd, attr.bytes, attr.bytes.length, done);
  });
  return attr.holds < 0 ? 0 : result;
}

const NAMES = new Map<number, string>(Object.entries(constants.errno).map(([name, code]) => [code, name]));
// The kernel's own, which user space never sees in <errno.h> but bpf(2) returns all the same.
NAMES.set(524, 'ENOTSUPP');
// Two names for one number: the kernel's documents use these.
NAMES.set(constants.errno.EAGAIN, 'EAGAIN');
NAMES.set(constants.errno.EOPNOTSUPP, 'EOPNOTSUPP');

/** The name of an error number (positive, or negative as `bpf` returns it); `E524`-like where it has none. */
export function errnoName(code: number): string {
  const number = Math.abs(code);
  return NAMES.get(number) ?? `E${number}`;
}

/** Closes a file descriptor. A second close of the same number is the caller's bug and is not hidden. */
export function closeFd(fd: number): void {
  closeSync(fd);
}

/** A bpf(2) call that failed where the caller has no better answer than to stop. */
export class KernelError extends Error {
  override readonly name = 'KernelError';

  constructor(
    /** What was tried, in words: `create map m`. */
    readonly what: string,
    /** The name of the error number. */
    readonly errno: string,
    detail = '',
  ) {
    super(`${what}: ${errno}${detail === '' ? '' : `: ${detail}`}`);
  }
}

/** Memory shared with the kernel (mmap of a map's descriptor). Reads and writes are checked against its bounds. */
export class SharedMemory {
  private readonly address: bigint;
  private open = true;

  /** `offset` and `length` in bytes, whole pages. Throws KernelError when the kernel will not. */
  constructor(
    fd: number,
    offset: number,
    readonly length: number,
    writable: boolean,
  ) {
    const protection = writable ? 3 /* PROT_READ | PROT_WRITE */ : 1; /* PROT_READ */
    const result = BigInt(bound().mmap(0, length, protection, 1 /* MAP_SHARED */, fd, offset));
    if (result === -1n) throw new KernelError('map memory', errnoName(bound().errno()));
    this.address = result;
  }

  /** A copy of `length` bytes at `offset`. */
  read(offset: number, length: number): Buffer {
    this.check(offset, length);
    const copy = Buffer.alloc(length);
    if (length > 0) bound().copyOut(copy, this.address + BigInt(offset), length);
    return copy;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.check(offset, bytes.length);
    if (bytes.length > 0) bound().copyIn(this.address + BigInt(offset), bytes, bytes.length);
  }

  /** Unmaps it; more than once does nothing. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    if (bound().munmap(this.address, this.length) < 0) {
      throw new KernelError('unmap memory', errnoName(bound().errno()));
    }
  }

  private check(offset: number, length: number): void {
    if (!this.open || offset < 0 || length < 0 || offset + length > this.length) {
      throw new RangeError(
        `${length} bytes at ${offset} of ${this.open ? this.length : 'no'} bytes of shared memory`,
      );
    }
  }
}

// _LINUX_CAPABILITY_VERSION_3; the thread that calls.
const CAP_HEADER = [0x20080522, 0];
/** Capabilities that make the verifier lax (include/uapi/linux/capability.h). */
const LAX_CAPS = [21 /* CAP_SYS_ADMIN */, 38 /* CAP_PERFMON */];

/**
 * Runs `body` with CAP_PERFMON and CAP_SYS_ADMIN taken out of the calling thread's effective set, and puts them
 * back whatever happens. Under it the verifier forbids uninitialised stack reads and pointer leaks.
 * Only the thread that calls is touched; `body` must be synchronous.
 */
export function withoutLaxCaps<T>(body: () => T): T {
  const lib = bound();
  const header = Buffer.alloc(8);
  for (const [i, word] of CAP_HEADER.entries()) header.writeUInt32LE(word, 4 * i);
  // Two structs of effective, permitted, inheritable.
  const before = Buffer.alloc(24);
  if (Number(lib.pair(lib.numbers.capget, header, before)) < 0) {
    throw new KernelError('read capabilities', errnoName(lib.errno()));
  }
  const reduced = Buffer.from(before);
  for (const cap of LAX_CAPS) {
    const at = cap >= 32 ? 12 : 0;
    reduced.writeUInt32LE((reduced.readUInt32LE(at) & ~(1 << (cap % 32))) >>> 0, at);
  }
  const set = (caps: Buffer, what: string): void => {
    if (Number(lib.pair(lib.numbers.capset, header, caps)) < 0) {
      throw new KernelError(what, errnoName(lib.errno()));
    }
  };
  set(reduced, 'drop capabilities');
  try {
    return body();
  } finally {
    set(before, 'restore capabilities');
  }
}
