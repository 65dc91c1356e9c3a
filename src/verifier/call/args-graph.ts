/** Arguments that are linked lists, red-black trees and their nodes. Follows __process_kf_arg_ptr_to_graph_* of kernel/bpf/verifier.c. */
import type { Arg } from '../../kernel/contract.js';
import type { SpecialField } from '../../object/program.js';
import type { Path } from '../state/path.js';
import { isLock } from '../state/path.js';
import { fixedOffset, hasFixedOffset, ownedRef } from '../state/regs.js';
import { fieldsOf, lockField } from '../state/special-fields.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import type { CallSite } from './call-site.js';
import { ownerOf } from './locks.js';

type Graph = 'list' | 'rbtree';

const HEAD = { list: 'list_head', rbtree: 'rb_root' } as const;
const NODE = { list: 'list_node', rbtree: 'rb_node' } as const;

/** The list head or tree root that a checked argument points to. */
export function rootField(p: Path, reg: Reg, graph: Graph): SpecialField {
  const field = fieldsOf(p, reg).find((f) => f.kind === HEAD[graph] && f.offset === fixedOffset(reg));
  if (field === undefined) refuse(`bpf_${HEAD[graph]} not found at offset=${fixedOffset(reg)}`);
  return field;
}

/** Offset of the node member of the objects in this list or tree, and the size of such an object. */
export function containedNode(p: Path, root: SpecialField): { struct: string; size: number; offset: number } {
  const type = p.program.localTypes.find((t) => t.name === root.struct);
  const node = type?.fields.find(
    (f) =>
      (f.kind === 'list_node' || f.kind === 'rb_node') &&
      (root.node === undefined || f.node === undefined || f.node === root.node),
  );
  if (type === undefined || node === undefined) refuse(`the objects of bpf_${root.kind} have no node member`);
  return { struct: type.name, size: type.size, offset: node.offset };
}

/**
 * Checks that an argument is the root of a list or tree, in a map value or object whose lock is held. Follows
 * __process_kf_arg_ptr_to_graph_root.
 */
export function checkGraphRoot(p: Path, reg: Reg, index: number, graph: Graph): void {
  if ((reg.type !== 'map_value' && reg.type !== 'object') || reg.nullable) {
    refuse(`arg#${index} expected pointer to map value or allocated object`);
  }
  if (!hasFixedOffset(reg))
    refuse(`R${index + 1} doesn't have constant offset. bpf_${HEAD[graph]} has to be at the constant offset`);
  const root = rootField(p, reg, graph);
  const held = p.refs.some((r) => isLock(r) && r.id === reg.id && r.owner === ownerOf(reg));
  if (!held) {
    if (p.lockHeld !== undefined) refuse('held lock and object are not in the same allocation');
    refuse(`bpf_spin_lock at off=${lockField(p, reg)?.offset ?? 0} must be held for bpf_${root.kind}`);
  }
}

/** The callback that runs now compares nodes for a tree that is being added to (in_rbtree_lock_required_cb). */
function comparesNodes({ frame, program }: Path): boolean {
  const insn = frame.callback === undefined ? undefined : program.insns[frame.callback.call];
  return insn !== undefined && program.kfuncs[insn.imm] === 'bpf_rbtree_add_impl' && insn.src === 2;
}

/**
 * Checks that an argument is a node of the type that the root holds, and that the program owns it where the function takes it over.
 * Follows __process_kf_arg_ptr_to_graph_node.
 */
export function checkGraphNode(
  p: Path,
  site: CallSite,
  index: number,
  arg: Extract<Arg, { kind: 'graph_node' }>,
): void {
  const reg = site.regs[index]!;
  if (reg.type !== 'object') refuse(`arg#${index} expected pointer to allocated object`);
  if (reg.nullable) refuse(`Possibly NULL pointer passed to trusted arg${index}`);
  if (arg.owned) {
    if (reg.nonOwning) refuse(`arg#${index} expected pointer to allocated object`);
    if (ownedRef(reg) === 0) refuse('allocated object must be referenced');
  } else if (!reg.nonOwning && ownedRef(reg) === 0) {
    // A program that holds a counted reference to a node may walk on from it, and may take the tree's own reference out of the tree.
    refuse(`${site.contract.name} can only take non-owning or refcounted bpf_rb_node pointer`);
  } else if (comparesNodes(p)) {
    refuse(`${site.contract.name} not allowed in rbtree cb`);
  }
  if (!hasFixedOffset(reg)) refuse(`R${index + 1} doesn't have constant offset`);
  const off = fixedOffset(reg);
  const rootIndex = site.contract.args.findIndex((a) => a.kind === 'graph_root');
  const node = fieldsOf(p, reg).find((f) => f.kind === NODE[arg.graph] && f.offset === off);
  if (node === undefined) refuse(`bpf_${NODE[arg.graph]} not found at offset=${off}`);
  if (rootIndex < 0) return;
  const root = rootField(p, site.regs[rootIndex]!, arg.graph);
  const contained = containedNode(p, root);
  if (contained.struct !== reg.struct || contained.offset !== off) {
    refuse(
      `arg#${index} offset=${off}, but expected bpf_${NODE[arg.graph]} at offset=${contained.offset} in struct ${contained.struct}`,
    );
  }
}
