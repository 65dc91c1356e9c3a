/**
 * Weak kfuncs: an object that declares a kfunc `__weak` is loaded by kernels that do not have it as well. libbpf then puts 0 where its
 * address is loaded, and poisons its calls; the program is to find out in time.
 */
import {
  BPF_CALL,
  BPF_DW,
  BPF_HELPER_CALL,
  BPF_IMM,
  BPF_JMP,
  BPF_LD,
  BPF_PSEUDO_KFUNC_CALL,
  IMM64_CODES,
} from '../isa/opcodes.js';
import type { Program, WeakKfunc } from './program.js';

const LD_IMM64 = BPF_LD | BPF_IMM | BPF_DW;
const CALL = BPF_JMP | BPF_CALL;

/** What libbpf calls in place of a weak kfunc that the kernel does not have: no helper, as long as nothing reaches it (POISON_CALL_KFUNC_BASE). */
export const MISSING_KFUNC = 2_002_000_000;

/** The program as kernels load it that lack these kfuncs. */
export interface WithoutKfuncs {
  /** Names, in the order of the program. */
  readonly absent: readonly string[];
  readonly program: Program;
}

/** Weak kfuncs of one program that are tried in every combination. */
export const MOST_WEAK = 4;

/**
 * The program as each kernel loads it that lacks some of its weak kfuncs, for every combination of them. Undefined where there are more
 * than MOST_WEAK.
 */
export function withoutWeakKfuncs(program: Program): readonly WithoutKfuncs[] | undefined {
  const weak = program.weakKfuncs ?? [];
  if (weak.length > MOST_WEAK) return undefined;
  return Array.from({ length: 2 ** weak.length - 1 }, (_, i) =>
    withoutKfuncs(
      program,
      weak.filter((__, bit) => ((i + 1) & (1 << bit)) !== 0),
    ),
  );
}

/** The program as a kernel loads it that lacks these of its weak kfuncs. */
export function withoutKfuncs(program: Program, absent: readonly WeakKfunc[]): WithoutKfuncs {
  const ids = new Set(absent.flatMap(({ btfId }) => (btfId === undefined ? [] : [btfId])));
  const names = new Set(absent.map(({ name }) => name));
  const { weakKfuncs: _, ...rest } = program;
  let second = false;
  const insns = program.insns.map((insn) => {
    const isSecond = second;
    second = !isSecond && insn.opcode === LD_IMM64;
    if (isSecond) return insn;
    if (second && insn.src === IMM64_CODES.btf_id && ids.has(insn.imm))
      return { ...insn, src: IMM64_CODES.imm, imm: 0 };
    const calls = insn.opcode === CALL && insn.src === BPF_PSEUDO_KFUNC_CALL && insn.off === 0;
    if (calls && names.has(program.kfuncs[insn.imm] ?? ''))
      return { ...insn, src: BPF_HELPER_CALL, imm: MISSING_KFUNC };
    return insn;
  });
  return { absent: absent.map(({ name }) => name), program: { ...rest, insns } };
}
