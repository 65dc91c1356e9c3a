/**
 * The kernel's own structs, as a program may walk them, out of the BTF of a kernel. Follows btf_struct_access, btf_struct_walk and
 * btf_ctx_access of kernel/bpf/btf.c. Nothing is decoded before it is asked for.
 */
import type { Btf } from '../btf/read.js';
import type { BtfType, Composite } from '../btf/types.js';
import type { Attachment, KernelArgument, KernelTypes, ProgType, StructAccess } from '../program.js';
import { Hooks } from './hooks.js';
import { isStruct, isTarget, tagOf } from './shape.js';

const isNumber = ({ kind }: BtfType): boolean => kind === 'int' || kind.startsWith('enum');
/** Variables for each CPU that schedulers and profilers name. */
const PERCPU_VARIABLES: ReadonlySet<string> = new Set(
  'runqueues bpf_prog_active cpu_number current_task pcpu_hot cpu_info irq_stat kernel_cpustat kstat sd_llc sd_llc_size sd_llc_id sd_numa sd_asym_packing cpufreq_cpu_data vm_event_states arch_freq_scale cpu_scale hw_pressure hrtimer_bases tick_cpu_sched'.split(
    ' ',
  ),
);

/** How deep structs may lie in one that counts as memory. */
const MAX_PLAIN_DEPTH = 3;

/** Where an access may still lead: the struct looked at, and the offset in it. */
interface Step {
  readonly struct: Composite;
  readonly offset: number;
}

type Outcome = StructAccess | { readonly kind: 'into'; readonly step: Step };

class KernelStructs implements KernelTypes {
  private readonly ids = new Map<string, number | undefined>();
  private readonly accesses = new Map<string, StructAccess>();
  private readonly hooks: Hooks;

  /** `own`: the types are those of an object, where pointers lead to structs that are only declared; and these structs are none of a kernel's. */
  constructor(
    private readonly btf: Btf,
    private readonly own: ReadonlySet<string> | undefined,
  ) {
    this.hooks = new Hooks(btf, own !== undefined);
  }

  private idOf(name: string): number | undefined {
    if (this.own?.has(name) === true) return undefined;
    if (!this.ids.has(name)) {
      const numbered = /^btf_id (\d+)$/.exec(name);
      const id =
        numbered !== null
          ? Number(numbered[1])
          : (this.btf.find(name, 'struct') ?? this.btf.find(name, 'union'));
      this.ids.set(name, id === undefined || id >= this.btf.count ? undefined : id);
    }
    return this.ids.get(name);
  }

  has(name: string): boolean {
    const id = this.idOf(name);
    return id !== undefined && isStruct(this.btf.resolve(id).type);
  }

  nameOf(id: number): string | undefined {
    if (id <= 0 || id >= this.btf.count) return undefined;
    const { type } = this.btf.resolve(id);
    return isStruct(type) && type.name !== '' ? type.name : undefined;
  }

  variable(id: number): { struct: string | undefined; size: number; percpu: boolean } | undefined {
    if (id <= 0 || id >= this.btf.count) return undefined;
    const type = this.btf.type(id);
    if (type.kind === 'func') return { struct: undefined, size: 0, percpu: false };
    if (type.kind !== 'var') return undefined;
    const { type: target } = this.btf.resolve(type.type);
    return {
      struct: isTarget(target, this.own !== undefined) ? target.name : undefined,
      size: this.btf.size(type.type) ?? 0,
      // An object does not say which variables of a kernel there are for each CPU.
      percpu: this.own === undefined ? this.percpuVariables().has(id) : PERCPU_VARIABLES.has(type.name),
    };
  }

  private percpu: ReadonlySet<number> | undefined;
  private percpuVariables(): ReadonlySet<number> {
    if (this.percpu === undefined) {
      const section = this.btf.find('.data..percpu', 'datasec');
      const type = section === undefined ? undefined : this.btf.type(section);
      this.percpu = new Set(type?.kind === 'datasec' ? type.vars.map((one) => one.type) : []);
    }
    return this.percpu;
  }

  /** btf_struct_ids_match, not strict. */
  holds(struct: string, offset: number, inner: string): boolean {
    if (offset === 0 && struct === inner) return true;
    const id = this.idOf(struct);
    const { type } = id === undefined ? { type: undefined } : this.btf.resolve(id);
    if (type === undefined || !isStruct(type)) return false;
    let step: Step = { struct: type, offset };
    for (let depth = 0; depth < 64; depth++) {
      const outcome = this.inside(step, 1, false);
      if (outcome.kind !== 'into') return false;
      step = outcome.step;
      if (step.offset === 0 && step.struct.name === inner) return true;
    }
    return false;
  }

  /** __btf_type_is_scalar_struct. */
  plainSize(struct: string): number | undefined {
    const id = this.idOf(struct);
    if (id === undefined || !this.isPlain(id, 0)) return undefined;
    return this.btf.size(id);
  }

  private isPlain(id: number, depth: number): boolean {
    const { type } = this.btf.resolve(id);
    if (type.kind !== 'struct' || depth >= MAX_PLAIN_DEPTH) return false;
    return type.members.every((member) => {
      const { type: inner, id: at } = this.btf.resolve(member.type);
      if (inner.kind === 'struct') return this.isPlain(at, depth + 1);
      if (inner.kind === 'array') return inner.count > 0 && isNumber(this.btf.resolve(inner.element).type);
      return isNumber(inner);
    });
  }

