/** Reads an object file, as clang writes it, into programs. */
import { InputError } from '../isa/errors.js';
import { type BtfExt, readBtfExt } from './btf/ext.js';
import { FieldFinder } from './btf/fields.js';
import { fixBtf } from './btf/fix.js';
import { Btf } from './btf/read.js';
import { printable } from './bytes.js';
import { CoreRelocator } from './core/relocate.js';
import { type Elf, readElf, type Section, SHT_NOBITS, STB_WEAK } from './elf.js';
import { type Extension, extensionOf, replacedBy } from './extensions.js';
import { Externs } from './externs.js';
import { Functions, type ObjectFunction } from './functions.js';
import { exceptionCallbacks, link, type Parts } from './link.js';
import { applySettings, type LoaderSettings, settingFor } from './loader-settings.js';
import { readMaps } from './maps.js';
import { NotInTarget, NotModelled } from './not-modelled.js';
import {
  type KernelTypes,
  type LocalType,
  type MapDef,
  PROG_TYPES,
  type Program,
  type ProgType,
  type SpecialField,
} from './program.js';
import { isSubprogSection, type ProgramKind, programKind } from './sections.js';
import { type Operation, operationName, operations } from './struct-ops.js';
import { needsNoKernel, structsFor, type TargetChoice, targetFor } from './target.js';

/** Most slots that the programs of one file have together; subprograms count once for each program they are in. */
const TOTAL_SLOTS_MAX = 4_000_000;

/** What reading an object depends on besides its bytes. */
export interface ReadOptions {
  /**
   * Types that CO-RE relocations are resolved against: the bytes of a BTF file; 'kernel' (the default) those of the
   * running kernel; 'none' nothing, so that an object with such relocations is refused.
   */
  readonly targetBtf?: TargetChoice;
  /** What the loader of the object would have set. */
  readonly loader?: LoaderSettings;
}

/** A program of the file that was not read, and why. */
export interface Skipped {
  readonly name: string;
  readonly section: string;
  readonly reason: string;
  /** The target lacks what it needs: no verifier could be asked. */
  readonly absent?: true;
}

/** The programs that could be read, and those of other kinds that were passed over, with the reason. */
export interface ReadObject {
  /** In the order of the symbol table. */
  readonly programs: Program[];
  readonly skipped: Skipped[];
}

/** An object and its programs, with where in the object each function of a program lies: for writers of objects. */
export interface ObjectSource {
  readonly elf: Elf;
  /** Types as they are in the file, if it has any. */
  readonly types: { readonly btf: Btf; readonly ext: BtfExt | undefined } | undefined;
  /** All functions of the object. */
  readonly functions: Functions;
  readonly programs: readonly {
    readonly program: Program;
    /** In the order of `Program.subprogs`. */
    readonly functions: readonly ObjectFunction[];
  }[];
  readonly skipped: readonly Skipped[];
}

function sectionNamed(elf: Elf, name: string): Section | undefined {
  return elf.sections.find(
    (section) => section.name === name && section.type !== SHT_NOBITS && section.size > 0,
  );
}

function readTypes(elf: Elf): { btf: Btf; bytes: Uint8Array; ext: BtfExt | undefined } | undefined {
  const section = sectionNamed(elf, '.BTF');
  if (section === undefined) return undefined;
  const raw = new Btf(section.data, elf.file);
  const bytes = fixBtf(raw, elf);
  const ext = sectionNamed(elf, '.BTF.ext');
  return { btf: raw, bytes, ext: ext && readBtfExt(ext.data, elf.file, raw) };
}

function localTypes(
  btf: Btf | undefined,
  finder: FieldFinder | undefined,
  kernel: KernelTypes | undefined,
  linked: { readonly localTypes: readonly number[]; readonly maps: readonly MapDef[] },
): LocalType[] {
  if (btf === undefined || finder === undefined) return [];
  const found = new Map<number, LocalType>();
  const add = (id: number): void => {
    const { type } = btf.resolve(id);
    if (type.kind !== 'struct' || found.has(id)) return;
    const fields = finder.find(id);
    found.set(id, { name: type.name, size: type.size, fields, id });
    addNamed(fields);
  };
  // Structs that pointers, lists and trees lead to; of the same name, the kernel's come first.
  const addNamed = (fields: readonly SpecialField[]): void => {
    for (const { struct } of fields) {
      if (struct === undefined || kernel?.has(struct) === true) continue;
      const id = btf.find(struct, 'struct');
      if (id !== undefined) add(id);
    }
  };
  for (const id of linked.localTypes) add(id);
  for (const map of linked.maps) addNamed(map.fields);
  return [...found.values()];
}

