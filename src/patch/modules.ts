/**
 * Runs the TypeScript or JavaScript modules of rule files. Each becomes a plain function with the rule language handed to it, so that rule
 * files need no installed copy of swansong beside them, and nothing is written to disk. They run in a sandbox (sandbox.ts).
 */
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ts } from 'ts-morph';
import { InputError } from '../isa/errors.js';
import { alreadyThere } from '../kernel/catalog.js';
import type { HelperSpec, KfuncSpec } from '../kernel/declare/spec.js';
import type { DeclaredFunction } from '../object/program.js';
import * as language from './define.js';
import { type Files, resolveFile, shownPath, withoutExtension } from './files.js';
import { guardedBy } from './guard.js';
import { Sandbox } from './sandbox.js';
import { importsOf, parse, type Ts } from './syntax.js';

/** What a rule file may call the rule language by. */
const LANGUAGE = ['swansong', 'swansong/rules'];

/** What a module hands to those that import it, by name; `default` among them. */
export type Exports = Record<string, unknown>;

/** The modules of one rule file: itself and the files it imports, out of one tree of files; and the functions that these declare. */
export class Modules {
  readonly declared: DeclaredFunction[] = [];
  /** The rule language, whose kfunc() and helper() tell what is declared here. */
  private readonly words = {
    NULL: language.NULL,
    ruleSet: language.ruleSet,
    rule: (name: string): language.RuleStart => language.guardedRule(name, this.guard),
    kfunc: (spec: KfuncSpec): DeclaredFunction => this.add(language.kfunc(spec)),
    helper: (spec: HelperSpec): DeclaredFunction => this.add(language.helper(spec)),
  };
  private readonly sandbox = new Sandbox();
  private readonly guard = guardedBy(this.sandbox);
  private readonly outputs = new Map<string, ts.TranspileOutput>();
  private readonly loaded = new Map<string, Exports>();

  /** `isLanguage`: whether a path means the rule language itself. */
  constructor(
    private readonly compiler: Ts,
    private readonly files: Files,
    private readonly isLanguage: (path: string) => boolean = isOwnLanguage,
  ) {}

  /** Runs the module at this absolute path, once, and gives its exports. Throws InputError for its mistakes, and if there is no such file. */
  load(file: string): Exports {
    const known = this.loaded.get(file);
    if (known !== undefined) return known;
    const exports: Exports = {};
    this.loaded.set(file, exports);
    const { outputText, sourceMapText } = this.compiled(file);
    const shown = shownPath(file);
    try {
      this.sandbox.runModule(shown, outputText, sourceMapText, {
        exports,
        require: (specifier: string) => this.require(file, specifier),
      });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw error.place.file !== undefined
        ? error
        : new InputError(error.message, { ...error.place, file: shown });
    }
    return exports;
  }

  /** What `question`, which may run code of these modules, answers within a limit of time; see `Sandbox.ask`. */
  ask<T>(what: string, question: () => T): T {
    return this.sandbox.ask(what, question);
  }

  /** The JavaScript of a file. Those that it imports are made with it, so that running one takes no time for making others. */
  private compiled(file: string): ts.TranspileOutput {
    const known = this.outputs.get(file);
    if (known !== undefined) return known;
    const text = this.files.read(file);
    if (text === undefined) throw new InputError('no such file', { file });
    const source = parse(this.compiler, file, text);
    refuseModuleWords(this.compiler, source, file);
    const made = this.compiler.transpileModule(text, {
      // Under its own name an .mjs would stay an ES module.
      fileName: file.replace(/\.m([jt]s)$/, '.$1'),
      compilerOptions: {
        allowJs: true,
        target: this.compiler.ScriptTarget.ES2022,
        module: this.compiler.ModuleKind.CommonJS,
        esModuleInterop: true,
        sourceMap: true,
      },
    });
    this.outputs.set(file, made);
    for (const specifier of importsOf(this.compiler, source)) {
      const next = specifier.startsWith('.') ? this.importedBy(file, specifier) : undefined;
      if (next !== undefined && !this.isLanguage(next)) this.compiled(next);
    }
    return made;
  }

  private importedBy(from: string, specifier: string): string | undefined {
    return resolveFile(resolve(dirname(from), specifier), this.files);
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
      const allowed = "'swansong' and files beside it";
      throw new InputError(`a rule file imports ${allowed}, not '${specifier}'`, {
        file: shownPath(from),
      });
    }
    const file = this.importedBy(from, specifier);
    if (file === undefined) throw new InputError(`cannot find '${specifier}'`, { file: from });
    if (this.isLanguage(file)) return this.words;
    return this.load(file);
  }
}

const OWN_LANGUAGE = withoutExtension(fileURLToPath(new URL('./define.js', import.meta.url)));

/** Whether a path is that of the rule language in this copy of swansong: files beside it import it by that. */
export function isOwnLanguage(path: string): boolean {
  return withoutExtension(path) === OWN_LANGUAGE;
}

/** Throws InputError for what only ES modules may say: rule files are run as functions. */
function refuseModuleWords(compiler: Ts, source: ts.SourceFile, file: string): void {
  const refuse = (node: ts.Node, what: string): never => {
    const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
    const place = { file: shownPath(file), line: line + 1, column: character + 1 };
    throw new InputError(
      `a rule file has no ${what}: it runs from its begin to its end, as a plain function`,
      place,
    );
  };
  const visit = (node: ts.Node): void => {
    if (compiler.isMetaProperty(node) && node.keywordToken === compiler.SyntaxKind.ImportKeyword)
      refuse(node, 'import.meta');
    const waits = compiler.isForOfStatement(node)
      ? node.awaitModifier !== undefined
      : compiler.isAwaitExpression(node);
    if (waits) refuse(node, 'await outside of functions');
    // In a function of its own await is allowed; what it gives is no answer of a rule, and types say so.
    compiler.forEachChild(node, (child) => {
      if (!compiler.isFunctionLike(child)) visit(child);
      else visitFunction(child);
    });
  };
  const visitFunction = (node: ts.Node): void => {
    if (compiler.isMetaProperty(node) && node.keywordToken === compiler.SyntaxKind.ImportKeyword)
      refuse(node, 'import.meta');
    compiler.forEachChild(node, visitFunction);
  };
  visit(source);
}
