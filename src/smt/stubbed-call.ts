/** A stub as the verifier sees it: which registers, memory and slots are known after it. Output memory that it does not write becomes unwritten. */
import type { Arg, Contract } from '../kernel/contract.js';
import { DYNPTR_SIZE, ITER_WORDS } from '../kernel/structs.js';
import type { Program } from '../object/program.js';
import type { Stub } from '../patch/rule.js';
import { checkHelperMem } from '../verifier/call/args-memory.js';
import { makeDynptr } from '../verifier/call/args-slots.js';
import { constant, isConst } from '../verifier/scalar/scalar.js';
import type { Path } from '../verifier/state/path.js';
import { scalarReg, UNINIT } from '../verifier/state/regs.js';
import { markLeftUnwritten } from '../verifier/state/stack.js';
import type { Reg } from '../verifier/state/state.js';

/** Bytes that the function would write through this argument; undefined when it writes none, or how many is not known. */
function outputBytes(
  program: Program,
  contract: Contract,
  args: readonly Reg[],
  index: number,
): number | undefined {
  const arg: Arg = contract.args[index]!;
  switch (arg.kind) {
    case 'mem': {
      if (arg.access === 'read') return undefined;
      if ('bytes' in arg.size) return arg.size.bytes;
      const size = args[arg.size.arg]!;
      return size.type === 'scalar' && isConst(size.num) ? Number(size.num.umax) : undefined;
    }
    case 'map_value': {
      const map = args[contract.args.findIndex(({ kind }) => kind === 'map')];
      return arg.uninit === true && map !== undefined ? program.maps[map.map]?.valueSize : undefined;
    }
    case 'dynptr':
      return arg.state === 'uninit' ? DYNPTR_SIZE : undefined;
    case 'iter':
      return arg.state === 'uninit' ? ITER_WORDS[arg.type] * 8 : undefined;
    // Saved IRQ flags are written only where the call takes something, so a stub leaves them as a failed call does.
    default:
      return undefined;
  }
}

/** Changes the path to what holds after the stub at slot `at`, and returns r0. */
export function stubbedCall(p: Path, args: readonly Reg[], contract: Contract, stub: Stub, at: number): Reg {
  for (let index = 0; index < contract.args.length; index++) {
    const size = outputBytes(p.program, contract, args, index);
    if (size === undefined) continue;
    const reg = args[index]!;
    const slot = stub.slots.find((s) => s.arg === index);
    const effect =
      slot === undefined
        ? undefined
        : contract.outcomes
            .flatMap((o) => o.effects)
            .find((e) => e.kind === 'init_dynptr' && e.arg === index);
    if (effect?.kind === 'init_dynptr') {
      // The null dynptr holds nothing, but the program must destroy it all the same, as after a failed call.
      const ref = effect.acquires === undefined ? 0 : p.newId();
      if (ref !== 0) p.acquire({ id: ref, kind: 'pointer', at });
      makeDynptr(p, reg, effect.type, ref, p.newId());
    } else if (stub.writes.includes(index)) checkHelperMem(p, reg, index + 1, size, 'write', true);
    else markLeftUnwritten(p, reg, size);
  }
  return stub.r0 === 'void' ? UNINIT : scalarReg(constant(stub.r0));
}