/** What kind of program a function is: as its loader says, else as the name of its section does. Throws NotModelled where neither tells. */
function kindOf({ name, section: { name: section } }: ObjectFunction, loader: LoaderSettings): ProgramKind {
  const given = settingFor(loader.types, name, section);
  const kind =
    given === undefined ? (programKind(section) ?? kindNamed(loader.types?.get(''))) : kindNamed(given);
  if (kind === undefined) {
    throw new NotModelled(
      `programs of section '${section}' are not modelled: say what they are with --type ${name}=TYPE`,
    );
  }
  const target = settingFor(loader.attach, name, section);
  if (target !== undefined && kind.attach !== undefined)
    return { ...kind, attach: { ...kind.attach, target } };
  if (kind.attachOpen === true)
    throw new NotInTarget(`its loader gives what it attaches to, say what with --attach ${name}=FUNCTION`);
  return kind;
}

/**
 * What the kernel's types say of the function that a struct_ops or LSM program stands in for. Throws NotInTarget where no struct of the object names a
 * struct_ops program, and where the kernel does not have what it stands in for.
 */
function withHook(
  kind: ProgramKind,
  { name }: ObjectFunction,
  hooks: ReadonlyMap<string, Operation>,
  structs: KernelTypes | undefined,
): ProgramKind {
  const { type } = kind;
  if (type !== 'struct_ops' && type !== 'lsm') return kind;
  const operation = hooks.get(name);
  const target = kind.attach?.target ?? (operation && operationName(operation));
  if (type === 'struct_ops' && target === undefined)
    throw new NotInTarget(
      `no struct in .struct_ops names it, so its loader leaves it out: say what it stands in for with --attach ${name}=STRUCT.MEMBER`,
    );
  if (target === undefined || kind.attach === undefined || structs === undefined) return kind;
  const attach = { ...kind.attach, target };
  const hook = structs.hook?.(type, attach);
  if (hook === undefined) return { ...kind, attach };
  const { index = attach.type, returns } = hook;
  return { ...kind, attach: { ...attach, type: index, ...(returns !== undefined && { returns }) } };
}

/** A kind by the name of a type, or of a section that means it. */
function kindNamed(word: string | undefined): ProgramKind | undefined {
  if (word === undefined) return undefined;
  const type = PROG_TYPES.find((one: ProgType) => one === word);
  // A section says more than a type: what the program attaches to, and whether it sleeps.
  return programKind(word) ?? (type && { type, sleepable: type === 'syscall' });
}

function licenseOf(elf: Elf): string {
  const data = sectionNamed(elf, 'license')?.data;
  if (data === undefined) return '';
  const end = data.indexOf(0);
  return new TextDecoder().decode(data.subarray(0, Math.min(end < 0 ? data.length : end, 128)));
}

/**
 * Reads every program of an object whose kind is modelled; others are listed in `skipped`.
 * Throws InputError, naming `fileName`, for a file that is no whole BPF object, for one whose relocations cannot be
 * resolved, and for one that has no program at all.
 */
export function readObject(bytes: Uint8Array, fileName: string, options: ReadOptions = {}): ReadObject {
  const { programs, skipped } = readSource(bytes, fileName, options);
  return { programs: programs.map(({ program }) => program), skipped: [...skipped] };
}

/** The same, with what the programs were made of. Throws as `readObject`. */
export function readSource(bytes: Uint8Array, fileName: string, options: ReadOptions = {}): ObjectSource {
  try {
    const source = readPrograms(bytes, fileName, options);
    return {
      ...source,
      skipped: source.skipped.map((one) => ({ ...one, reason: printable(one.reason) })),
    };
  } catch (error) {
    // A corrupt file has corrupt names, and messages name what they are about.
    if (error instanceof InputError) throw new InputError(printable(error.message), error.place);
    throw error;
  }
}

