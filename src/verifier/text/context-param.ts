/** Which parameters of global subprograms are the context: by the name of their type, or by the tag `arg:ctx` with a type that suits it. */
import { progType } from '../../kernel/progtypes.js';
import type { Btf } from '../../object/btf/read.js';
import type { BtfType } from '../../object/btf/types.js';
import type { Program, ProgType } from '../../object/program.js';

/**
 * A pointer to type `id` is the context, by the name under which the kernel knows the context of this type of program
 * (btf_is_prog_ctx_type). Names are compared as they stand: a flavour of the struct (`___x`) is another one.
 */
export function isContext(program: Program, btf: Btf, id: number): boolean {
  const { struct } = progType(program.type);
  if (struct === undefined) return false;
  if (program.type === 'kprobe' && isUserRegs(btf, id)) return true;
  const { type } = btf.resolve(id);
  if (type.kind !== 'struct' && type.kind !== 'union') return false;
  return type.name === struct || BEHIND[struct]?.includes(type.name) === true;
}

const REGISTERS = 'pt_regs';

/** Other names for the context: the kernel's own struct behind it (btf_is_projection_of), or the struct that the typedef is of. */
const BEHIND: Readonly<Record<string, readonly string[]>> = {
  __sk_buff: ['sk_buff'],
  xdp_md: ['xdp_buff'],
  bpf_user_pt_regs_t: [REGISTERS],
};

/** The typedef that programs on probes know registers by, behind const and the like. */
function isUserRegs(btf: Btf, id: number): boolean {
  for (let at = id; ; ) {
    const type = btf.type(at);
    if (type.kind === 'typedef') return type.name === 'bpf_user_pt_regs_t';
    if (!('type' in type) || type.kind === 'ptr') return false;
    at = type.type;
  }
}

/**
 * Why a pointer to type `id` may not be tagged `arg:ctx` in this program, in Linux's words without the argument's number; undefined if it
 * may (btf_validate_prog_ctx_type).
 */
export function refusedAsContext(program: Program, btf: Btf, id: number): string | undefined {
  const { type: prog } = program;
  if ((prog === 'kprobe' || prog === 'perf_event') && isUserRegs(btf, id)) return undefined;
  const { type } = btf.resolve(id);
  if (type.kind === 'void') return undefined;
  if (!('name' in type) || type.name === '') return "type doesn't have a name";
  if (SUITS[prog]?.(type) === true) return undefined;
  const name = progType(prog).struct;
  if (name === undefined) return 'should be void pointer';
  const struct = prog === 'kprobe' ? REGISTERS : name;
  return type.kind === 'struct' && type.name === struct ? undefined : `should be \`struct ${struct} *\``;
}

type Suits = (type: BtfType) => boolean;

const isStruct =
  (name: RegExp): Suits =>
  (type) =>
    type.kind === 'struct' && name.test(type.name);
const isWord: Suits = (type) => type.kind === 'int' && type.size === 8;

/** What else than the struct of the program type may be tagged. */
const SUITS: Partial<Record<ProgType, Suits>> = {
  // x86-64, where bpf_user_pt_regs_t is struct pt_regs.
  perf_event: isStruct(/^pt_regs$/),
  raw_tracepoint: isWord,
  raw_tracepoint_writable: isWord,
  tp_btf: (type) => isWord(type) || isStruct(/^bpf_raw_tracepoint_args$/)(type),
  iter: isStruct(/^bpf_iter__/),
  fentry: isWord,
  lsm: isWord,
  tracepoint: () => true,
  syscall: () => true,
};
