/**
 * A whole program into the kernel: its BTF, its maps, its insns; and, when the kernel refuses it, what it says.
 *
 * The first attempt asks for no log, because a load with a log takes three times as long, and because the kernel refuses even a good
 * program with ENOSPC if the log does not fit. Only refused programs are loaded again with a log.
 */
import { progType } from '../kernel/progtypes.js';
import type { Program } from '../object/program.js';
import { attachTarget } from './attach.js';
import { mayCrashLinux } from './danger.js';
import { kernelInsns } from './insns.js';
import { complaint } from './log.js';
import { closeMaps, createMap, type KernelMap, type MapBtf } from './maps.js';
import { openProgramBtf, type ProgramBtf } from './programbtf.js';
import { Attr, BpfCmd, bpf, closeFd, errnoName, KernelError, withoutLaxCaps } from './syscall.js';

/** Programs that replace a function of another one (enum bpf_prog_type). */
const BPF_PROG_TYPE_EXT = 28;
const BPF_F_TEST_STATE_FREQ = 1 << 3;
/** Load flag of programs that may sleep (include/uapi/linux/bpf.h). */
export const BPF_F_SLEEPABLE = 1 << 4;
/** Bytes of the first log buffer; it holds the whole log of most programs under a hundred insns. */
const FIRST_LOG = 1 << 16;
/** A signal that arrives while the verifier runs makes it give up with EAGAIN; libbpf tries five times as well. */
const ATTEMPTS = 5;
/** Errors of the system call that say nothing about the program. */
const TROUBLE: ReadonlySet<string> = new Set(['EAGAIN', 'EINTR', 'ENOMEM', 'EMFILE', 'ENFILE', 'ENOSYS']);

/** How to load: with which capabilities and maps, and how much log to ask for. */
export interface LoadOptions {
  /**
   * Log to ask for even when the program is accepted: 1 the walk of the last path, 2 every state, 4 statistics.
   * 0 (unless told): a log only of what is refused. Level 2 of a program that loops a million times takes half a minute.
   */
  readonly logLevel?: 0 | 1 | 2 | 4;
  /** Most bytes of log to ask for, 16 MiB unless told. Of a longer log the end is kept. */
  readonly logLimit?: number;
  /** Load without CAP_PERFMON and CAP_SYS_ADMIN: no uninitialised stack reads, no pointer leaks. */
  readonly strictCaps?: boolean;
  /**
   * Lends an open map for entry `index` of `Program.maps`, or undefined to have one made. It stays the lender's to close.
   * Two maps of one program must be two maps here as well. `btf` is what the map is to be made with, if anything.
   */
  readonly lend?: (program: Program, index: number, btf: MapBtf | undefined) => KernelMap | undefined;
  /** False: do not ask for the reason of a refusal, the error number is enough. */
  readonly explain?: boolean;
  /** Have the verifier keep a state wherever it may (BPF_F_TEST_STATE_FREQ): paths that meet are not walked twice. */
  readonly everyState?: boolean;
}

/** A program in the kernel, and the maps made for it, in the order of `Program.maps`. */
export interface Loaded {
  readonly ok: true;
  readonly fd: number;
  readonly maps: readonly KernelMap[];
  /** Empty unless a `logLevel` was asked for. */
  readonly log: string;
  /** True when the log is only the end of what the kernel had to say. */
  readonly logCut: boolean;
  /** Closes the program and its maps; more than once does nothing. */
  close(): void;
}

/** The kernel did not take the program: which step failed, and the kernel's reason. */
export interface Refused {
  readonly ok: false;
  /**
   * What was refused. Only `program` is the verifier's verdict; the others say that the question could not be put:
   * a `kfunc` or an attach target this kernel does not have, `btf` or a `map` it would not take, or that the system call ended before the
   * verifier did (`call`: no permission, no memory, no free descriptor, a signal each time).
   */
  readonly stage: 'kfunc' | 'btf' | 'map' | 'call' | 'program';
  /** Name of the error number: `EINVAL`, `EACCES`. */
  readonly errno: string;
  /** The first thing complained about, in the kernel's words where it has any (see `complaint`). */
  readonly message: string;
  readonly log: string;
  readonly logCut: boolean;
  /** Slot that the verifier stood at, where the log tells. */
  readonly insn?: number;
}

/** An open program, to be closed by the caller, or why there is none. */
export type LoadResult = Loaded | Refused;

/**
 * Loads `program`. Nothing is attached, nothing is pinned. What is returned as loaded must be closed; a refusal
 * leaves nothing open. Throws InputError where bpf(2) cannot be called at all (ask `kernelAvailable` first).
 */
export function loadProgram(program: Program, options: LoadOptions = {}): LoadResult {
  return loadWith(program, () => openProgramBtf(program), options);
}

