/** Describes an insn for a person: its slot, its text, and the source line that it comes from. */
import { formatOp } from '../../isa/disassemble.js';
import { symbolsWith } from '../../kernel/catalog.js';
import type { LineInfo, Program } from '../../object/program.js';
import type { Code } from '../text/code.js';

/** An insn, in words that a person can look up in the source. */
export interface Place {
  readonly slot: number;
  readonly insn: string;
  /** Function of the program that it is in. */
  readonly function: string;
  readonly file?: string;
  readonly line?: number;
  /** The line itself, where the object has it. */
  readonly source?: string;
}

/** Finds the text, the function and the source line of insns. Without line info only slot and text are known. */
export class Places {
  private readonly lines: readonly LineInfo[];

  constructor(
    private readonly program: Program,
    private readonly code: Code,
  ) {
    this.lines = [...(program.lines ?? [])].sort((a, b) => a.slot - b.slot);
  }

  at(slot: number): Place {
    const { program, code } = this;
    const op = code.ops[slot];
    const insn =
      op === undefined
        ? ''
        : formatOp(op, {
            ...symbolsWith(program.declared),
            maps: program.maps.map(({ name }) => name),
            kfuncs: program.kfuncs,
          });
    const found = this.lineOf(slot);
    const source = found?.text.trim() ?? '';
    return {
      slot,
      insn,
      function: this.functionOf(slot),
      ...(found !== undefined && { file: found.file, line: found.line }),
      ...(source !== '' && { source }),
    };
  }

  functionOf(slot: number): string {
    const start = this.code.subprogStart[slot];
    return this.program.subprogs.find((one) => one.start === start)?.name ?? '';
  }

  /** The last line that begins at the slot or before it, in the same function (bpf_find_linfo). */
  private lineOf(slot: number): LineInfo | undefined {
    const start = this.code.subprogStart[slot] ?? 0;
    return this.lines.findLast((one) => one.slot <= slot && one.slot >= start);
  }
}
