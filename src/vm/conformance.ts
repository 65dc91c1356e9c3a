/**
 * The plug-in protocol of the public bpf_conformance runner: a program and some memory in, r0 out. Plain RFC 9669: r1 is the memory's
 * address and r2 its length, there are no helpers, nothing is verified but that every insn is defined and leads somewhere.
 */
import { fromBytes } from '../isa/bytes.js';
import { InputError } from '../isa/errors.js';
import { targetOf } from '../isa/target.js';
import { address } from './state/address.js';
import { prepare } from './state/code.js';
import { parseHex } from './state/environment.js';
import { Vm } from './vm.js';

/** Insns that a conformance program may execute. */
const LIMIT = 10_000_000;

/** Bytes from hex text, blanks and line ends aside. Throws InputError. */
function bytesOf(text: string, what: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  try {
    return parseHex(digits);
  } catch {
    throw new InputError(`the ${what} is not bytes in hex`);
  }
}

/**
 * Runs a program given as hex on memory given as hex and answers r0, unsigned. Throws InputError for a program that is refused, or that
 * goes wrong: an undefined insn, a jump to nowhere, an access outside of its memory, no end.
 */
export function runConformance(programHex: string, memoryHex = ''): bigint {
  const insns = fromBytes(bytesOf(programHex, 'program'));
  if (insns.length === 0) throw new InputError('the program is empty');
  const memory = bytesOf(memoryHex, 'memory');
  const program = {
    name: 'conformance',
    type: 'syscall' as const,
    insns,
    maps: [],
    kfuncs: [],
    subprogs: [],
    localTypes: [],
  };
  insns.forEach((insn, slot) => {
    if (insn.opcode === 0x85 && insn.src !== 1)
      throw new InputError(`insn ${slot}: there are no helper functions here`);
  });
  const code = prepare(program);
  code.ops.forEach((op, slot) => {
    const target = op && targetOf(op, slot);
    if (target !== undefined && code.ops[target] === undefined) {
      throw new InputError(`insn ${slot}: it leads to slot ${target}, where no insn starts`);
    }
    if (op?.kind === 'ld_imm64' && op.as !== 'imm')
      throw new InputError(`insn ${slot}: there are no maps here`);
  });
  const vm = new Vm(code, { maxSteps: LIMIT });
  const { machine } = vm;
  // Registers start as zero; the standard leaves it open.
  for (let reg = 0; reg < 10; reg++) machine.write(reg, 0n);
  if (memory.length > 0) {
    const region = machine.memory.add({ kind: 'mem', name: 'memory', bytes: memory, writable: true });
    machine.write(1, address(region, 0));
    machine.write(2, BigInt(memory.length));
  }
  const result = vm.run();
  const broken = result.violations[0];
  if (broken !== undefined) throw new InputError(`insn ${broken.slot}: ${broken.message}`);
  if (result.end === 'limit') throw new InputError(`no end within ${LIMIT} insns`);
  return result.r0;
}