/** Loads `program` with BTF from `openBtf`, which is closed afterwards: program and maps have their own hold on it. */
export function loadWith(
  program: Program,
  openBtf: () => ProgramBtf | undefined,
  options: LoadOptions,
): LoadResult {
  const danger = mayCrashLinux(program, options.strictCaps === true ? 'strict' : 'privileged');
  if (danger !== undefined) {
    const message = `not loaded: Linux 6.18 may crash ${danger}`;
    return { ok: false, stage: 'call', errno: 'EPERM', message, log: '', logCut: false };
  }
  let stage: Refused['stage'] = 'kfunc';
  let btf: ProgramBtf | undefined;
  let replaced: Replaced | undefined;
  const made: KernelMap[] = [];
  let keep = false;
  try {
    const insns = kernelInsns(program);
    attachTarget(program);
    replaced = openReplaced(program, options);
    stage = 'btf';
    btf = openBtf();
    stage = 'map';
    const maps = program.maps.map((def, i) => {
      const mapBtf = btf?.map(i);
      const lent = options.lend?.(program, i, mapBtf);
      if (lent !== undefined) return lent;
      const map = createMap(def, mapBtf);
      made.push(map);
      return map;
    });
    stage = 'program';
    const result = loadInsns(program, insns, { all: maps, made }, btf, replaced, options);
    keep = result.ok;
    return result;
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    return { ok: false, stage, errno: error.errno, message: error.message, log: '', logCut: false };
  } finally {
    btf?.close();
    replaced?.close();
    if (!keep) closeMaps(made);
  }
}

function loadInsns(
  program: Program,
  insns: Uint8Array,
  maps: Maps,
  btf: ProgramBtf | undefined,
  replaced: Replaced | undefined,
  options: LoadOptions,
): LoadResult {
  const license = Buffer.from(`${program.license ?? 'GPL'}\0`, 'latin1');
  const fds = Buffer.alloc(4 * maps.all.length);
  for (const [i, map] of maps.all.entries()) fds.writeInt32LE(map.fd, 4 * i);
  const sleepable = replaced === undefined && (program.type === 'syscall' || program.sleepable === true);
  const flags = (sleepable ? BPF_F_SLEEPABLE : 0) | (options.everyState === true ? BPF_F_TEST_STATE_FREQ : 0);
  const target = attachTarget(program);
  const attempt = (level: number, log?: Buffer): Attempt => {
    const attr = new Attr(152)
      .u32(0, replaced === undefined ? progType(program.type).number : BPF_PROG_TYPE_EXT)
      .u32(4, program.insns.length)
      .pointer(8, insns)
      .pointer(16, license)
      .u32(44, flags)
      .name(48, program.name)
      .u32(68, replaced === undefined ? (program.attach?.type ?? 0) : 0)
      .u32(108, replaced?.btfId ?? target)
      .u32(112, replaced?.fd ?? 0)
      .pointer(120, fds);
    if (btf !== undefined) {
      attr
        .u32(72, btf.fd)
        .u32(76, 8)
        .pointer(80, btf.funcInfo)
        .u32(88, btf.funcInfo.length / 8);
    }
    if (log !== undefined) attr.u32(24, level).u32(28, log.length).pointer(32, log);
    const fd = retried(() => bpf(BpfCmd.progLoad, attr), options.strictCaps === true);
    return { fd, needed: attr.bytes.readUInt32LE(140) };
  };
  const first = attempt(0);
  if (first.fd >= 0) return accepted(maps, first.fd, attempt, options);
  const errno = errnoName(first.fd);
  // The verifier also returns ENOMEM, if there are too many paths to remember. Only its log tells the two cases apart.
  const unclear = errno === 'ENOMEM';
  const trouble: Refused = {
    ok: false,
    stage: 'call',
    errno,
    message: `load program: ${errno}`,
    log: '',
    logCut: false,
  };
  if (TROUBLE.has(errno) && !unclear) return trouble;
  if (options.explain === false && errno !== 'EPERM' && !unclear) {
    return { ok: false, stage: 'program', errno, message: errno, log: '', logCut: false };
  }
  const asked = logged(attempt, options.logLevel === 2 ? 2 : 1, options);
  // The first refusal was temporary, for example for lack of memory; the second attempt succeeded.
  if (asked.fd >= 0) return loaded(maps, asked.fd, asked);
  const told = complaint(asked.log);
  if (unclear && told.message === '') return trouble;
  const refused: Refused = {
    ok: false,
    // Without the capability that its type needs, a program does not come as far as the verifier, which always says something.
    stage: errno === 'EPERM' && told.message === '' ? 'call' : 'program',
    errno,
    message: told.message === '' ? `${errno} and no word from the verifier` : told.message,
    log: asked.log,
    logCut: asked.cut,
  };
  return told.insn === undefined ? refused : { ...refused, insn: told.insn };
}

