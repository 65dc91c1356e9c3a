/**
 * A stand-in for bpf(2) that records what it is handed and answers: no kernel is needed. A property puts it in the place of the system call
 * with vi.mock, and looks at `world`.
 */
import type { BtfType } from '../../../src/object/btf/types.js';
import type { MapDef } from '../../../src/object/program.js';
import { btfOf, INT } from '../objects/types.js';

export interface Call {
  readonly cmd: number;
  readonly bytes: Buffer;
  readonly pointers: ReadonlyMap<number, Uint8Array>;
}

interface World {
  calls: Call[];
  closed: number[];
  strict: number;
  /** Answers a call; descriptors are given out one after the other unless it does. */
  answer: (call: Call) => number | undefined;
  /** Memory of ring buffers: consumer page, producer page and data. */
  memory: Buffer;
  mapped: (readonly [offset: number, length: number, writable: boolean])[];
}

export const world: World = {
  calls: [],
  closed: [],
  strict: 0,
  answer: () => undefined,
  memory: Buffer.alloc(0),
  mapped: [],
};

/** Before each test. */
export function forgetCalls(): void {
  world.calls = [];
  world.closed = [];
  world.strict = 0;
  world.answer = () => undefined;
  world.mapped = [];
}

type Syscall = typeof import('../../../src/oracle/syscall.js');

/** src/oracle/syscall.ts, but for what reaches the kernel. */
export function recordedSyscall(real: Syscall): object {
  class Attr extends real.Attr {
    readonly pointers = new Map<number, Uint8Array>();
    override pointer(offset: number, buffer: Uint8Array): this {
      if (buffer.length > 0) this.pointers.set(offset, buffer);
      return this;
    }
  }
  let next = 100;
  return {
    ...real,
    Attr,
    bpf: (cmd: number, attr: Attr): number => {
      const call = { cmd, bytes: attr.bytes, pointers: attr.pointers };
      world.calls.push({ ...call, bytes: Buffer.from(attr.bytes) });
      return world.answer(call) ?? ([0, 5, 18].includes(cmd) ? next++ : 0);
    },
    closeFd: (fd: number) => world.closed.push(fd),
    withoutLaxCaps: <T>(body: () => T): T => {
      world.strict++;
      return body();
    },
    SharedMemory: class {
      constructor(
        _fd: number,
        private readonly offset: number,
        length: number,
        writable: boolean,
      ) {
        world.mapped.push([offset, length, writable]);
      }
      read(at: number, length: number): Buffer {
        return Buffer.from(world.memory.subarray(this.offset + at, this.offset + at + length));
      }
      write(at: number, bytes: Uint8Array): void {
        world.memory.set(bytes, this.offset + at);
      }
      close(): void {}
    },
  };
}

const KERNEL_TYPES: readonly BtfType[] = [
  INT,
  { kind: 'func_proto', returns: 0, params: [] },
  ...['bpf_rcu_read_lock', 'bpf_lsm_file_open', 'bpf_iter_task', 'vfs_read'].map(
    (name): BtfType => ({ kind: 'func', name, type: 2, linkage: 'static' }),
  ),
  { kind: 'typedef', name: 'btf_trace_sched_switch', type: 1 },
];

type Files = typeof import('node:fs');

/** node:fs, in which the kernel has a few types of its own and CPUs 0 to 2 and 5. */
export function filesOfAKernel(real: Files): object {
  const readFileSync = ((path: string, ...rest: []) => {
    if (path === '/sys/kernel/btf/vmlinux') return Buffer.from(btfOf(KERNEL_TYPES));
    if (path === '/sys/devices/system/cpu/possible') return '0-2,5\n';
    return real.readFileSync(path, ...rest);
  }) as typeof real.readFileSync;
  return { ...real, readFileSync };
}

/** All 32-bit words of an attribute that are not 0, by offset. */
export const words = ({ bytes }: Pick<Call, 'bytes'>): Record<number, number> =>
  Object.fromEntries(
    Array.from({ length: bytes.length / 4 }, (_, i) => [4 * i, bytes.readUInt32LE(4 * i)] as const).filter(
      ([, value]) => value !== 0,
    ),
  );
export const text = (call: Call, offset: number): string =>
  call.bytes.toString('latin1', offset, offset + 16).replace(/\0+$/, '');
/** The same without the name at an offset. */
export const numbers = (call: Call, name: number): Record<number, number> =>
  Object.fromEntries(
    Object.entries(words(call)).filter(([at]) => Number(at) < name || Number(at) >= name + 16),
  );

export const def: MapDef = {
  name: 'm',
  type: 'hash',
  keySize: 5,
  valueSize: 6,
  maxEntries: 7,
  flags: 8,
  fields: [],
};
