/** How each resource is given back. */
import { callSub, jmp, mov, r0, r1, r2, registers } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import type { Contract, PointerKind, Resource } from '../../src/kernel/contract.js';
import { contractOfDeclared } from '../../src/kernel/declare/declare.js';
import type { DeclaredFunction } from '../../src/object/program.js';
import type { Compiler } from './compiler.js';
import { Elided, type Home } from './frame.js';

/** Functions that give a resource back, the usual one first. */
export const RELEASERS: Readonly<Partial<Record<Resource, readonly string[]>>> = {
  socket: ['bpf_sk_release'],
  ringbuf_record: ['bpf_ringbuf_submit', 'bpf_ringbuf_discard'],
  task: ['bpf_task_release'],
  cgroup: ['bpf_cgroup_release'],
  cpumask: ['bpf_cpumask_release'],
  key: ['bpf_key_put'],
  crypto_ctx: ['bpf_crypto_ctx_release'],
  nf_conn: ['bpf_ct_release'],
  nf_conn_init: ['bpf_ct_insert_entry'],
  xfrm_state: ['bpf_xdp_xfrm_state_release'],
  file: ['bpf_put_file'],
  object: ['bpf_obj_drop_impl'],
  percpu_object: ['bpf_percpu_obj_drop_impl'],
};

/**
 * Code that gives back what `home` holds, for `Compiler.holding`; it may be written more than once. Throws Elided if nothing is known
 * that takes this resource. `which` chooses among several functions; `inSubprogram`: a static subprogram does it.
 */
export function closing(
  c: Compiler,
  resource: Resource,
  home: Home,
  which: number,
  inSubprogram: boolean,
  to?: PointerKind,
): () => void {
  const names = releasersOf(resource, to, c.declared);
  if (names.length === 0) throw new Elided(`nothing gives back a ${resource}`);
  const name = names[which % names.length]!;
  if (c.contractOf(name)?.types.includes(c.type) !== true)
    throw new Elided(`${name} is not for ${c.type} programs`);
  if (!inSubprogram) {
    return () => {
      c.load(r1, home);
      emitRelease(c, resource, name);
    };
  }
  const { label: target } = c.func('static', [], [0, 0], () => {
    emitRelease(c, resource, name);
    c.result(0);
  });
  return () => {
    c.load(r1, home);
    c.emit(callSub(target));
  };
}

/** Functions that give back what a pointer holds: declared ones that take such a pointer and numbers, then those of the tables. */
export function releasersOf(
  resource: Resource,
  to: PointerKind | undefined,
  declared: readonly DeclaredFunction[],
): readonly string[] {
  const own = declared.filter((one) => to !== undefined && releases(contractOfDeclared(one), to));
  return [...own.map(({ name }) => name), ...(RELEASERS[resource] ?? [])];
}

function releases({ args: [first, ...rest], outcomes }: Contract, to: PointerKind): boolean {
  const gives = outcomes.every(
    ({ effects, r0 }) =>
      effects.some((effect) => effect.kind === 'release' && effect.arg === 0) && r0.kind !== 'pointer',
  );
  const takes =
    (first?.kind === 'btf' && to.kind === 'btf' && first.structs.includes(to.struct)) ||
    (first?.kind === 'sock' && to.kind === 'sock' && first.types.includes(to.type)) ||
    (first?.kind === 'record' && to.kind === 'record');
  return (
    gives && takes && rest.every(({ kind }) => kind === 'scalar' || kind === 'anything' || kind === 'ignored')
  );
}

/** Calls the releasing function on r1. */
export function emitRelease(c: Compiler, resource: Resource, name: string): void {
  // The second argument: flags of a ring buffer, `meta__ign` of bpf_obj_drop_impl.
  if (resource === 'ringbuf_record' || resource === 'object' || resource === 'percpu_object')
    c.emit(mov(r2, 0));
  else if (c.declared.some((one) => one.name === name))
    (c.contractOf(name)?.args ?? []).slice(1).forEach((_, i) => {
      c.emit(mov(registers[i + 2]!, 0));
    });
  c.callUnchecked(name);
  if (name === 'bpf_ct_insert_entry') {
    // An entry that was inserted comes back as a reference to a connection.
    const none = c.fresh();
    c.emit(jmp('eq', r0, 0, none), mov(r1, r0));
    c.callUnchecked('bpf_ct_release');
    c.emit(label(none));
  }
}
