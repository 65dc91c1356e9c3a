/** Loads from the context and stores to it. Follows check_ctx_access of kernel/bpf/verifier.c and btf_ctx_access of kernel/bpf/btf.c. */
import { contextField, contextMember, progType } from '../../kernel/progtypes.js';
import type { Path } from '../state/path.js';
import { ATTACHED, pointerReg } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import { userStruct } from './btf-access.js';

const invalid = (at: number, size: number): never =>
  refuse(`invalid bpf_context access off=${at} size=${size}`);

/** The result of a load; undefined for an unknown number. */
export function loadContext(p: Path, at: number, size: number): Reg | undefined {
  const { type, attach } = p.program;
  if (progType(type).arguments === true) return loadArgument(p, at, size);
  const field = contextField(type, at, size, 'read', attach);
  switch (field) {
    case undefined:
      return invalid(at, size);
    case 'scalar':
      return undefined;
    case 'packet':
    case 'packet_meta':
    case 'packet_end':
    case 'flow_keys':
    case 'sock':
      return pointerReg(field);
    case 'sock_common':
      return pointerReg('sock_common', { nullable: true, id: p.newId() });
    case 'sock_or_null':
      return pointerReg('sock', { nullable: true, id: p.newId() });
    case 'tp_buffer':
      return pointerReg('buffer', { struct: ATTACHED });
    case 'btf':
      return pointerReg('btf', { struct: contextMember(type, at)?.struct ?? '', trust: 'trusted' });
  }
}

/** Bytes of the arguments that a program may look at (MAX_BPF_FUNC_ARGS). */
const ARGUMENTS = 12 * 8;

/** The result of loading one argument of the function that the program attaches to. */
function loadArgument(p: Path, at: number, size: number): Reg | undefined {
  if (at >= ARGUMENTS || at % size !== 0) invalid(at, size);
  const { type, attach, kernelTypes } = p.program;
  const target = attach?.target ?? '';
  const args = attach === undefined ? undefined : kernelTypes?.arguments(type, attach);
  // Without a kernel's types nothing is known of the arguments: every word is a number.
  if (args === undefined) return undefined;
  if (at % 8 !== 0) refuse(`func '${target}' offset ${at} is not multiple of 8`);
  const arg = args[at / 8] ?? refuse(`func '${target}' doesn't have ${at / 8 + 1}-th argument`);
  switch (arg.kind) {
    case 'refused':
      return refuse(arg.message);
    case 'scalar':
      if (arg.size === 8 && size !== 8) refuse(`func '${target}' size ${size} must be 8`);
      return undefined;
    case 'buffer':
      if (size !== 8) refuse(`func '${target}' size ${size} must be 8`);
      return pointerReg('buffer', { nullable: true, id: p.newId(), readonly: arg.readonly });
    case 'pointer': {
      if (size !== 8) refuse(`func '${target}' size ${size} must be 8`);
      const struct = arg.tag === 'user' ? userStruct(arg.to) : arg.to;
      return pointerReg('btf', {
        struct,
        trust: arg.trust,
        nullable: arg.nullable,
        percpu: arg.tag === 'percpu',
        id: arg.nullable ? p.newId() : 0,
      });
    }
  }
}

/** Refuses a store that the program type does not allow. */
export function storeContext(p: Path, at: number, size: number): void {
  const { type, attach } = p.program;
  if (contextField(type, at, size, 'write', attach) === undefined) invalid(at, size);
}
