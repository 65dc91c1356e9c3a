/** The kernel makes a map exactly where our table says that it would: sizes, flags, special fields in the value. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  callHelper,
  callKfunc,
  exit,
  jmp,
  ldMap,
  ldMapValue,
  mov,
  r0,
  r1,
  r2,
  r3,
} from '../../src/isa/build.js';
import type { Op } from '../../src/isa/insn.js';
import { MAP_FLAGS, mapRefusal, mapType } from '../../src/kernel/maptypes.js';
import { FIELD_LAYOUT } from '../../src/kernel/structs.js';
import { MAP_TYPES, type MapDef, type SpecialField } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import { programOf } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

/** Kinds that stand in a value on their own; nodes and counts belong to allocated objects. */
const KINDS: readonly SpecialField['kind'][] = [
  'spin_lock',
  'res_spin_lock',
  'timer',
  'wq',
  'kptr',
  'kptr_untrusted',
];

function field(kind: SpecialField['kind'], offset: number): SpecialField {
  return {
    kind,
    offset,
    size: FIELD_LAYOUT[kind].size,
    ...(kind.startsWith('kptr') ? { struct: 'task_struct' } : {}),
  };
}

/** The error of the kernel's refusal, or undefined when it makes the map. The program does not use it. */
function kernelRefusal(map: MapDef): string | undefined {
  const result = loadProgram(programOf('xdp', [mov(r0, 2), exit()], { maps: [map] }));
  if (result.ok) {
    result.close();
    return undefined;
  }
  expect(['map', 'btf'], result.message).toContain(result.stage);
  return result.errno;
}

const sizes = fc.constantFrom(0, 1, 3, 4, 8, 16, 64, 4096);
const flags = fc.oneof(
  fc.constant(0),
  fc.constantFrom(...Object.values(MAP_FLAGS)),
  fc.subarray(Object.values(MAP_FLAGS), { maxLength: 3 }).map((set) => set.reduce((a, b) => a | b, 0)),
);
const plain: fc.Arbitrary<MapDef> = fc.record({
  name: fc.constant('m'),
  type: fc.constantFrom(...MAP_TYPES),
  keySize: sizes,
  valueSize: sizes,
  maxEntries: fc.constantFrom(0, 1, 2, 4096, 8192, 12288),
  flags,
  fields: fc.constant([]),
});
/** Maps whose sizes are right, so that flags and fields decide. */
const fitting: fc.Arbitrary<MapDef> = fc
  .record({
    type: fc.constantFrom(...MAP_TYPES),
    flags: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, flags),
    kinds: fc.subarray([...KINDS], { maxLength: 3 }),
    twice: fc.boolean(),
  })
  .map(({ type, flags: set, kinds, twice }) => {
    const info = mapType(type);
    // Of a second field of another kind the kernel complains only when one of them is used.
    const again = twice ? kinds.filter((kind) => kind === 'spin_lock') : [];
    const fields = info.elements ? [...kinds, ...again].map((k, i) => field(k, i * 16)) : [];
    return {
      name: 'm',
      type,
      keySize: info.keySizes?.[0] ?? 4,
      valueSize: info.valueSizes?.[0] ?? 80,
      maxEntries: type === 'ringbuf' ? 4096 : 2,
      flags: set,
      fields,
    };
  });

describeKnownKernel('maps', () => {
  it('are made by the kernel exactly where the table says so', () => {
    fc.assert(
      fc.property(fc.oneof(plain, fitting), (map) => {
        const ours = mapRefusal(map);
        const theirs = kernelRefusal(map);
        expect(ours === undefined, `${ours ?? 'made'}, but the kernel: ${theirs ?? 'made'}`).toBe(
          theirs === undefined,
        );
      }),
      seeded(800),
    );
  });

  it('with two resilient locks or timers are of no use for them', () => {
    const map = (kind: SpecialField['kind'], count: number): MapDef => ({
      name: 'm',
      type: 'array',
      keySize: 4,
      valueSize: 32,
      maxEntries: 1,
      flags: 0,
      fields: [field(kind, 0), field(kind, 16)].slice(0, count),
    });
    const loads = (def: MapDef, call: readonly Op[]): boolean => {
      const items = [ldMapValue(r1, 0), ...call, mov(r0, 0), exit()];
      const result = loadProgram(
        programOf('tc', items, { maps: [def], kfuncs: ['bpf_res_spin_lock', 'bpf_res_spin_unlock'] }),
      );
      if (result.ok) result.close();
      return result.ok;
    };
    const lock = [callKfunc(0), jmp('ne', r0, 0, 3), ldMapValue(r1, 0), callKfunc(1)];
    const timer = [ldMap(r2, 0), mov(r3, 0), callHelper(169)];
    for (const [kind, call] of [
      ['res_spin_lock', lock],
      ['timer', timer],
    ] as const) {
      expect(loads(map(kind, 1), call), kind).toBe(true);
      expect(loads(map(kind, 2), call), kind).toBe(false);
      expect(mapRefusal(map(kind, 2))).toMatch(/more than one/);
    }
  });

  it('with a list or tree are made as the table says', () => {
    const maps = (['list_head', 'rb_root'] as const).flatMap((kind) =>
      MAP_TYPES.filter((type) => mapType(type).elements).flatMap((type) =>
        [true, false].map((locked): MapDef => {
          const root: SpecialField = { kind, offset: 8, size: 16, struct: 'node_data', node: 'node' };
          const lock = locked ? [field('spin_lock', 0)] : [];
          return {
            name: 'm',
            type,
            keySize: 4,
            valueSize: 24,
            maxEntries: 2,
            flags: 0,
            fields: [...lock, root],
          };
        }),
      ),
    );
    for (const map of maps) {
      const kind = map.fields.at(-1)?.kind === 'list_head' ? 'list_node' : 'rb_node';
      const node = { name: 'node_data', size: 48, fields: [field(kind, 8)], id: 1 };
      const program = { ...programOf('xdp', [mov(r0, 2), exit()], { maps: [map] }), localTypes: [node] };
      const result = loadProgram(program);
      if (result.ok) result.close();
      else expect(['map', 'btf']).toContain(result.stage);
      expect(
        mapRefusal(map) === undefined,
        `${map.type} ${map.fields.map((f) => f.kind)} ${mapRefusal(map)}`,
      ).toBe(result.ok);
    }
  });
});
