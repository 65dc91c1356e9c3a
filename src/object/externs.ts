/** Resolves undefined symbols of an object: kfuncs, kernel variables, configuration values. */
import type { Btf } from './btf/read.js';
import type { BtfType } from './btf/types.js';
import { Compat } from './core/compat.js';
import type { Target } from './core/relocate.js';
import { essentialName } from './core/spec.js';
import { type ElfSymbol, STB_WEAK } from './elf.js';
import { type ConfigExtern, type ConfigMap, configMap } from './kconfig.js';
import { kernelSymbol } from './ksyms.js';
import { NotInTarget, NotModelled } from './not-modelled.js';
import type { MapDef } from './program.js';

type Extern = { readonly section: string; readonly id: number; readonly type: BtfType };

/**
 * Looks externs up in the object's BTF, and their values in the target's. What cannot be resolved throws NotModelled, because only the programs that use
 * it are concerned.
 */
export class Externs {
  private readonly byName = new Map<string, Extern>();
  private config: ConfigMap | undefined;

  constructor(
    private readonly local: Btf | undefined,
    private readonly target: Target,
    /** The target is the kernel that runs, whose configuration may be asked for. */
    private readonly running: boolean,
    /** Names of the weak symbols of the object. */
    private readonly weak: ReadonlySet<string>,
  ) {
    for (const section of ['.ksyms', '.kconfig']) {
      const id = local?.find(section, 'datasec');
      const datasec = id === undefined ? undefined : local?.type(id);
      if (local === undefined || datasec?.kind !== 'datasec') continue;
      for (const entry of datasec.vars) {
        this.byName.set(local.name(entry.type), { section, id: entry.type, type: local.type(entry.type) });
      }
    }
  }

  private lookup(name: string): Extern {
    const found = this.byName.get(name);
    if (found === undefined)
      throw new NotModelled(
        `'${name}' is neither defined in the object nor an extern of .ksyms: its loader would link it`,
      );
    return found;
  }

  /** Whether a symbol is an extern function, which kernels like the target may lack. */
  mayLack(symbol: ElfSymbol): boolean {
    return this.target !== this.local && this.lookup(symbol.name).type.kind === 'func';
  }

  /**
   * The kfunc that a call of `symbol` means; undefined for a weak one that the target is known not to have. Throws
   * NotModelled for a symbol that is no extern function.
   */
  kfunc(symbol: ElfSymbol): string | undefined {
    if (this.lookup(symbol.name).type.kind !== 'func')
      throw new NotModelled(`'${symbol.name}' is called but is no function`);
    // A flavour of a declaration (`name___old`) is resolved by the name before it.
    const name = essentialName(symbol.name);
    if (symbol.bind !== STB_WEAK || 'missing' in this.target) return name;
    return this.has(symbol.name, 'func') === undefined ? undefined : name;
  }

  /** BTF id, in the target, of the function or variable that an extern means. */
  private has(name: string, kind: 'func' | 'var'): number | undefined {
    const { target } = this;
    if ('missing' in target) return undefined;
    if (target === this.local) return this.own(name) ? target.find(name, kind) : undefined;
    return target.find(essentialName(name), kind);
  }

  /**
   * The types are those of the object itself: what it declares under a plain name is there, and a flavour is for other kernels. Where it declares
   * flavours alone, the one that it declares first is there.
   */
  private own(name: string): boolean {
    const plain = essentialName(name);
    if (plain === name) return true;
    if (this.byName.has(plain)) return false;
    for (const other of this.byName.keys()) if (essentialName(other) === plain) return other === name;
    return true;
  }

  /**
   * Where the configuration value that `symbol` names is; undefined for other symbols. Throws NotModelled where the configuration of
   * the target is not known, or does not have it.
   */
  setting(symbol: ElfSymbol): { readonly map: MapDef; readonly offset: number } | undefined {
    const { name } = symbol;
    const local = this.local;
    if (local === undefined || this.lookup(name).section !== '.kconfig') return undefined;
    if (!this.running)
      throw new NotModelled(`extern '${name}' of .kconfig depends on the configuration of a kernel`);
    this.config ??= configMap(local, this.configExterns(local), (one) => this.weak.has(one));
    const setting = this.config.settings.get(name)!;
    if ('problem' in setting) throw new NotInTarget(setting.problem);
    return { map: this.config.def, offset: setting.offset };
  }

  /**
   * The address, in the running kernel, of a symbol that the object gives no type (`extern const void name __ksym`); undefined for
   * symbols with one. 0 for a weak one that is not there. Throws NotModelled where no kernel tells.
   */
  kernelAddress(symbol: ElfSymbol): bigint | undefined {
    const { name, bind } = symbol;
    const { type } = this.lookup(name);
    const local = this.local!;
    if (type.kind !== 'var' || local.resolve(type.type).type.kind !== 'void') return undefined;
    if (!this.running)
      throw new NotModelled(`extern '${name}' of .ksyms has no type, so its address is in no BTF`);
    const found = kernelSymbol(name);
    if (found !== undefined) return found;
    if (bind === STB_WEAK) return 0n;
    throw new NotInTarget(`extern '${name}' of .ksyms is no symbol of the kernel`);
  }

  private configExterns(local: Btf): ConfigExtern[] {
    return [...this.byName].flatMap(([name, { section, id }]) => {
      const type = local.type(id);
      return section === '.kconfig' && type.kind === 'var' ? [{ name, type: type.type }] : [];
    });
  }

  /**
   * BTF id, in the target, of the function or variable whose address is loaded; 0 for a weak one that the target does
   * not have. Throws NotModelled for symbols without a type and where no target tells, NotInTarget for what the target lacks.
   */
  address(symbol: ElfSymbol): number {
    const { name } = symbol;
    const { type, id } = this.lookup(name);
    const kind = type.kind === 'func' ? 'func' : 'var';
    const local = this.local!;
    if ('type' in type && type.kind === 'var' && local.resolve(type.type).type.kind === 'void') {
      throw new NotModelled(`extern '${name}' of .ksyms has no type, so its address is in no BTF`);
    }
    if ('missing' in this.target)
      throw new NotModelled(
        `extern '${name}' of .ksyms is looked up in a kernel's BTF: ${this.target.missing}`,
      );
    const found = this.has(name, kind);
    if (found === undefined) {
      if (symbol.bind === STB_WEAK) return 0;
      throw new NotInTarget(`extern '${name}' of .ksyms is not in the BTF of the target`);
    }
    const other = this.target.type(found);
    const { target } = this;
    const same =
      'type' in type &&
      'type' in other &&
      new Compat(local, target).types(local.resolve(type.type).id, target.resolve(other.type).id);
    if (!same)
      throw new NotInTarget(
        `extern '${name}' of .ksyms (type ${id}) has another type in the BTF of the target`,
      );
    return found;
  }
}