  member(struct: string, name: string): { offset: number; size: number } | undefined {
    const id = this.idOf(struct);
    const type = id === undefined ? undefined : this.btf.resolve(id).type;
    const found =
      type !== undefined && isStruct(type) ? type.members.find((one) => one.name === name) : undefined;
    if (found === undefined) return undefined;
    return { offset: Math.floor(found.bitOffset / 8), size: this.btf.size(found.type) ?? 0 };
  }

  access(name: string, offset: number, size: number): StructAccess {
    const key = `${name} ${offset} ${size}`;
    let found = this.accesses.get(key);
    if (found === undefined) {
      found = this.walk(name, offset, size);
      this.accesses.set(key, found);
    }
    return found;
  }

  private walk(name: string, offset: number, size: number): StructAccess {
    const id = this.idOf(name);
    const { type } = id === undefined ? { type: undefined } : this.btf.resolve(id);
    if (type === undefined || !isStruct(type))
      return { kind: 'refused', message: `Type '${name}' is not a struct` };
    let step: Step = { struct: type, offset };
    let viaUnion = false;
    for (let depth = 0; depth < 64; depth++) {
      // A union with one member is no real union (__bpf_md_ptr).
      if (step.struct.kind === 'union' && step.struct.members.length !== 1) viaUnion = true;
      const outcome = this.inside(step, size, viaUnion);
      if (outcome.kind !== 'into') return outcome;
      step = outcome.step;
    }
    return { kind: 'refused', message: `Type '${name}' nests too deep` };
  }

  private inside({ struct, offset }: Step, size: number, viaUnion: boolean): Outcome {
    if (offset + size > struct.size) return this.flexible({ struct, offset }, size);
    for (const member of struct.members) {
      const at = Math.floor(member.bitOffset / 8);
      if (offset + size <= at) break;
      if (member.bitSize > 0) {
        const end = Math.ceil((member.bitOffset + member.bitSize) / 8);
        if (offset <= at && end <= offset + size) return { kind: 'scalar' };
        continue;
      }
      if (offset < at) break;
      const outcome = this.inMember(struct, member, at, offset, size, viaUnion);
      if (outcome !== undefined) return outcome;
    }
    return { kind: 'refused', message: `struct ${struct.name} doesn't have field at offset ${offset}` };
  }

  private inMember(
    struct: Composite,
    member: Composite['members'][number],
    start: number,
    offset: number,
    size: number,
    viaUnion: boolean,
  ): StructAccess | { kind: 'into'; step: Step } | undefined {
    const whole = this.btf.size(member.type);
    if (whole === undefined) return { kind: 'refused', message: `field ${member.name} doesn't have size` };
    const end = start + whole;
    if (offset >= end) return undefined;
    let at = start;
    let { type } = this.btf.resolve(member.type);
    if (type.kind === 'array') {
      if (whole === 0) return undefined;
      while (type.kind === 'array') {
        const element: number = type.element;
        type = this.btf.resolve(element).type;
        if (type.kind === 'array') continue;
        const each = this.btf.size(element) ?? 0;
        if (each === 0) return undefined;
        at += Math.floor((offset - at) / each) * each;
      }
    }
    if (isStruct(type)) return { kind: 'into', step: { struct: type, offset: offset - at } };
    if (type.kind === 'ptr') {
      if (size !== 8 || offset !== at) {
        return {
          kind: 'refused',
          message: `cannot access ptr member ${member.name} with moff ${at} in struct ${struct.name} with off ${offset} size ${size}`,
        };
      }
      const target = this.btf.resolve(type.type).type;
      if (isTarget(target, this.own !== undefined)) {
        const tag = tagOf(this.btf, type.type);
        return {
          kind: 'pointer',
          to: target.name === '' ? `btf_id ${this.btf.resolve(type.type).id}` : target.name,
          member: member.name,
          viaUnion,
          ...(tag === undefined ? {} : { tag }),
        };
      }
      return { kind: 'pointer', to: 'void', member: member.name, viaUnion };
    }
    if (offset + size > end && !viaUnion) {
      return {
        kind: 'refused',
        message: `access beyond the end of member ${member.name} (mend:${end}) in struct ${struct.name} with off ${offset} size ${size}`,
      };
    }
    return { kind: 'scalar' };
  }

  /** Beyond the end of a struct whose last member is an array of no certain length. */
  private flexible({ struct, offset }: Step, size: number): Outcome {
    const beyond: StructAccess = {
      kind: 'refused',
      message: `access beyond struct ${struct.name} at off ${offset} size ${size}`,
    };
    const last = struct.members.at(-1);
    const array = last === undefined ? undefined : this.btf.resolve(last.type).type;
    if (last === undefined || array?.kind !== 'array' || array.count !== 0) return beyond;
    const at = Math.floor(last.bitOffset / 8);
    if (offset < at) return beyond;
    const { type } = this.btf.resolve(array.element);
    if (type.kind === 'int') return { kind: 'scalar' };
    if (!isStruct(type) || type.size === 0) return beyond;
    return { kind: 'into', step: { struct: type, offset: (offset - at) % type.size } };
  }

  arguments(type: ProgType, attach: Attachment): readonly KernelArgument[] | undefined {
    return this.hooks.arguments(type, attach);
  }

  hook(type: ProgType, attach: Attachment): { returns?: string; index?: number } | undefined {
    return this.hooks.hook(type, attach);
  }
}

/** The structs of the kernel that this BTF is of. `own`: it is an object's, of which these structs are none of a kernel's. */
export function kernelTypes(btf: Btf, own?: ReadonlySet<string>): KernelTypes {
  return new KernelStructs(btf, own);
}
