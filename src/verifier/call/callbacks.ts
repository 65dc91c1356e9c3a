/** What a callback's argument registers hold on entry. Follows the set_*_callback_state functions of kernel/bpf/verifier.c. */
import type { CallbackArg, CallbackSpec } from '../../kernel/contract.js';
import type { Path } from '../state/path.js';
import { pointerReg, UNINIT, unknownReg } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { containedNode, rootField } from './args-graph.js';
import type { CallSite } from './call-site.js';

/** The registers that a callback finds on entry, r1 first. */
export function callbackArgs(p: Path, site: CallSite, spec: CallbackSpec): Reg[] {
  return spec.args.map((arg) => callbackArg(p, site, spec, arg));
}

function callbackArg(p: Path, site: CallSite, spec: CallbackSpec, arg: CallbackArg): Reg {
  const map = site.regs.find((r) => r.map >= 0)?.map ?? -1;
  switch (arg) {
    case 'scalar':
      return unknownReg;
    case 'map_ptr':
    case 'timer_map_ptr':
      return pointerReg('map_ptr', { map });
    case 'map_key':
      return pointerReg('map_key', { map });
    case 'map_value':
      return pointerReg('map_value', { map });
    case 'context':
      return spec.contextArg === undefined ? UNINIT : site.regs[spec.contextArg]!;
    case 'dynptr':
      return pointerReg('dynptr');
    case 'task':
      // The pointer that the caller passed, and with it the reference that it owns.
      return site.regs[0]!;
    case 'vma':
      return pointerReg('btf', { struct: 'vm_area_struct', trust: 'none' });
    case 'rb_node': {
      const index = site.contract.args.findIndex((a) => a.kind === 'graph_root');
      const node = containedNode(p, rootField(p, site.regs[index]!, 'rbtree'));
      return pointerReg('object', {
        struct: node.struct,
        size: node.size,
        off: node.offset,
        nonOwning: true,
      });
    }
    case 'none':
      return UNINIT;
  }
}
