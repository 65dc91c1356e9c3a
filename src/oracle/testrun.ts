/**
 * Runs a loaded program in the kernel, once, on a packet or a context of our own (BPF_PROG_TEST_RUN).
 *
 * The kernel really calls the helpers. So a program whose helpers act outside of it (signals, file descriptors, the network, the kernel's
 * own life) must never be run. `refuseToRun` names those, and `testRun` asks it.
 */
import { BPF_CALL, BPF_HELPER_CALL, BPF_JMP, BPF_PSEUDO_KFUNC_CALL } from '../isa/opcodes.js';
import type { Program, ProgType } from '../object/program.js';
import type { Loaded } from './load.js';
import { Attr, BpfCmd, bpf, bpfAside, errnoName } from './syscall.js';

/** Helpers whose effects leave the program: by number, with what they do. */
const DANGEROUS_HELPERS: ReadonlyMap<number, string> = new Map([
  [13, 'bpf_clone_redirect sends a packet'],
  [36, 'bpf_probe_write_user writes the memory of the process that asks'],
  [58, 'bpf_override_return changes what a kernel function returns'],
  [109, 'bpf_send_signal sends a signal to the process that asks'],
  [116, 'bpf_tcp_send_ack sends a packet'],
  [117, 'bpf_send_signal_thread sends a signal to the thread that asks'],
  // A test run gives its packet a socket without a destructor, which skb_orphan takes for a bug of the kernel.
  [124, 'bpf_sk_assign replaces the socket of the test packet'],
  [166, 'bpf_sys_bpf is bpf(2) itself'],
  [168, 'bpf_sys_close closes a descriptor of the process that asks'],
]);

/** The same for kfuncs. */
const DANGEROUS_KFUNCS: ReadonlyMap<string, string> = new Map([
  ['crash_kexec', 'crash_kexec ends the kernel (KF_DESTRUCTIVE)'],
  ['bpf_send_signal_task', 'bpf_send_signal_task sends a signal to a task'],
  ['bpf_sock_destroy', 'bpf_sock_destroy closes a socket of the host'],
  ['bpf_sk_assign_tcp_reqsk', 'bpf_sk_assign_tcp_reqsk replaces the socket of the test packet'],
  ['bpf_task_work_schedule_signal_impl', 'bpf_task_work_schedule_signal_impl interrupts a task'],
  ['bpf_task_work_schedule_resume_impl', 'bpf_task_work_schedule_resume_impl interrupts a task'],
  ['bpf_ct_insert_entry', 'bpf_ct_insert_entry adds a connection to the host'],
  ['bpf_ct_change_status', 'bpf_ct_change_status changes a connection of the host'],
  ['bpf_ct_change_timeout', 'bpf_ct_change_timeout changes a connection of the host'],
  ['bpf_set_dentry_xattr', 'bpf_set_dentry_xattr writes to a file of the host'],
  ['bpf_remove_dentry_xattr', 'bpf_remove_dentry_xattr writes to a file of the host'],
]);

/** How the kernel test-runs a type: on a packet, on a context that it writes back, or on one that it only reads. */
type Form = 'packet' | 'written context' | 'read context';

/** The types that the kernel has a test run for (bpf_prog_ops.test_run) and that need nothing else. */
const FORMS: Partial<Record<ProgType, Form>> = {
  xdp: 'packet',
  tc: 'packet',
  action: 'packet',
  socket_filter: 'packet',
  cgroup_skb: 'packet',
  lwt_in: 'packet',
  lwt_out: 'packet',
  lwt_xmit: 'packet',
  flow_dissector: 'packet',
  netfilter: 'packet',
  syscall: 'written context',
  raw_tracepoint: 'read context',
  sk_lookup: 'read context',
};

/**
 * Why `program` must not be test-run, or undefined if it may be. Looks at every call in it, reached or not.
 * It does not look at how long a run takes: a run cannot be interrupted, so nested bpf_loop calls of millions are the caller's care.
 */
export function refuseToRun(program: Program): string | undefined {
  if (FORMS[program.type] === undefined) return `the kernel has no test run for ${program.type} programs`;
  for (const [slot, insn] of program.insns.entries()) {
    if (insn.opcode !== (BPF_JMP | BPF_CALL)) continue;
    const danger =
      insn.src === BPF_HELPER_CALL
        ? DANGEROUS_HELPERS.get(insn.imm)
        : insn.src === BPF_PSEUDO_KFUNC_CALL
          ? DANGEROUS_KFUNCS.get(program.kfuncs[insn.imm] ?? '')
          : undefined;
    if (danger !== undefined) return `insn ${slot}: ${danger}`;
  }
  return undefined;
}

/** What the kernel gives the program in a test run. */
export interface TestInput {
  /** The packet, at least 14 bytes; 64 zero bytes unless told. For types that run on packets only. */
  readonly data?: Uint8Array;
  /**
   * The context: `struct xdp_md` or `struct __sk_buff` for packets, up to 64 KiB of anything for syscall programs, the arguments of a raw
   * tracepoint (8 to 96 bytes, as far as the program reads), `struct bpf_sk_lookup` with its family set.
   */
  readonly ctx?: Uint8Array;
  /** How often the kernel runs it, on the same packet; once unless told. For types that run on packets only. At least 1. `durationNs` is that of one run. */
  readonly repeat?: number;
}

