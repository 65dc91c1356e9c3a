/**
 * The insns that end a program, also early, and what must be true of the path there. Follows check_return_code and check_ld_abs of
 * kernel/bpf/verifier.c.
 */
import { exceptionCallbackOf, type ProgType } from '../../object/program.js';
import type { Path } from '../state/path.js';
import { ownedRef } from '../state/regs.js';
import { refuse, unsupported } from '../text/refusal.js';
import { checkResourceLeak, checkReturn, requireRange } from './leaks.js';

/** The outermost function returns: the main program, a callback that runs later, a global subprogram verified on its own. */
export function checkOutermostReturn(path: Path): void {
  const { frame } = path;
  const r0 = path.reg(0);
  if (frame.callback !== undefined) {
    if (r0.type === 'uninit') refuse('R0 !read_ok');
    requireRange(r0, frame.callback.returns, 'At async callback return');
  } else if (frame.subprog !== 0 && exceptionCallbackOf(path.program)?.start !== frame.subprog) {
    if (r0.type === 'uninit') refuse('R0 !read_ok');
    if (r0.type !== 'scalar') refuse('At subprogram exit the register R0 is not a scalar value');
  } else {
    checkHandedOut(path);
    checkReturn(path);
  }
}

/** A struct_ops program may return a reference that it holds (check_reference_leak); who gives it back is then the kernel. */
function checkHandedOut(path: Path): void {
  const { type, attach } = path.program;
  const r0 = path.reg(0);
  if (type === 'struct_ops' && attach?.returns?.startsWith('*') === true && ownedRef(r0) !== 0)
    unsupported('a struct_ops program that returns a reference it holds is not modelled');
}

/** Types of programs that are given an skb and may use the packet loads of classic BPF (may_access_skb). */
const LOADS_PACKET: ReadonlySet<ProgType> = new Set(['socket_filter', 'tc', 'action']);

/** A packet load of classic BPF, at an offset in register `src` if that is not negative, may end the function that it is in. */
export function checkPacketLoad(path: Path, src: number): void {
  if (!LOADS_PACKET.has(path.program.type))
    refuse('BPF_LD_[ABS|IND] instructions not allowed for this program type');
  checkResourceLeak(path, 'BPF_LD_[ABS|IND]', path.depth > 0);
  if (path.reg(6).type !== 'ctx') refuse('at the time of BPF_LD_ABS|IND R6 != pointer to skb');
  if (src >= 0 && path.reg(src).type === 'uninit') refuse(`R${src} !read_ok`);
  for (let depth = 1; depth <= path.depth; depth++) {
    if (path.frameAt(depth).callback !== undefined) refuse('cannot use BPF_LD_[ABS|IND] within callback');
  }
}
