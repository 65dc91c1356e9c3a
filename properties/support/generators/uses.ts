/** What the insns of a program do, as the verifier sees it: which pointers are read, moved, compared and passed to which function, what is held then. */
import { decodeAll } from '../../../src/isa/decode.js';
import { contractOf } from '../../../src/kernel/catalog.js';
import type { Program } from '../../../src/object/program.js';
import type { Facts } from '../../../src/verifier/result.js';
import type { Reg, State } from '../../../src/verifier/state/state.js';
import { shapeOf } from './census.js';

/** A register in a word: the kind of pointer, whether it moved by a number that is not known, and numbers by their sign and size. */
function kindOf(reg: Reg): string {
  if (reg.type !== 'scalar')
    return `${reg.nullable ? 'maybe ' : ''}${reg.nonOwning ? 'borrowed ' : ''}${reg.type}${reg.num.mask === 0n ? '' : '+n'}`;
  if (reg.num.mask !== 0n) return 'number';
  return reg.num.value === 0n ? 'zero' : 'constant';
}

const isPointer = (reg: Reg): boolean => reg.type !== 'scalar' && reg.type !== 'uninit';

function held({ refs, rcu, preempt }: State): string {
  const words = [
    ...refs.map(({ kind }) => kind),
    ...(rcu ? ['rcu'] : []),
    ...(preempt > 0 ? ['preempt'] : []),
  ];
  return words.sort().join('+');
}

/** One line for each use that the program makes of something; see the head of the file. */
export function usesOf(program: Program, facts: Facts): ReadonlySet<string> {
  const uses = new Set<string>();
  decodeAll(program.insns).forEach((op, at) => {
    if (op === undefined) return;
    const { state } = facts.at(at)[0] ?? {};
    if (state === undefined) return;
    const { regs } = state.frames.at(-1)!;
    const reg = (n: number): string => kindOf(regs[n]!);
    const shape = shapeOf(op);
    if (op.kind === 'call' && op.target !== 'subprog') {
      const contract = contractOf(program, op);
      if (contract === undefined) return;
      for (const n of contract.args.keys()) uses.add(`${contract.name} r${n + 1} ${reg(n + 1)}`);
      for (const kind of held(state).split('+')) if (kind !== '') uses.add(`call in ${kind}`);
      uses.add(`call holding ${held(state)}`);
      uses.add(`${contract.name} from frame ${state.frames.length}`);
    } else if (op.kind === 'ldx' || op.kind === 'load_acquire') uses.add(`${shape} from ${reg(op.src)}`);
    else if (op.kind === 'st') uses.add(`${shape} to ${reg(op.dst)}`);
    else if (op.kind === 'stx' || op.kind === 'store_release' || op.kind === 'atomic')
      uses.add(`${shape} of ${reg(op.src)} to ${reg(op.dst)}`);
    else if (
      op.kind === 'jmp' &&
      (isPointer(regs[op.dst]!) || ('reg' in op.src && isPointer(regs[op.src.reg]!)))
    )
      uses.add(`${shape} ${reg(op.dst)} ${'reg' in op.src ? reg(op.src.reg) : op.src.imm}`);
    else if (
      op.kind === 'alu' &&
      (isPointer(regs[op.dst]!) || ('reg' in op.src && isPointer(regs[op.src.reg]!)))
    )
      uses.add(
        `${shape} ${reg(op.dst)} ${'reg' in op.src ? reg(op.src.reg) : op.src.imm < 0 ? 'below' : 'above'}`,
      );
    else if (op.kind === 'exit')
      uses.add(`exit of ${program.type} frame ${state.frames.length} with ${reg(0)}`);
  });
  for (const { kind } of program.maps.flatMap(({ fields }) => fields)) uses.add(`field ${kind}`);
  return uses;
}