/** What a test run left behind, or why the kernel did not make it. */
export type TestRunResult =
  | {
      readonly ok: true;
      /** r0 at exit, its low 32 bits, unsigned. */
      readonly retval: number;
      /** The packet afterwards; empty for types that run on none. */
      readonly dataOut: Uint8Array;
      /** The context afterwards; empty if none was given, and of raw tracepoints. */
      readonly ctxOut: Uint8Array;
      /** As the kernel measured it, the mean of all runs; 0 for types that run on no packet. */
      readonly durationNs: number;
    }
  | { readonly ok: false; readonly errno: string; readonly message: string };

/** Room for packets that grow, and for the metadata before them. */
const GROWTH = 512;
const SHORTEST_PACKET = 14;
/** A pending signal ends a test run before it starts. */
const ATTEMPTS = 5;

/** Runs `loaded`, which was made from `program`, once. Says no to programs that `refuseToRun` names. */
export function testRun(program: Program, loaded: Loaded, input: TestInput = {}): TestRunResult {
  const prepared = prepare(program, loaded, input);
  return 'ok' in prepared ? prepared : (run(prepared.attr) ?? prepared.read());
}

/** The same on a thread beside, so that this one, or another test run, can end it. It is tried once. */
export async function testRunAside(
  program: Program,
  loaded: Loaded,
  input: TestInput = {},
): Promise<TestRunResult> {
  const prepared = prepare(program, loaded, input);
  if ('ok' in prepared) return prepared;
  const result = await bpfAside(BpfCmd.progTestRun, prepared.attr);
  if (result >= 0) return prepared.read();
  return { ok: false, errno: errnoName(result), message: `test run: ${errnoName(result)}` };
}

/** Types whose test run repeats a program and measures how long it takes. */
export function measuresRuns(type: ProgType): boolean {
  return FORMS[type] === 'packet' && type !== 'flow_dissector' && type !== 'netfilter';
}

/** A test run that is about to be made. */
interface Prepared {
  readonly attr: Attr;
  /** What it left behind. */
  read(): TestRunResult;
}

function prepare(program: Program, loaded: Loaded, input: TestInput): Prepared | TestRunResult {
  const refusal = refuseToRun(program);
  if (refusal !== undefined) return { ok: false, errno: 'EPERM', message: `not run: ${refusal}` };
  const form = FORMS[program.type];
  return form === 'packet'
    ? preparePacket(loaded, input)
    : prepareContext(loaded, input, form === 'written context');
}

function preparePacket(loaded: Loaded, input: TestInput): Prepared | TestRunResult {
  const data = input.data ?? Buffer.alloc(64);
  if (data.length < SHORTEST_PACKET) {
    return {
      ok: false,
      errno: 'EINVAL',
      message: `not run: a packet has at least ${SHORTEST_PACKET} bytes, not ${data.length}`,
    };
  }
  const out = Buffer.alloc(data.length + GROWTH);
  const ctx = input.ctx ?? Buffer.alloc(0);
  const ctxOut = Buffer.alloc(ctx.length);
  const attr = new Attr(80)
    .u32(0, loaded.fd)
    .u32(8, data.length)
    .u32(12, out.length)
    .pointer(16, data)
    .pointer(24, out)
    .u32(32, input.repeat ?? 1)
    .u32(40, ctx.length)
    .u32(44, ctxOut.length)
    .pointer(48, ctx)
    .pointer(56, ctxOut);
  return {
    attr,
    read: () => ({
      ok: true,
      retval: attr.bytes.readUInt32LE(4),
      dataOut: out.subarray(0, attr.bytes.readUInt32LE(12)),
      ctxOut: ctxOut.subarray(0, attr.bytes.readUInt32LE(44)),
      durationNs: attr.bytes.readUInt32LE(36),
    }),
  };
}

function prepareContext(loaded: Loaded, input: TestInput, written: boolean): Prepared {
  // The kernel may write the context back in place; the caller's bytes stay as they are.
  const ctx = Buffer.from(input.ctx ?? []);
  const attr = new Attr(80).u32(0, loaded.fd).u32(40, ctx.length).pointer(48, ctx);
  return {
    attr,
    read: () => ({
      ok: true,
      retval: attr.bytes.readUInt32LE(4),
      dataOut: new Uint8Array(0),
      ctxOut: written ? ctx : new Uint8Array(0),
      durationNs: 0,
    }),
  };
}

function run(attr: Attr): TestRunResult | undefined {
  let errno = '';
  for (let i = 0; i < ATTEMPTS; i++) {
    const result = bpf(BpfCmd.progTestRun, attr);
    if (result >= 0) return undefined;
    errno = errnoName(result);
    if (errno !== 'EAGAIN' && errno !== 'EINTR') break;
  }
  return { ok: false, errno, message: `test run: ${errno}` };
}
