/**
 * What is exported is taken by others' loaders. libbpf, as the distribution has it, loads and kills it (docs/loaders/kill.c). cilium/ebpf reads an object by
 * rules of its own; they are held here for every sample object: where it looks for words, what it wants of symbols, relocations and BTF (its ELF reader,
 * 0.17 and later).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { exportObject } from '../../src/live/export.js';
import { CPU_VARIABLE, KILL_SECTION, KILL_VARIABLE, LIMIT_VARIABLE } from '../../src/live/words.js';
import { Btf } from '../../src/object/btf/read.js';
import {
  type Elf,
  type ElfSymbol,
  readElf,
  SHF_EXECINSTR,
  SHT_PROGBITS,
  STB_GLOBAL,
  STB_LOCAL,
  STT_FUNC,
  STT_NOTYPE,
  STT_OBJECT,
  STT_SECTION,
} from '../../src/object/elf.js';
import sound from '../../src/patch/sets/sound.js';
import { CORPUS, scratch } from '../support/cli.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const folder = scratch();
const FOLDERS = ['objects', 'objects/papers', 'objects/timed'].map((name) => join(CORPUS, name));
const FILES = FOLDERS.flatMap((at) =>
  readdirSync(at).flatMap((name) => (name.endsWith('.o') ? [join(at, name)] : [])),
);
const FORM = { perCpu: true, deadline: 64 } as const;

/** Undefined where it needs the types of a kernel, and this one does not tell them. */
function exported(file: string, form = {}): Uint8Array | undefined {
  try {
    return exportObject(readFileSync(file), file, sound, { load: false, entry: true, form }).bytes;
  } catch (error) {
    if (
      error instanceof InputError &&
      /relocated against a kernel's BTF|in a kernel's BTF/.test(error.message)
    )
      return undefined;
    throw error;
  }
}

const isData = (name: string): boolean => /^\.(bss$|data|rodata)/.test(name);

/** What cilium/ebpf would say against a reference from an insn. */
function against(elf: Elf, { name, section, type, bind }: ElfSymbol): string | undefined {
  const target = elf.sections[section];
  if (target === undefined || section === 0) return bind === STB_LOCAL ? `'${name}' is nowhere` : undefined;
  if (isData(target.name)) {
    if (type === STT_SECTION || type === STT_NOTYPE)
      return bind === STB_LOCAL ? undefined : 'a section symbol that is not local';
    return type === STT_OBJECT ? undefined : `'${name}' in ${target.name} is no object`;
  }
  if ((target.flags & SHF_EXECINSTR) !== 0)
    return type === STT_FUNC || type === STT_SECTION ? undefined : `'${name}' is no function`;
  return /^\.?maps/.test(target.name) ? undefined : `'${name}' is in ${target.name}`;
}

describe('cilium/ebpf finds what it demands', () => {
  it.each([
    ['words', {}],
    ['words, limits and words for CPUs', FORM],
  ])('%s in each exported sample', (_, form) => {
    let read = 0;
    for (const file of FILES) {
      const bytes = exported(file, form);
      if (bytes === undefined) continue;
      const [before, elf] = [readElf(readFileSync(file), file), readElf(bytes, file)];
      const at = elf.sections.findIndex(({ name }) => name === KILL_SECTION);
      const words = elf.sections[at]!;
      expect([file, words.type, isData(words.name), words.data.length]).toEqual([
        file,
        SHT_PROGBITS,
        true,
        words.size,
      ]);
      expect(words.data.every((byte) => byte === 0)).toBe(true);
      // A variable is a global object that nobody hides, of which the section has all.
      const variables = elf.symbols.filter(({ section, type }) => section === at && type === STT_OBJECT);
      expect(variables.map(({ name }) => name)).toEqual(
        expect.arrayContaining(
          form === FORM ? [KILL_VARIABLE, CPU_VARIABLE, LIMIT_VARIABLE] : [KILL_VARIABLE],
        ),
      );
      for (const { bind, visibility, value, size } of variables)
        expect([bind, visibility, value + size <= words.size]).toEqual([STB_GLOBAL, 0, true]);
      expect(new Set(elf.symbols.map(({ name }) => name).filter((name) => name === KILL_VARIABLE)).size).toBe(
        1,
      );
      // BTF says of each the same place and size.
      const btf = new Btf(elf.sections.find(({ name }) => name === '.BTF')!.data, file);
      const described = btf.type(btf.find(KILL_SECTION, 'datasec')!);
      if (described.kind !== 'datasec') throw new Error(described.kind);
      const places = described.vars.map(({ type, offset, size }) => {
        const one = btf.type(type);
        return [one.kind === 'var' ? one.name : '', offset, size];
      });
      expect(places).toEqual(variables.map(({ name, value, size }) => [name, value, size]));
      // Whatever an insn refers to it can resolve, if it could in the original.
      const refused = (one: Elf): readonly string[] =>
        one.sections.flatMap((section) =>
          (section.flags & SHF_EXECINSTR) === 0
            ? []
            : (one.relocations.get(section.index) ?? []).flatMap(({ symbol }) => against(one, symbol) ?? []),
        );
      expect([file, new Set(refused(elf))]).toEqual([file, new Set(refused(before))]);
      // Every function of a program's section has a symbol that says where it is and how long.
      for (const { name, section, value, size, type } of elf.symbols) {
        if (type !== STT_FUNC) continue;
        expect([file, name, size > 0 && value + size <= elf.sections[section]!.size]).toEqual([
          file,
          name,
          true,
        ]);
      }
      read++;
    }
    expect(read).toBeGreaterThan(30);
  });
});

/** Why nothing can be linked with libbpf here; undefined: it can. */
function noLibbpf(): string | undefined {
  const source = join(folder, 'probe.c');
  writeFileSync(source, '#include <bpf/libbpf.h>\nint main(void) { return libbpf_major_version() < 1; }\n');
  const built = spawnSync('cc', [source, '-lbpf', '-o', join(folder, 'probe')], { encoding: 'utf8' });
  return built.status === 0 ? undefined : 'no C compiler with libbpf (cc, libbpf-dev)';
}

describeKnownKernel('libbpf', () => {
  it('loads and kills', (context) => {
    const unless = noLibbpf();
    if (unless !== undefined) context.skip(unless);
    const program = join(folder, 'kill');
    const source = join(import.meta.dirname, '../../docs/loaders/kill.c');
    execFileSync('cc', ['-Wall', '-Wextra', '-Werror', source, '-lbpf', '-lpthread', '-o', program]);
    const object = join(folder, 'nested_long.o');
    for (const form of [{}, FORM]) {
      const bytes = exported(join(CORPUS, 'objects/papers/nested_long.o'), form);
      writeFileSync(object, bytes!);
      const told = execFileSync(program, [object, 'nested_long', '20'], { encoding: 'utf8' });
      const [, r0, after] = /^returned (-?\d+) after (\d+) us, \d+ us after the kill$/m.exec(told) ?? [];
      // Unkilled, its 514 million rounds take seconds.
      expect([r0, Number(after) < 3_000_000]).toEqual(['0', true]);
    }
    expect(existsSync(object)).toBe(true);
    const wrong = spawnSync(program, [join(CORPUS, 'objects/papers/nested_long.o'), 'nested_long', '1'], {
      encoding: 'utf8',
    });
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringMatching(/has no words/)]);
  });
});
