/** Samples, relocated and linked, are insn for insn what libbpf hands to a kernel, and everything in them decodes. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toBytes } from '../../src/isa/bytes.js';
import { decodeAll } from '../../src/isa/decode.js';
import { Btf } from '../../src/object/btf/read.js';
import { readObject } from '../../src/object/load.js';
import type { Program } from '../../src/object/program.js';
import { objectBytes, objectFiles, objectsFolder } from '../support/objects/files.js';
import { btfOf } from '../support/objects/types.js';

/** Without types, CO-RE poisons what it cannot find; no sample that is compared depends on one. */
const options = { targetBtf: btfOf([]) };

const expected = new Map<string, string[]>();
for (const line of readFileSync(
  new URL('../support/objects/libbpf-linked.txt', import.meta.url),
  'utf8',
).split('\n')) {
  if (line.startsWith('  ')) [...expected.values()].at(-1)!.push(line.slice(2));
  else if (line !== '' && !line.startsWith('#')) expected.set(line, []);
}

/** A program as `libbpf-linked.txt` has it. */
function listing(program: Program): string[] {
  return program.insns.map((insn) => {
    const head = `${insn.opcode.toString(16)}:${insn.dst.toString(16)}`;
    if (insn.opcode === 0x18 && insn.src === 5) return `${head} map ${program.maps[insn.imm]!.name}`;
    if (insn.opcode === 0x18 && insn.src === 6) return `${head} value ${program.maps[insn.imm]!.name}`;
    if (insn.opcode === 0x85 && insn.src === 2) return `85 kfunc ${program.kfuncs[insn.imm]!}`;
    return Buffer.from(toBytes([insn])).toString('hex');
  });
}

/** Objects whose programs all attach to what a kernel without types does not have. */
const NEEDS_KERNEL: readonly string[] = ['list_tasks.o'];
const samples = objectFiles
  .filter((file) => !NEEDS_KERNEL.includes(file))
  .map((file) => ({ file, read: readObject(objectBytes(file), file, options) }));
const programs = samples.flatMap(({ file, read }) => read.programs.map((program) => ({ file, program })));

describe('linked programs are what libbpf loads', () => {
  it('there are enough to compare', () => {
    expect(objectFiles.length).toBeGreaterThanOrEqual(10);
    expect(expected.size).toBeGreaterThanOrEqual(18);
  });

  it.each([...expected.keys()])('%s', (key) => {
    const found = programs.find(({ file, program }) => `${file} ${program.name}` === key);
    expect(found && listing(found.program)).toEqual(expected.get(key));
  });

  it('one changed insn is seen', () => {
    const { file, program } = programs.find(({ program }) => program.name === 'sampler_tc')!;
    const insns = program.insns.map((insn, i) => (i === 30 ? { ...insn, imm: insn.imm ^ 1 } : insn));
    expect(listing({ ...program, insns })).not.toEqual(expected.get(`${file} ${program.name}`));
  });

  it.each(programs)('$program.name: insns, functions, lines and types belong together', ({ program }) => {
    const ops = decodeAll(program.insns);
    const starts = program.subprogs.map((subprog) => subprog.start);
    expect(starts[0]).toBe(0);
    expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
    expect(program.subprogs[0]!.name).toBe(program.name);
    const btf = new Btf(program.btf!, program.name);
    for (const subprog of program.subprogs) {
      const type = btf.type(subprog.btfId!);
      expect(type).toMatchObject({ kind: 'func', name: subprog.name, linkage: subprog.linkage });
      // The compiler says where each function begins.
      expect(program.lines!.some((line) => line.slot === subprog.start)).toBe(true);
    }
    for (const line of program.lines!) {
      expect(ops[line.slot]).toBeDefined();
      expect(line.file).toMatch(/^(?:\.\/)?[a-z_]+\.[ch]$/);
      expect(line.line).toBeGreaterThan(0);
    }
    for (const map of program.maps) {
      if (map.btfValue !== undefined) expect(btf.size(map.btfValue)).toBe(map.valueSize);
      if (map.initial !== undefined) expect(map.initial.length).toBe(map.valueSize);
    }
    for (const local of program.localTypes)
      expect(btf.type(local.id)).toMatchObject({ kind: 'struct', name: local.name });
  });

  it('every sample has its source, and no name of the machine that compiled it', () => {
    for (const file of objectFiles) {
      expect(existsSync(objectsFolder + file.replace(/o$/, 'c'))).toBe(true);
      expect(Buffer.from(objectBytes(file)).toString('latin1')).not.toMatch(
        /\/(?:home|work|tmp|usr|root|build)\//,
      );
    }
  });

  it('programs of kinds that are not modelled are listed, not refused', () => {
    const bytes = Buffer.from(objectBytes('global_func.o'));
    // A name of the same length, for a kind of program that is not modelled.
    for (let at = bytes.indexOf('kprobe/do_nanosleep'); at >= 0; at = bytes.indexOf('kprobe/do_nanosleep'))
      bytes.write('lirc_mode2/anything', at);
    expect(readObject(bytes, 'global_func.o', options).skipped).toEqual([
      {
        name: 'global_func_kprobe',
        section: 'lirc_mode2/anything',
        reason:
          "programs of section 'lirc_mode2/anything' are not modelled: say what they are with --type global_func_kprobe=TYPE",
      },
    ]);
  });

  it('maps: what is special in values, what is in data sections', () => {
    const mapsOf = (name: string) => programs.find(({ program }) => program.name === name)!.program.maps;
    expect(mapsOf('lock_hash')[0]).toMatchObject({
      type: 'hash',
      fields: [{ kind: 'spin_lock', offset: 12, size: 4 }],
    });
    expect(mapsOf('owned_list')[0]!.fields).toEqual([
      { kind: 'spin_lock', offset: 0, size: 4 },
      { kind: 'list_head', offset: 8, size: 16, struct: 'node', node: 'link' },
    ]);
    expect(mapsOf('kptr_stash')[0]!.fields).toEqual([
      { kind: 'kptr', offset: 0, size: 8, struct: 'task_struct' },
    ]);
    const byName = new Map(mapsOf('sampler_flush').map((map) => [map.name, map]));
    expect(byName.get('.rodata')).toMatchObject({
      type: 'array',
      maxEntries: 1,
      frozen: true,
      flags: (1 << 7) | (1 << 10),
    });
    expect(new TextDecoder().decode(byName.get('.rodata')!.initial!)).toContain('sample');
    expect([...byName.get('.data')!.initial!]).toEqual([0xe8, 3, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    expect([...byName.get('.bss')!.initial!]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(byName.get('.bss')!.frozen).toBeUndefined();
  });
});
