/** BTF made for a program: local types get the ids that the program names, and reading it back finds the program's own fields. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeAll } from '../../src/isa/encode.js';
import { InputError } from '../../src/isa/errors.js';
import type { Insn } from '../../src/isa/insn.js';
import { FieldFinder } from '../../src/object/btf/fields.js';
import { Btf } from '../../src/object/btf/read.js';
import { synthesize } from '../../src/object/btf/synthesize.js';
import { readObject } from '../../src/object/load.js';
import type { LocalType, MapDef, Program, SpecialField } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import { isLoadable } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { objectBytes, objectFiles } from '../support/objects/files.js';
import { seeded } from '../support/seed.js';

const SIZES = {
  spin_lock: 4,
  res_spin_lock: 4,
  timer: 16,
  wq: 16,
  kptr: 8,
  kptr_untrusted: 8,
  refcount: 4,
  list_node: 24,
  rb_node: 32,
  list_head: 16,
  rb_root: 16,
} as const;
type Kind = keyof typeof SIZES;

/** Fields of these kinds one behind the other, with gaps, and the size of what holds them. */
function layOut(
  parts: readonly { kind: Kind; gap: number }[],
  more: (kind: Kind, i: number) => Partial<SpecialField>,
  tail: number,
): { size: number; fields: SpecialField[] } {
  let at = 0;
  const fields = parts.map(({ kind, gap }, i): SpecialField => {
    const align = SIZES[kind] === 4 ? 4 : 8;
    const offset = Math.ceil((at + gap) / align) * align;
    at = offset + SIZES[kind];
    return { kind, offset, size: SIZES[kind], ...more(kind, i) };
  });
  return { size: Math.ceil((at + tail + 1) / 8) * 8, fields };
}

const parts = <K extends Kind>(...kinds: readonly K[]) =>
  fc.array(fc.record({ kind: fc.constantFrom(...kinds), gap: fc.nat(20) }), { maxLength: 5 });

const exit: readonly Insn[] = encodeAll([
  { kind: 'mov', width: 64, dst: 0, src: { imm: 0 } },
  { kind: 'exit' },
]);

function programWith(maps: readonly MapDef[], localTypes: readonly LocalType[]): Program {
  const subprogs = [
    { name: 'main', start: 0, linkage: 'global' },
    { name: 'a.b-c', start: 2, linkage: 'static' },
  ] as const;
  return { name: 'main', type: 'tc', insns: [...exit, ...exit], maps, kfuncs: [], subprogs, localTypes };
}

const program = fc
  .record({
    locals: fc.array(fc.tuple(parts('list_node', 'rb_node', 'refcount', 'kptr'), fc.nat(24)), {
      minLength: 1,
      maxLength: 3,
    }),
    values: fc.array(
      fc.tuple(
        parts('spin_lock', 'timer', 'wq', 'kptr', 'kptr_untrusted', 'list_head', 'rb_root', 'res_spin_lock'),
        fc.nat(24),
      ),
      { maxLength: 3 },
    ),
    keySize: fc.constantFrom(1, 4, 8, 13),
  })
  .map(({ locals, values, keySize }) => {
    const named = (i: number): string => `node_${i % locals.length}`;
    const localTypes = locals.map(([list, tail], i): LocalType => {
      const more = (kind: Kind, at: number): Partial<SpecialField> =>
        kind === 'kptr' ? { struct: named(at) } : kind === 'refcount' ? {} : { node: `link${at}` };
      return { name: named(i), id: i + 1, ...layOut(list, more, tail) };
    });
    const maps = values.map(([list, tail], i): MapDef => {
      const more = (kind: Kind, at: number): Partial<SpecialField> => {
        if (kind === 'kptr' || kind === 'kptr_untrusted')
          return { struct: at % 2 ? named(at) : 'task_struct' };
        return kind === 'list_head' || kind === 'rb_root' ? { struct: named(at), node: `link${at}` } : {};
      };
      const { size, fields } = layOut(list, more, tail);
      return { name: `map ${i}`, type: 'hash', keySize, valueSize: size, maxEntries: 1, flags: 0, fields };
    });
    return programWith(maps, localTypes);
  });