function readPrograms(bytes: Uint8Array, fileName: string, options: ReadOptions): ObjectSource {
  const elf = readElf(bytes, fileName);
  const types = readTypes(elf);
  const hooks = operations(elf, types?.btf);
  const target = targetFor(options.targetBtf, types?.btf, hooks);
  const fixed = types && new Btf(types.bytes, fileName);
  const finder = fixed && new FieldFinder(fixed);
  const core = types && new CoreRelocator(types.btf, target);
  const { loader = {} } = options;
  const maps = readMaps(elf, fixed, finder, loader.inner);
  applySettings(maps, fixed, loader, fileName);
  const parts: Parts = {
    elf,
    functions: new Functions(elf, types?.btf, types?.ext, core),
    maps,
    externs: new Externs(
      types?.btf,
      target,
      (options.targetBtf ?? 'kernel') === 'kernel',
      new Set(elf.symbols.filter(({ bind }) => bind === STB_WEAK).map(({ name }) => name)),
    ),
    exceptionCallbacks: exceptionCallbacks(types?.btf),
  };
  const license = licenseOf(elf);
  const structs = structsFor(target, types);

  const programs: ObjectSource['programs'][number][] = [];
  const skipped: Skipped[] = [];
  let slots = 0;
  const read = (main: ObjectFunction, extension?: Extension): ObjectSource['programs'][number] => {
    const section = main.section.name;
    const replaces =
      extension &&
      replacedBy(
        extension,
        loader,
        programs.map(({ program }) => program),
        fileName,
      );
    // What Linux asks of such a program it asks as of the other one, but for whether it sleeps.
    const kind: ProgramKind =
      replaces === undefined
        ? withHook(kindOf(main, loader), main, hooks, structs)
        : {
            ...{ type: replaces.of.type, sleepable: false },
            ...(replaces.of.attach && { attach: replaces.of.attach }),
          };
    const { attach } = kind;
    if (
      replaces === undefined &&
      attach?.target !== undefined &&
      structs !== undefined &&
      structs.arguments(kind.type, attach) === undefined
    )
      throw new NotInTarget(`it attaches to '${attach.target}', which is not in the BTF of the target`);
    const linked = link(parts, main);
    needsNoKernel(target, types, linked.maps);
    slots += linked.insns.length;
    if (slots > TOTAL_SLOTS_MAX)
      throw new NotModelled(`the programs of the file have more than ${TOTAL_SLOTS_MAX} insns`);
    const program: Program = {
      name: main.name,
      type: kind.type,
      insns: linked.insns,
      maps: linked.maps,
      kfuncs: linked.kfuncs,
      ...(linked.weakKfuncs.length > 0 && { weakKfuncs: linked.weakKfuncs }),
      subprogs: linked.subprogs,
      localTypes: localTypes(fixed, finder, structs, linked),
      ...(core !== undefined && core.pointers.length > 0 ? { kernelPointers: core.pointers.slice() } : {}),
      ...(types && { btf: types.bytes }),
      lines: linked.lines,
      license,
      section,
      ...(kind.sleepable && { sleepable: true }),
      ...(kind.attach && { attach: kind.attach }),
      ...(replaces && { replaces }),
      ...(structs && { kernelTypes: structs }),
    };
    return { program, functions: linked.functions };
  };
  const mains = parts.functions.all.filter(
    ({ visible, section }) => visible && !isSubprogSection(section.name),
  );
  const extensions = mains.map((main) => extensionOf(main.name, main.section.name, loader));
  const readable = (main: ObjectFunction, extension?: Extension): void => {
    try {
      programs.push(read(main, extension));
    } catch (error) {
      if (!(error instanceof NotModelled)) throw error;
      skipped.push({
        name: main.name,
        section: main.section.name,
        reason: error.message,
        ...(error instanceof NotInTarget && { absent: true }),
      });
    }
  };
  // A function that is replaced may be in a program of the same object, anywhere in it.
  for (const [at, main] of mains.entries()) if (extensions[at] === undefined) readable(main);
  for (const [at, main] of mains.entries()) if (extensions[at] !== undefined) readable(main, extensions[at]);
  if (programs.length === 0 && skipped.length === 0)
    throw new InputError(
      'the object has no program that can be read, expected a function in a section such as xdp or tc',
      { file: fileName },
    );
  return { elf, types, functions: parts.functions, programs, skipped };
}
