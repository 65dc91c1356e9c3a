/** The types that an object is read for: those of a kernel, or its own where they have to stand for a kernel's. */
import { readFileSync } from 'node:fs';
import type { BtfExt } from './btf/ext.js';
import { Btf } from './btf/read.js';
import type { Target } from './core/relocate.js';
import { CORE_KINDS } from './core/spec.js';
import { kernelTypes } from './kernel/types.js';
import { NotModelled } from './not-modelled.js';
import { isKptr, type KernelTypes, type MapDef } from './program.js';
import type { Operation } from './struct-ops.js';

/** Types that CO-RE relocations are resolved against: see `ReadOptions.targetBtf`. */
export type TargetChoice = Uint8Array | 'kernel' | 'none' | undefined;

/** Where a kernel shows its own types. */
const KERNEL_BTF = '/sys/kernel/btf/vmlinux';
const TYPE_ID_LOCAL = CORE_KINDS.indexOf('type_id_local');

let kernel: Target | undefined;

function targetOf(option: TargetChoice): Target {
  if (option === 'none') return { missing: 'none was given' };
  if (option instanceof Uint8Array) return new Btf(option, 'target BTF', 'the BTF');
  if (kernel === undefined) {
    let bytes: Uint8Array | undefined;
    try {
      bytes = readFileSync(KERNEL_BTF);
    } catch {
      bytes = undefined;
    }
    kernel = bytes
      ? new Btf(bytes, KERNEL_BTF, 'the BTF')
      : { missing: `${KERNEL_BTF} cannot be read, and no BTF file was given` };
  }
  return kernel;
}

/**
 * The types that an object is read for. Where it is to stand in for a struct that the running kernel does not have (a scheduler, on a kernel without
 * sched_ext), no load would succeed there, and nothing of that kernel matters: then the object's own types stand for those of the kernel that it was
 * compiled for.
 */
export function targetFor(
  option: TargetChoice,
  own: Btf | undefined,
  hooks: ReadonlyMap<string, Operation>,
): Target {
  const target = targetOf(option);
  if ((option ?? 'kernel') !== 'kernel' || own === undefined) return target;
  const lacks = [...hooks.values()].some(
    ({ struct }) => 'missing' in target || target.find(struct, 'struct') === undefined,
  );
  return lacks ? own : target;
}

/** Structs that the programs allocate: they are the object's own, and none of a kernel. */
function allocated(btf: Btf, ext: BtfExt | undefined): ReadonlySet<string> {
  const relos = [...(ext?.relos.values() ?? [])].flat();
  return new Set(relos.filter(({ kind }) => kind === TYPE_ID_LOCAL).map(({ type }) => btf.name(type)));
}

const structsByTarget = new WeakMap<Btf, KernelTypes>();

/** The structs of a target; one instance for one BTF, which remembers what was asked. */
function structsOf(target: Btf): KernelTypes {
  const known = structsByTarget.get(target) ?? kernelTypes(target);
  structsByTarget.set(target, known);
  return known;
}

/** The structs of a target. `types`: those of the object, which may be the target. */
export function structsFor(
  target: Target,
  types: { readonly btf: Btf; readonly ext: BtfExt | undefined } | undefined,
): KernelTypes | undefined {
  if ('missing' in target) return undefined;
  return target === types?.btf ? kernelTypes(target, allocated(types.btf, types.ext)) : structsOf(target);
}

/**
 * Throws NotModelled where a map holds pointers to a struct that only a kernel can tell: a name that programs do not allocate themselves is looked up in
 * the kernel's types (btf_find_kptr of kernel/bpf/btf.c), and without them nobody knows what is pointed to.
 */
export function needsNoKernel(
  target: Target,
  types: { readonly btf: Btf; readonly ext: BtfExt | undefined } | undefined,
  maps: readonly MapDef[],
): void {
  if (!('missing' in target) || types === undefined) return;
  const own = allocated(types.btf, types.ext);
  for (const { name, fields } of maps)
    for (const field of fields)
      if (isKptr(field) && field.struct !== undefined && !own.has(field.struct))
        throw new NotModelled(
          `struct '${field.struct}', to which map '${name}' holds pointers, is looked up in a kernel's BTF: ${target.missing}`,
        );
}
