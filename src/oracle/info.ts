/** What the kernel says of programs and maps that are loaded already, by descriptor or by the path where somebody pinned them. */
import { Attr, BpfCmd, bpf, errnoName, KernelError } from './syscall.js';

/** Bytes of struct bpf_prog_info and struct bpf_map_info that are read; a kernel that knows fewer says so. */
const INFO_BYTES = 224;

/** A loaded program. Times in nanoseconds; runs and times are counted only while somebody asks for them (`countRuns`). */
export interface ProgramInfo {
  readonly id: number;
  readonly name: string;
  readonly runs: bigint;
  readonly runTime: bigint;
}

/** A loaded map. Sizes in bytes. */
export interface MapInfo {
  readonly id: number;
  /** enum bpf_map_type. */
  readonly type: number;
  readonly name: string;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

/** Opens what is pinned at a path (BPF_OBJ_GET). Throws KernelError. */
export function openPinned(path: string): number {
  const name = Buffer.from(`${path}\0`, 'utf8');
  const fd = bpf(BpfCmd.objGet, new Attr(16).pointer(0, name));
  if (fd < 0) throw new KernelError(`open ${path}`, errnoName(fd));
  return fd;
}

function info(fd: number): Buffer {
  const bytes = Buffer.alloc(INFO_BYTES);
  const result = bpf(BpfCmd.infoByFd, new Attr(16).u32(0, fd).u32(4, bytes.length).pointer(8, bytes));
  if (result < 0) throw new KernelError(`ask about descriptor ${fd}`, errnoName(result));
  return bytes;
}

const text = (bytes: Buffer, at: number): string =>
  bytes.toString('latin1', at, at + 16).replace(/\0.*$/s, '');

/** What is known of a program. Throws KernelError where the descriptor is none of the kernel's. */
export function programInfo(fd: number): ProgramInfo {
  const bytes = info(fd);
  return {
    id: bytes.readUInt32LE(4),
    name: text(bytes, 64),
    runTime: bytes.readBigUInt64LE(192),
    runs: bytes.readBigUInt64LE(200),
  };
}

/** What is known of a map. Throws as `programInfo`. */
export function mapInfo(fd: number): MapInfo {
  const bytes = info(fd);
  return {
    type: bytes.readUInt32LE(0),
    id: bytes.readUInt32LE(4),
    valueSize: bytes.readUInt32LE(12),
    maxEntries: bytes.readUInt32LE(16),
    flags: bytes.readUInt32LE(20),
    name: text(bytes, 24),
  };
}

/** Has the kernel count runs and their times for as long as the descriptor that is answered stays open (BPF_ENABLE_STATS). Throws KernelError. */
export function countRuns(): number {
  const fd = bpf(BpfCmd.enableStats, new Attr(4).u32(0, 0));
  if (fd < 0) throw new KernelError('count runs', errnoName(fd));
  return fd;
}
