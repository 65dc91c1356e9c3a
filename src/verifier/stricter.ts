/**
 * The messages with which this verifier refuses programs that Linux 6.18 may accept. docs/stricter-than-linux.md explains each, and what
 * Linux does instead. Most of these are also said of mistakes that both refuse. There the insn at fault and the program tell more.
 */
import { decodeAll } from '../isa/decode.js';
import type { Op } from '../isa/insn.js';
import { contractOf } from '../kernel/catalog.js';
import type { Contract } from '../kernel/contract.js';
import type { Program } from '../object/program.js';
import type { Refused } from './result.js';

/** Where a program was refused. */
interface Place {
  readonly program: Program;
  readonly strict: boolean;
  /** Slot of the insn; -1 for the program as a whole. */
  readonly slot: number;
  /** The insn, and what it calls, if it calls something with a contract. */
  readonly op: Op | undefined;
  readonly called: Contract | undefined;
}

/** A row of the docs, as far as a message tells it. */
interface Reason {
  readonly words: RegExp;
  /** Whether it can be this row in such a program at all; always unless told. */
  readonly in?: (program: Program) => boolean;
  /** Whether it can be this row at this place; always unless told. `named`: what the pattern has in brackets. */
  readonly when?: (place: Place, named: string) => boolean;
}

const calls =
  (...names: readonly string[]) =>
  ({ called }: Place): boolean =>
    called !== undefined && names.includes(called.name);

/** The argument with this index is memory of a kfunc, and the next argument is its size. */
const isSizedMemory = ({ called }: Place, index: string): boolean => {
  const arg = called?.kind === 'kfunc' ? called.args[Number(index)] : undefined;
  return arg?.kind === 'mem' && 'arg' in arg.size;
};

const isPlainStruct = ({ program: { kernelTypes } }: Place, struct: string): boolean =>
  kernelTypes === undefined || kernelTypes.plainSize?.(struct) !== undefined;

const inFunction = ({ program, slot }: Place): boolean =>
  program.subprogs.some(({ start }) => start > 0 && start <= slot);

/** Does some insn of the program call a function of which this is true? */
const callsSome = (program: Program, test: (contract: Contract) => boolean): boolean =>
  decodeAll(program.insns).some((op) => {
    const contract = op === undefined ? undefined : contractOf(program, op);
    return contract !== undefined && test(contract);
  });

/** A helper may read a slot that is written in part (without capabilities), or a function wrote it before a tail call. */
const isHalfWritten = ({ program, strict, called }: Place): boolean =>
  (strict && called !== undefined) ||
  (program.subprogs.length > 1 && callsSome(program, ({ name }) => name === 'bpf_tail_call'));

/** What ends with the dynptr that it was taken from. */
const SLICES: readonly string[] = ['bpf_dynptr_slice', 'bpf_dynptr_slice_rdwr'];

const comparesLowHalfWithZero = (program: Program): boolean =>
  decodeAll(program.insns).some(
    (op) => op?.kind === 'jmp' && op.width === 32 && 'imm' in op.src && op.src.imm === 0,
  );

/** The argument may be NULL: the number 0 is one. Arguments are counted from `first` in the message. */
const mayBeNull =
  (first: number) =>
  ({ called }: Place, number: string): boolean => {
    const arg = called?.args[Number(number) - first];
    if (arg?.kind === 'stack_or_null' || arg?.kind === 'kptr_value') return true;
    return arg !== undefined && 'nullable' in arg && arg.nullable === true;
  };

/** The program adds a pointer, or a number in a register, to a number. */
const addsRegisters = (program: Program): boolean =>
  decodeAll(program.insns).some((op) => op?.kind === 'alu' && op.op === 'add' && 'reg' in op.src);

/** The program enters an RCU section twice. */
const entersRcuAgain = (program: Program): boolean =>
  decodeAll(program.insns).filter(
    (op) => op !== undefined && contractOf(program, op)?.name === 'bpf_rcu_read_lock',
  ).length > 1;

