/**
 * What loaders see of an exported object: the same programs, sections and maps, and one map more. Each insn of both texts is the insn of the original,
 * with the same relocation, the same place in the kernel's structs (CO-RE), and the same source line. Each function has a type of its name.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decodeAll } from '../../src/isa/decode.js';
import type { Insn } from '../../src/isa/insn.js';
import { isJump, subprogTarget } from '../../src/isa/target.js';
import { exportObject } from '../../src/live/export.js';
import { wordOf } from '../../src/live/run/stamps.js';
import { KILL_SECTION } from '../../src/live/words.js';
import { Btf } from '../../src/object/btf/read.js';
import { readElf } from '../../src/object/elf.js';
import { readObject } from '../../src/object/load.js';
import type { LineInfo, Program } from '../../src/object/program.js';
import sound from '../../src/patch/sets/sound.js';
import { describeKernel } from '../support/kernel/skip.js';
import { NEEDS_BTF, objectFiles, objectsFolder, programsOf } from '../support/objects/files.js';

const EXPORT = { distance: 3, entry: true, asIs: true, load: false } as const;

/** The line that a loader shows for a slot. */
function lineAt({ lines = [] }: Program, slot: number): Omit<LineInfo, 'slot'> | undefined {
  const found = lines
    .filter((one) => one.slot <= slot)
    .sort((a, b) => a.slot - b.slot)
    .at(-1);
  if (found === undefined) return undefined;
  const { slot: _, ...line } = found;
  return line;
}

/** An insn as text of what it means: maps and kfuncs by name; where jumps and calls lead is held elsewhere. */
function meaning(program: Program, ops: ReturnType<typeof decodeAll>, slot: number): unknown {
  const op = ops[slot];
  const insn: Insn = program.insns[slot]!;
  if (op === undefined) return insn.imm;
  if (isJump(op)) return { ...op, off: 0 };
  if (subprogTarget(op, slot) !== undefined) return op.kind;
  if (op.kind === 'call' && op.target === 'kfunc') return program.kfuncs[op.imm];
  if (op.kind === 'ld_imm64' && (op.as === 'map' || op.as === 'map_value'))
    return { ...op, imm: program.maps[op.imm]!.name };
  return op;
}

describeKernel('an exported object is the original and its patched text', () => {
  it.for(objectFiles)('%s', (file, { skip }) => {
    if (programsOf(file) === undefined) return skip(NEEDS_BTF);
    const bytes = readFileSync(join(objectsFolder, file));
    const made = exportObject(bytes, file, sound, EXPORT);
    expect(made.programs.map(({ message }) => message)).toEqual(
      made.programs.map(() => 'no kernel was asked'),
    );
    const [before, after] = [readObject(bytes, file).programs, readObject(made.bytes!, file).programs];
    expect(after.map(({ name, section, type }) => [name, section, type])).toEqual(
      before.map(({ name, section, type }) => [name, section, type]),
    );
    const sections = (of: Uint8Array): string[] =>
      readElf(of, file)
        .sections.filter(
          ({ name, type, size }) =>
            (type === 1 || type === 8) && size > 0 && !/^\.(BTF|debug|llvm)/.test(name),
        )
        .map(({ name }) => name);
    // New functions go into .text, which an object may not have had.
    const besides = (names: readonly string[]): string[] => names.filter((name) => name !== '.text').sort();
    expect(besides(sections(made.bytes!))).toEqual(besides([...sections(bytes), KILL_SECTION]));
    before.forEach((original, i) => {
      const program = after[i]!;
      const without = program.maps.filter(({ name }) => name !== KILL_SECTION);
      expect(without.map(({ name, type, flags }) => [name, type, flags]).sort()).toEqual(
        original.maps.map(({ name, type, flags }) => [name, type, flags]).sort(),
      );
      expect(program.maps.length).toBe(original.maps.length + 1);
      expect(wordOf(program)).toBe(made.programs[i]!.word);
      expect(made.programs[i]!.word).toBe(4 * i);
      const origins = made.origins(program);
      const [ops, old] = [decodeAll(program.insns), decodeAll(original.insns)];
      let compared = 0;
      origins.forEach((origin, slot) => {
        if (origin === undefined || (origin.mode !== 'normal' && origin.mode !== 'patched')) return;
        if (ops[slot] === undefined) return;
        // A callback that was killed says so before it ends.
        const op = ops[slot];
        const stop = old[origin.slot]?.kind === 'exit' && op.kind === 'mov' && ops[slot + 1]?.kind === 'exit';
        if (!stop)
          expect(meaning(program, ops, slot), `insn ${slot}`).toEqual(meaning(original, old, origin.slot));
        expect(lineAt(program, slot), `insn ${slot}`).toEqual(lineAt(original, origin.slot));
        compared++;
      });
      expect(compared).toBeGreaterThan(original.insns.length / 2);
      const btf = new Btf(program.btf!, file);
      for (const { name, btfId } of program.subprogs) {
        if (original.subprogs.some((one) => one.btfId === undefined)) continue;
        expect(btfId === undefined ? undefined : btf.type(btfId)).toMatchObject({ kind: 'func', name });
      }
    });
    expect(() => exportObject(made.bytes!, file, sound, EXPORT)).toThrow(/exported before/);
  });
});
