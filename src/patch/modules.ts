/**
 * Runs the TypeScript or JavaScript modules of rule files. Each becomes a plain function with the rule language handed to it, so that rule
 * files need no installed copy of swansong beside them, and nothing is written to disk.
 */
import { createRequire } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { InputError } from '../isa/errors.js';
import { alreadyThere } from '../kernel/catalog.js';
import type { HelperSpec, KfuncSpec } from '../kernel/declare/spec.js';
import type { DeclaredFunction } from '../object/program.js';
import * as language from './define.js';
import { type Files, resolveFile, withoutExtension } from './files.js';
import { parse, type Ts } from './syntax.js';

/** What a rule file may call the rule language by. */
const LANGUAGE = ['swansong', 'swansong/rules'];

/** What a module hands to those that import it, by name; `default` among them. */
export type Exports = Record<string, unknown>;

/** The modules of one rule file: itself and the files it imports, out of one tree of files; and the functions that these declare. */
export class Modules {
  readonly declared: DeclaredFunction[] = [];
  /** The rule language, whose kfunc() and helper() tell what is declared here. */
  private readonly words = {
    ...language,
    kfunc: (spec: KfuncSpec): DeclaredFunction => this.add(language.kfunc(spec)),
    helper: (spec: HelperSpec): DeclaredFunction => this.add(language.helper(spec)),
  };
  private readonly loaded = new Map<string, Exports>();
  private readonly packages = new Set<string>();

  constructor(
    private readonly compiler: Ts,
    private readonly files: Files,
  ) {}

  /** Packages and modules of Node that were imported: they come from outside of the tree of files. */
  get foreign(): readonly string[] {
    return [...this.packages];
  }

  /** Runs the module at this absolute path, once, and gives its exports. Throws InputError for its mistakes, and if there is no such file. */
  load(file: string): Exports {
    const known = this.loaded.get(file);
    if (known !== undefined) return known;
    const exports: Exports = {};
    this.loaded.set(file, exports);
    const text = this.files.read(file);
    if (text === undefined) throw new InputError('no such file', { file });
    parse(this.compiler, file, text);
    const { outputText } = this.compiler.transpileModule(text, {
      // Under its own name an .mjs would stay an ES module.
      fileName: file.replace(/\.m([jt]s)$/, '.$1'),
      compilerOptions: {
        allowJs: true,
        target: this.compiler.ScriptTarget.ES2022,
        module: this.compiler.ModuleKind.CommonJS,
        esModuleInterop: true,
      },
    });
    try {
      const run = compileFunction(outputText, ['exports', 'require'], { filename: file });
      run(exports, (specifier: string) => this.require(file, specifier));
    } catch (error) {
      if (error instanceof InputError) {
        if (error.place.file !== undefined) throw error;
        throw new InputError(error.message, { ...error.place, file: relative(process.cwd(), file) });
      }
      throw new InputError(error instanceof Error ? error.message : String(error), { file });
    }
    return exports;
  }

  private add(one: DeclaredFunction): DeclaredFunction {
    const why = alreadyThere(one, this.declared);
    if (why !== undefined) throw new InputError(`declaration ${one.name}: ${why}`);
    this.declared.push(one);
    return one;
  }

  private require(from: string, specifier: string): unknown {
    if (LANGUAGE.includes(specifier)) return this.words;
    if (!specifier.startsWith('.')) {
      this.packages.add(specifier);
      return createRequire(from)(specifier);
    }
    const file = resolveFile(resolve(dirname(from), specifier), this.files);
    if (file === undefined) throw new InputError(`cannot find '${specifier}'`, { file: from });
    if (withoutExtension(file) === withoutExtension(OWN_LANGUAGE)) return this.words;
    return this.load(file);
  }
}

const OWN_LANGUAGE = fileURLToPath(new URL('./define.js', import.meta.url));
