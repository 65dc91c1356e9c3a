/**
 * Loads a rule set: a shipped one by its name, or a person's own rule file. Rule files are TypeScript or JavaScript; both are
 * turned into a plain function and run in this process with the rule language handed to them, so that they need no
 * installed copy of swansong beside them, and nothing is written to disk.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { InputError } from '../isa/errors.js';
import * as language from './define.js';
import type { Rule, RuleSet } from './rule.js';
import { RULE_SETS, shippedRuleSet } from './sets/index.js';
import { parse, type Ts, typescript } from './syntax.js';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];
/** What a rule file may call the rule language by. */
const LANGUAGE = ['swansong', 'swansong/rules'];

/** A rule set and the file that it came from. */
export interface LoadedRules {
  readonly rules: RuleSet;
  /** The rule file; `undefined` for a shipped set. */
  readonly file: string | undefined;
}

/** The shipped rule set of this name, or the default export of this rule file. Throws InputError when it is neither. */
export async function loadRules(nameOrFile: string): Promise<LoadedRules> {
  const shipped = shippedRuleSet(nameOrFile);
  if (shipped !== undefined) return { rules: shipped, file: undefined };
  if (!EXTENSIONS.includes(extname(nameOrFile))) {
    const names = RULE_SETS.map((rules) => rules.name).join(', ');
    throw new InputError(`no rule set '${nameOrFile}': neither one of ${names} nor a .ts or .js file`);
  }
  const file = resolve(nameOrFile);
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw new InputError('no such rule file', { file: nameOrFile });
  }
  const compiler = await typescript();
  const exported = new Modules(compiler).load(file).default;
  return { rules: asRuleSet(exported, nameOrFile), file };
}

function asRuleSet(exported: unknown, file: string): RuleSet {
  const { name, rules } = (exported ?? {}) as { name?: unknown; rules?: unknown };
  if (typeof name !== 'string' || !Array.isArray(rules)) {
    throw new InputError('a rule file exports a ruleSet(...) as its default', { file });
  }
  return language.ruleSet(name, rules as Rule[]);
}

type Exports = Record<string, unknown>;

/** The modules of one rule file: itself and the files it imports. */
class Modules {
  private readonly loaded = new Map<string, Exports>();

  constructor(private readonly compiler: Ts) {}

  load(file: string): Exports {
    const known = this.loaded.get(file);
    if (known !== undefined) return known;
    const exports: Exports = {};
    this.loaded.set(file, exports);
    const text = readFileSync(file, 'utf8');
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
      if (error instanceof InputError) throw error;
      throw new InputError(error instanceof Error ? error.message : String(error), { file });
    }
    return exports;
  }

  private require(from: string, specifier: string): unknown {
    if (LANGUAGE.includes(specifier)) return language;
    if (!specifier.startsWith('.')) return createRequire(from)(specifier);
    const file = resolveFile(resolve(dirname(from), specifier));
    if (file === undefined) throw new InputError(`cannot find '${specifier}'`, { file: from });
    if (withoutExtension(file) === withoutExtension(OWN_LANGUAGE)) return language;
    return this.load(file);
  }
}

const OWN_LANGUAGE = fileURLToPath(new URL('./define.js', import.meta.url));

const withoutExtension = (file: string): string => file.slice(0, file.length - extname(file).length);

/** An import of `x.js` may mean `x.ts`, as in TypeScript. */
export function resolveFile(path: string): string | undefined {
  const stem = EXTENSIONS.includes(extname(path)) ? withoutExtension(path) : path;
  return [path, ...EXTENSIONS.map((extension) => stem + extension)].find(
    (file) => existsSync(file) && statSync(file).isFile(),
  );
}
