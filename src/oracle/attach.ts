/** Finds a program's attach target in the kernel's own BTF, because the kernel wants its id. */
import type { Program, ProgType } from '../object/program.js';
import { operationOf } from '../object/struct-ops.js';
import { kernelTypeId } from './btf.js';
import { KernelError } from './syscall.js';

/** By type: kind and name of the BTF type that stands for a target (find_attach_btf_id of libbpf). */
const TARGETS: Partial<Record<ProgType, readonly [kind: 'typedef' | 'func', prefix: string]>> = {
  tp_btf: ['typedef', 'btf_trace_'],
  iter: ['func', 'bpf_iter_'],
  fentry: ['func', ''],
  lsm: ['func', 'bpf_lsm_'],
};

/**
 * The attach_btf_id of a load; 0 for programs that name no target, and for those that replace a function of a program. Throws KernelError where the running kernel has nothing of that
 * name.
 */
export function attachTarget(program: Program): number {
  if (program.replaces !== undefined) return 0;
  if (program.type === 'struct_ops') return structOf(program);
  const named = TARGETS[program.type];
  const target = program.attach?.target;
  if (named === undefined || target === undefined) return 0;
  const [kind, prefix] = named;
  const id = kernelTypeId(`${prefix}${target}`, kind);
  if (id !== undefined) return id;
  throw new KernelError(
    'load program',
    'ESRCH',
    `${prefix}${target}, to which it attaches, is not in this kernel's BTF`,
  );
}

/** The struct of functions in which a struct_ops program stands (check_struct_ops_btf_id). */
function structOf({ attach }: Program): number {
  const operation = operationOf(attach?.target);
  if (operation === undefined) return 0;
  const id = kernelTypeId(operation.struct, 'struct');
  if (id !== undefined) return id;
  throw new KernelError(
    'load program',
    'ESRCH',
    `struct ${operation.struct}, in which it stands, is not in this kernel's BTF`,
  );
}
