/**
 * The fields of a map value or of an allocated struct that only helpers may touch: found by the names of their BTF
 * structs, by type tags (kptr) and by `contains:` declaration tags. Follows btf_parse_fields of kernel/bpf/btf.c.
 */
import { NotModelled } from '../not-modelled.js';
import type { SpecialField } from '../program.js';
import { type Btf, MAX_DEPTH } from './read.js';

const STRUCTS: Readonly<Record<string, SpecialField['kind']>> = {
  bpf_spin_lock: 'spin_lock',
  bpf_res_spin_lock: 'res_spin_lock',
  bpf_timer: 'timer',
  bpf_wq: 'wq',
  bpf_list_head: 'list_head',
  bpf_list_node: 'list_node',
  bpf_rb_root: 'rb_root',
  bpf_rb_node: 'rb_node',
  bpf_refcount: 'refcount',
};

const KPTR_TAGS: Readonly<Record<string, SpecialField['kind']>> = {
  kptr: 'kptr',
  kptr_untrusted: 'kptr_untrusted',
  percpu_kptr: 'kptr_percpu',
};

/** Pointer tags of the kernel that make a field special in a way that is not modelled. */
const OTHER_TAGS: ReadonlySet<string> = new Set(['uptr']);
const OTHER_STRUCTS: ReadonlySet<string> = new Set(['bpf_task_work']);

/** Most special fields in one value (BTF_FIELDS_MAX). */
const FIELDS_MAX = 11;
/** Types looked at for one value; more only where types nest into each other many times over. */
const WORK_MAX = 100_000;

/** The member or variable that a field is. */
interface Place {
  /** Key under which its declaration tags are. */
  readonly tagged: string;
  readonly name: string;
  readonly depth: number;
}

/** Finds special fields; one instance for one BTF. */
export class FieldFinder {
  /** By tagged type and member: `12:3`. */
  private readonly tags = new Map<string, string[]>();

  constructor(private readonly btf: Btf) {
    for (let id = 1; id < btf.count; id++) {
      if (btf.kind(id) !== 'decl_tag') continue;
      const tag = btf.type(id);
      if (tag.kind !== 'decl_tag') continue;
      const key = `${tag.type}:${tag.component}`;
      this.tags.set(key, [...(this.tags.get(key) ?? []), tag.name]);
    }
  }

  /**
   * Special fields of a value of the type `id` (a struct, or the DATASEC of a data section), in order of offset.
   * Throws NotModelled for a field of a kind that swansong has no model of, InputError for types that make no sense.
   */
  find(id: number): SpecialField[] {
    const out: SpecialField[] = [];
    const { type } = this.btf.resolve(id);
    const work = { left: WORK_MAX };
    if (type.kind === 'datasec') {
      for (const entry of type.vars) {
        const variable = this.btf.type(entry.type);
        if (variable.kind === 'var')
          this.walk(
            variable.type,
            entry.offset,
            { tagged: `${entry.type}:-1`, name: variable.name, depth: 0 },
            out,
            work,
          );
      }
    } else this.walk(id, 0, { tagged: '', name: '', depth: 0 }, out, work);
    return out.sort((a, b) => a.offset - b.offset);
  }

  private push(out: SpecialField[], field: SpecialField): void {
    if (out.length === FIELDS_MAX)
      throw new NotModelled(`more than ${FIELDS_MAX} special fields in one value`);
    out.push(field);
  }

  private walk(id: number, offset: number, at: Place, out: SpecialField[], work: { left: number }): void {
    if (at.depth > MAX_DEPTH || --work.left < 0) this.btf.fail(`BTF type ${id} nests too deep`);
    const { id: resolved, type } = this.btf.resolve(id);
    const depth = at.depth + 1;
    if (type.kind === 'ptr') {
      const target = this.btf.type(type.type);
      if (target.kind !== 'type_tag') return;
      if (OTHER_TAGS.has(target.name)) {
        throw new NotModelled(`pointers tagged '${target.name}' are not modelled`);
      }
      const kind = KPTR_TAGS[target.name];
      if (kind === undefined) return;
      this.push(out, { kind, offset, size: 8, struct: this.btf.name(this.btf.resolve(target.type).id) });
    } else if (type.kind === 'array') {
      const size = this.btf.size(type.element) ?? 0;
      const inside: SpecialField[] = [];
      this.walk(type.element, 0, { ...at, depth }, inside, work);
      if (inside.length === 0) return;
      for (let i = 0; i < type.count; i++) {
        for (const field of inside) this.push(out, { ...field, offset: offset + i * size + field.offset });
      }
    } else if (type.kind === 'struct') {
      if (OTHER_STRUCTS.has(type.name)) throw new NotModelled(`'struct ${type.name}' is not modelled`);
      const kind = STRUCTS[type.name];
      if (kind !== undefined) {
        this.push(out, { kind, offset, size: type.size, ...this.graph(kind, at) });
        return;
      }
      for (const [i, member] of type.members.entries()) {
        if (member.bitSize > 0) continue;
        const place = { tagged: `${resolved}:${i}`, name: member.name, depth };
        this.walk(member.type, offset + Math.floor(member.bitOffset / 8), place, out, work);
      }
    }
  }

  /** What a head says it contains, and what a node is called. */
  private graph(kind: SpecialField['kind'], at: Place): { struct?: string; node?: string } {
    if (kind === 'list_node' || kind === 'rb_node') return { node: at.name };
    if (kind !== 'list_head' && kind !== 'rb_root') return {};
    const tag = this.tags.get(at.tagged)?.find((name) => name.startsWith('contains:'));
    const [, struct, node] = tag?.split(':') ?? [];
    const word = kind === 'list_head' ? 'bpf_list_head' : 'bpf_rb_root';
    if (!struct || !node) throw new NotModelled(`a ${word} without a 'contains:STRUCT:NODE' tag`);
    return { struct, node };
  }
}