/** The program of which one replaces a function, in the kernel. It holds it itself once it is loaded. */
interface Replaced {
  readonly fd: number;
  /** The function, in the BTF of that program. */
  readonly btfId: number;
  close(): void;
}

/** Loads the program of which `program` replaces a function; undefined where it replaces none. Throws KernelError where that cannot be loaded. */
function openReplaced({ replaces }: Program, { strictCaps }: LoadOptions): Replaced | undefined {
  if (replaces === undefined) return undefined;
  const { of, function: name } = replaces;
  const trouble = (message: string): KernelError => new KernelError('load program', 'ESRCH', message);
  if (of === undefined) throw trouble(`the program whose function '${name}' it replaces is not known`);
  const btfId = of.subprogs.find((one) => one.name === name)?.btfId;
  if (btfId === undefined) throw trouble(`'${of.name}' has no types for its function '${name}'`);
  const loaded = loadProgram(of, { explain: false, ...(strictCaps !== undefined && { strictCaps }) });
  if (!loaded.ok)
    throw trouble(`'${of.name}', of which it replaces a function, is not loaded: ${loaded.message}`);
  return { fd: loaded.fd, btfId, close: () => loaded.close() };
}

/** The maps of a program, and those among them that were made for it and are to be closed with it. */
interface Maps {
  readonly all: readonly KernelMap[];
  readonly made: readonly KernelMap[];
}

interface Attempt {
  /** Descriptor, or minus an error number. */
  readonly fd: number;
  /** Bytes that the whole log needs (log_true_size), 0 from kernels before 6.4. */
  readonly needed: number;
}

function retried(call: () => number, strict: boolean): number {
  let result = -1;
  for (let i = 0; i < ATTEMPTS; i++) {
    result = strict ? withoutLaxCaps(call) : call();
    if (errnoName(result) !== 'EAGAIN' || result >= 0) return result;
  }
  return result;
}

/** What is known of a program that the kernel took as `fd`: with the log that was asked for. */
function accepted(
  maps: Maps,
  fd: number,
  attempt: (level: number, log?: Buffer) => Attempt,
  options: LoadOptions,
): Loaded {
  if (options.logLevel === undefined || options.logLevel === 0)
    return loaded(maps, fd, { log: '', cut: false });
  try {
    const asked = logged(attempt, options.logLevel, options);
    if (asked.fd >= 0) closeFd(asked.fd);
    return loaded(maps, fd, asked);
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** Bytes of struct bpf_prog_info up to verified_insns, and where that is (include/uapi/linux/bpf.h). */
const INFO_SIZE = 224;
const VERIFIED_INSNS = 216;

/** Insns that the kernel's verifier walked for a program that it loaded; undefined where the kernel does not tell (before Linux 5.16). */
export function verifiedInsns(fd: number): number | undefined {
  const info = Buffer.alloc(INFO_SIZE);
  const attr = new Attr(16).u32(0, fd).u32(4, INFO_SIZE).pointer(8, info);
  if (bpf(BpfCmd.infoByFd, attr) < 0) return undefined;
  const walked = info.readUInt32LE(VERIFIED_INSNS);
  return walked === 0 ? undefined : walked;
}

function loaded(maps: Maps, fd: number, { log, cut }: { log: string; cut: boolean }): Loaded {
  let open = true;
  return {
    ok: true,
    fd,
    maps: maps.all,
    log,
    logCut: cut,
    close() {
      if (!open) return;
      open = false;
      try {
        closeFd(fd);
      } finally {
        closeMaps(maps.made);
      }
    },
  };
}

/**
 * Loads with a log. Where a log level was asked for, the buffer grows until the log fits or the limit is met;
 * otherwise the complaint will do, and that is at the end, which a kernel that counts what it needs (6.4) also keeps.
 */
function logged(
  attempt: (level: number, log?: Buffer) => Attempt,
  level: number,
  options: LoadOptions,
): { fd: number; log: string; cut: boolean } {
  const limit = Math.max(options.logLimit ?? 1 << 24, 128);
  let size = Math.min(FIRST_LOG, limit);
  for (;;) {
    const buffer = Buffer.alloc(size);
    const { fd, needed } = attempt(level, buffer);
    const cut = fd < 0 && errnoName(fd) === 'ENOSPC';
    const enough = options.logLevel === undefined && needed > 0;
    if (!cut || enough || size >= limit) {
      const end = buffer.indexOf(0);
      return { fd, log: buffer.toString('utf8', 0, end < 0 ? size : end), cut };
    }
    size = Math.min(limit, Math.max(needed, 4 * size));
  }
}
