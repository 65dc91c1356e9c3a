/** Registers of ours beside the kernel's words for the same, and what is wrong with them once one thing is changed. */
import type { MapDef, Program } from '../../../src/object/program.js';
import { parseValue } from '../../../src/oracle/walk-log/value.js';
import { constant, unknown } from '../../../src/verifier/scalar/scalar.js';
import { pointerReg, scalarReg } from '../../../src/verifier/state/regs.js';
import type { Reg } from '../../../src/verifier/state/state.js';

/** A map of the name, with what the tests need changed. */
const map = (name: string, more: Partial<MapDef> = {}): MapDef => ({
  name,
  type: 'array',
  keySize: 4,
  valueSize: 16,
  maxEntries: 1,
  flags: 0,
  fields: [],
  ...more,
});
/** A program with the maps that the registers and runs speak of. */
export const program: Program = {
  name: 'main',
  type: 'tc',
  insns: [],
  maps: [map('m'), map('ring', { type: 'ringbuf' }), map('lru', { type: 'lru_hash' })],
  kfuncs: [],
  subprogs: [],
  localTypes: [],
};

const VARIABLE_OFFSET =
  'map_value(map=m,ks=4,vs=16,off=4,smin=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))';

/** A register of ours and the kernel's word for the same; then ours changed in one thing, and what kind of mismatch that is. */
export const REGS: readonly (readonly [
  theirs: string,
  ours: Reg,
  wrong: readonly (readonly [Partial<Reg>, 'kind' | 'narrower'])[],
])[] = [
  [
    '5',
    scalarReg(constant(5n)),
    [
      [{ num: constant(6n) }, 'narrower'],
      [{ type: 'ctx' }, 'kind'],
    ],
  ],
  ['scalar()', scalarReg(unknown), [[{ num: constant(6n) }, 'narrower']]],
  [
    'map_value(map=m,ks=4,vs=16)',
    pointerReg('map_value', { map: 0, num: constant(0n) }),
    [
      [{ nullable: true }, 'kind'],
      [{ off: 4 }, 'kind'],
      [{ map: 1 }, 'kind'],
      [{ ref: 7 }, 'kind'],
      [{ readonly: true }, 'kind'],
    ],
  ],
  [
    VARIABLE_OFFSET,
    pointerReg('map_value', {
      map: 0,
      off: 4,
      num: parseValue(VARIABLE_OFFSET)!.num,
    }),
    [
      [{ num: parseValue('scalar(smin=0,smax=umax=7,var_off=(0x0; 0x7))')!.num }, 'narrower'],
      [{ num: constant(0n), off: 5 }, 'kind'],
    ],
  ],
  [
    'fp-16',
    pointerReg('stack', { frame: 1, off: -16 }),
    [
      [{ off: -8 }, 'kind'],
      [{ frame: 0 }, 'kind'],
    ],
  ],
  ['fp[0]-16', pointerReg('stack', { frame: 0, off: -16 }), [[{ frame: 1 }, 'kind']]],
  [
    'pkt(r=14)',
    pointerReg('packet', { range: 14 }),
    [
      [{ range: 15 }, 'narrower'],
      [{ type: 'packet_meta' }, 'kind'],
    ],
  ],
  [
    'sock(ref_obj_id=3)',
    pointerReg('sock', { ref: 9 }),
    [
      [{ ref: 0 }, 'kind'],
      [{ ref: 10 }, 'kind'],
      [{ nullable: true }, 'kind'],
    ],
  ],
  [
    'ringbuf_mem(ref_obj_id=3,sz=8)',
    pointerReg('record', { ref: 9, size: 8 }),
    [
      [{ size: 16 }, 'kind'],
      [{ type: 'mem' }, 'kind'],
    ],
  ],
  [
    'rcu_ptr_task_struct()',
    pointerReg('btf', { struct: 'task_struct', trust: 'rcu' }),
    [
      [{ struct: 'cgroup' }, 'kind'],
      [{ trust: 'trusted' }, 'kind'],
      [{ trust: 'none' }, 'kind'],
      [{ percpu: true }, 'kind'],
      [{ nonOwning: true }, 'kind'],
    ],
  ],
];