describe('made BTF says what the program says', () => {
  it('the fields of values and local types, at their offsets; sizes; functions', () => {
    let fields = 0;
    fc.assert(
      fc.property(program, (made) => {
        const { btf: bytes, mapKey, mapValue, funcIds } = synthesize(made);
        const btf = new Btf(bytes, 'made');
        const finder = new FieldFinder(btf);
        for (const [i, type] of made.localTypes.entries()) {
          expect(btf.type(i + 1)).toMatchObject({ kind: 'struct', name: type.name, size: type.size });
          expect(finder.find(i + 1)).toEqual(type.fields);
          fields += type.fields.length;
        }
        for (const [i, map] of made.maps.entries()) {
          expect([btf.size(mapKey[i]!), btf.size(mapValue[i]!)]).toEqual([map.keySize, map.valueSize]);
          expect(finder.find(mapValue[i]!)).toEqual(map.fields);
          fields += map.fields.length;
        }
        expect(funcIds.map((id) => btf.type(id))).toMatchObject([
          { kind: 'func', name: 'main', linkage: 'global' },
          { kind: 'func', name: 'a_b_c', linkage: 'static' },
        ]);
      }),
      seeded(300),
    );
    expect(fields).toBeGreaterThan(300);
  });

  it('a field that is moved is found elsewhere', () => {
    const field: SpecialField = { kind: 'spin_lock', offset: 8, size: 4 };
    const map: MapDef = {
      name: 'm',
      type: 'array',
      keySize: 4,
      valueSize: 16,
      maxEntries: 1,
      flags: 0,
      fields: [field],
    };
    const found = (fields: readonly SpecialField[]): SpecialField[] => {
      const { btf, mapValue } = synthesize(programWith([{ ...map, fields }], []));
      return new FieldFinder(new Btf(btf, 'made')).find(mapValue[0]!);
    };
    expect(found([field])).toEqual([field]);
    expect(found([{ ...field, offset: 12 }])).not.toEqual([field]);
    expect(() => found([field, { ...field, offset: 10 }])).toThrow(InputError);
    expect(() => found([{ ...field, offset: 14 }])).toThrow(InputError);
  });

  it('a list of what is no local type is refused', () => {
    const fields: SpecialField[] = [{ kind: 'list_head', offset: 0, size: 16, struct: 'gone', node: 'link' }];
    const map: MapDef = {
      name: 'm',
      type: 'array',
      keySize: 4,
      valueSize: 16,
      maxEntries: 1,
      flags: 0,
      fields,
    };
    expect(() => synthesize(programWith([map], []))).toThrow(/contains 'gone'/);
  });
});

/** The program without its BTF, its local types renumbered as programs without BTF have them. */
function withoutTypes({ btfKey: _key, btfValue: _value, inner, ...map }: MapDef): MapDef {
  return inner === undefined ? map : { ...map, inner: withoutTypes(inner) };
}

function stripped(whole: Program): Program {
  const ids = new Map(whole.localTypes.map((type, i) => [type.id, i + 1]));
  const insns = whole.insns.map((insn) =>
    insn.opcode === 0x18 && insn.src === 0 && ids.has(insn.imm) ? { ...insn, imm: ids.get(insn.imm)! } : insn,
  );
  const { btf: _, ...rest } = whole;
  return {
    ...rest,
    insns,
    localTypes: whole.localTypes.map((type, i) => ({ ...type, id: i + 1 })),
    maps: whole.maps.map(withoutTypes),
    subprogs: whole.subprogs.map(({ btfId: _id, ...subprog }) => subprog),
  };
}

/** Arguments that are tagged are no numbers, which is what made BTF says of all. */
const TAGGED = 'untrusted_arg.o';

describeKnownKernel('the kernel takes made BTF in place of the compiler’s', () => {
  it.each(objectFiles.filter((file) => file !== TAGGED))('%s', (file) => {
    for (const whole of readObject(objectBytes(file), file).programs.filter(isLoadable)) {
      const bare = stripped(whole);
      const { btf, mapKey, mapValue, funcIds } = synthesize(bare);
      const result = loadProgram({
        ...bare,
        btf,
        maps: bare.maps.map((map, i) => ({ ...map, btfKey: mapKey[i]!, btfValue: mapValue[i]! })),
        subprogs: bare.subprogs.map((subprog, i) => ({ ...subprog, btfId: funcIds[i]! })),
      });
      expect(result.ok ? '' : `${result.stage}: ${result.message}`).toBe('');
      if (result.ok) result.close();
    }
  });
});