/** Our reasons for refusing what Linux accepts. */
export const STRICTER: readonly Reason[] = [
  {
    words: /^arg#\d pointer type STRUCT (\w+) must point to scalar, or struct with scalar$/,
    when: isPlainStruct,
  },
  { words: /^BPF program is too large\. Processed \d+ insn$/ },
  { words: /^The sequence of \d+ jumps is too complex\.$/ },
  {
    words: /^combined stack size of \d+ calls is \d+\. Too large$/,
    when: ({ program }) => callsSome(program, ({ fastcall }) => fastcall === true),
  },
  {
    words: /^workqueue pointer in R1 map_uid=0 doesn't match map pointer in R\d map_uid=0$/,
    when: calls('bpf_wq_init'),
  },
  {
    words: /^R\d pointer comparison prohibited$/,
    when: ({ op, strict }) => strict && op?.kind === 'jmp' && op.width === 32,
  },
  { words: /^cannot pass in (?:iter|dynptr|irq_flag) at an offset=0$/ },
  { words: /^invalid read from stack R\d off=-?\d+ size=\d+$/, when: isHalfWritten },
  {
    words: /^R\d pointer arithmetic on rdonly_untrusted_mem prohibited$/,
    when: ({ op }) => op?.kind === 'alu' && op.op === 'add' && 'reg' in op.src,
  },
  {
    words: /type ID argument must be of a struct/,
    when: ({ program }) => program.btf === undefined,
  },
  {
    words: /^BPF_ATOMIC loads from R\d \w+ is not allowed$/,
    when: ({ op }) => op?.kind === 'load_acquire' && op.dst === op.src,
  },
  {
    words: /^invalid bpf_context access off=-\d+ size=\d$/,
    when: ({ program }) => program.type === 'tracepoint',
  },
  { words: /^R\d type=ctx expected=fp, pkt/, when: ({ called }) => called?.kind === 'kfunc' },
  { words: /^Possibly NULL pointer passed to trusted arg(\d)$/, when: isSizedMemory },
  {
    words: /^R\d must be referenced or trusted$/,
    when: calls('css_rstat_updated', 'bpf_copy_from_user_task_str', 'bpf_sock_addr_set_sun_path'),
  },
  {
    words: /^R\d must have zero offset when passed to release func or trusted arg to kfunc$/,
    when: calls('bpf_refcount_acquire_impl'),
  },
  { words: /^jump into the bpf_fastcall pattern of the call at insn \d+$/ },
  { words: /^R\d may not have the stack pointer of a called function added to it$/ },
  { words: /^callback address is that of the main program$/ },
  {
    words: /^arg#\d is expected to be non-NULL$/,
    when: ({ op }) => op?.kind === 'call' && op.target === 'subprog',
  },
  { words: /^R\d invalid mem access 'map_ptr'$/, when: ({ op, strict }) => !strict && op?.kind === 'ldx' },
  { words: /^a store of a pointer into an unreferenced kptr$/ },
  {
    words: /^R\d !read_ok$/,
    in: (program) =>
      callsSome(program, ({ name }) => SLICES.includes(name)) ||
      comparesLowHalfWithZero(program) ||
      addsRegisters(program),
  },
  { words: /^R(\d) type=scalar expected=/, when: mayBeNull(1) },
  { words: /^R(\d) type=\w+_or_null expected=fp, pkt/, when: mayBeNull(1) },
  { words: /^read from map forbidden, /, when: calls('bpf_dynptr_from_mem') },
  { words: /^Expected an initialized dynptr as arg #0$/, when: calls('bpf_dynptr_clone') },
  {
    words:
      /^arg#(\d) (?:expected pointer to stack or const struct bpf_dynptr|pointer type STRUCT \w+ must point to scalar, or struct with scalar)$/,
    when: mayBeNull(0),
  },
  { words: /^expected an RCU CS when using \w+$/, in: entersRcuAgain },
  // Where the walk comes to the insn, both refuse.
  { words: /^cannot use BPF_LD_\[ABS\|IND\] within callback$/, when: ({ slot }) => slot < 0 },
  { words: /^tail_call would lead to reference leak$/, when: inFunction },
];

/**
 * Finds the line of a refusal that is for one of these reasons; undefined if there is none. All lines are searched, because some messages
 * have two.
 */
export function stricterLine(refused: Refused, program: Program): string | undefined {
  const { slot, lines, profile } = refused;
  const op = slot < 0 ? undefined : decodeAll(program.insns)[slot];
  const called = op === undefined ? undefined : contractOf(program, op);
  const place: Place = { program, strict: profile === 'strict', slot, op, called };
  return lines.find((line) =>
    STRICTER.some((reason) => {
      const match = reason.words.exec(line);
      return (
        match !== null && reason.in?.(program) !== false && reason.when?.(place, match[1] ?? '') !== false
      );
    }),
  );
}

/** Whether a line of a refusal is in the words of one of these reasons, wherever in the program it is. */
export function inStricterWords({ lines }: { readonly lines: readonly string[] }, program: Program): boolean {
  return lines.some((line) =>
    STRICTER.some((reason) => reason.words.test(line) && reason.in?.(program) !== false),
  );
}
