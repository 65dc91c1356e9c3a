/**
 * Checks the types of rule files with the compiler that is there already, so that a misspelt property, a comparison that can never hold or a
 * missing import is an error with its place, and not a rule that silently never applies.
 */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../isa/errors.js';
import { shownPath, withoutExtension } from './files.js';

/** Files that were found right, with the time of their last change: cases of one folder name the same file again and again. */
const checked = new Set<string>();

/**
 * Checks a TypeScript rule file and the TypeScript files that it imports. JavaScript is not checked. `looseParameters`: a parameter without a type
 * may be anything. Throws InputError with file, line and
 * column of the first error, and the number of the others.
 */
export async function checkTypes(
  file: string,
  { looseParameters = false }: { readonly looseParameters?: boolean } = {},
): Promise<void> {
  if (!/\.m?ts$/.test(file)) return;
  const key = `${resolve(file)} ${statSync(file).mtimeMs}`;
  if (checked.has(key)) return;
  const { Project, ts } = await import('ts-morph');
  const language = languageFile();
  const project = new Project({
    skipAddingFilesFromTsConfig: true,
    compilerOptions: {
      strict: true,
      noImplicitAny: !looseParameters,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts'],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      types: [],
      paths: { swansong: [language], 'swansong/rules': [language] },
    },
  });
  project.createSourceFile(join(resolve(file), '../__names.d.ts'), NAMES);
  const root = project.addSourceFileAtPath(file);
  project.resolveSourceFileDependencies();
  const own = root.getFilePath();
  const errors = project
    .getSourceFiles()
    .filter((one) => one.getFilePath() === own || isBeside(one.getFilePath()))
    .flatMap((one) => one.getPreEmitDiagnostics());
  const first = errors[0];
  if (first === undefined) {
    checked.add(key);
    return;
  }
  const message = ts.flattenDiagnosticMessageText(first.compilerObject.messageText, ' ').replace(/\s+/g, ' ');
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  const source = first.getSourceFile();
  // Without a file it is about the project as a whole.
  if (source === undefined) throw new InputError(`${message}${more}`, { file });
  throw new InputError(`${message}${more}`, {
    file: shownPath(source.getFilePath()),
    ...source.getLineAndColumnAtPos(first.getStart()!),
  });
}

/** Files of a person: those of swansong itself, and libraries, were checked when they were built. */
function isBeside(file: string): boolean {
  return !file.endsWith('.d.ts') && !file.startsWith(OWN_FOLDER);
}

const OWN_FOLDER = fileURLToPath(new URL('../', import.meta.url));

/** Where the words of the rule language are declared: the source in a checkout, the declarations of the built program. */
function languageFile(): string {
  const stem = withoutExtension(fileURLToPath(new URL('./define.js', import.meta.url)));
  return [`${stem}.ts`, `${stem}.d.ts`].find(existsSync) ?? `${stem}.d.ts`;
}

/** Names of Node that people try in rules: they are there, so that the sandbox can say why they may not be used. */
const NAMES = 'declare const console: any;\ndeclare const process: any;\n';
