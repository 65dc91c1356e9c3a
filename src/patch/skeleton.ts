/**
 * The beginnings of a rule file for functions that a patch adds: a declaration of each, with what the patch does not say marked, and rules to
 * start from.
 */

import { InputError } from '../isa/errors.js';
import { alreadyThere } from '../kernel/catalog.js';
import { findInC } from '../kernel/declare/c/find.js';
import type { FoundFunction } from '../kernel/declare/c/found.js';
import { declare } from '../kernel/declare/declare.js';
import { Unsaid } from '../kernel/declare/fields.js';

/** A declaration that was begun. */
export interface BegunFunction {
  readonly kind: 'helper' | 'kfunc';
  readonly name: string;
  /** What is still to be said, each as it would be written. */
  readonly missing: readonly string[];
  /** What is wrong with what the source says; absent for a declaration that only wants saying. */
  readonly wrong?: string;
}

/** A rule file to go on from. */
export interface Skeleton {
  readonly text: string;
  readonly functions: readonly BegunFunction[];
  /** What was seen and left out, in a sentence each. */
  readonly notes: readonly string[];
}

/** Makes the rule file for what C source adds, a file's or a diff's. `name`: of the rule set. Throws InputError where it adds no function. */
export function skeletonFrom(c: string, name: string, file: string): Skeleton {
  const { functions, notes: seen } = findInC(c);
  const notes = [...seen];
  const begun = functions.flatMap((one) => {
    const known = isThere(one);
    if (known !== undefined) notes.push(`${one.name}: ${known}`);
    return known === undefined ? [{ one, ...stateOf(one) }] : [];
  });
  if (begun.length === 0) {
    const [first] = notes;
    throw new InputError(
      `no function is added: expected a __bpf_kfunc definition or a struct bpf_func_proto${first === undefined ? '' : ` (${first})`}`,
      { file },
    );
  }
  const words = [...new Set(begun.map(({ one }) => one.kind))].sort();
  const lines = [
    `// Functions that ${file} adds. Lines marked SAY want an answer; then: swansong rules check THIS-FILE`,
    `import { ${[...words, 'rule', 'ruleSet'].join(', ')} } from 'swansong';`,
    '',
    ...notes.map((note) => `// Left out: ${note}.`),
    ...(notes.length > 0 ? [''] : []),
    ...begun.flatMap(({ one, missing, wrong }) => [...declarationOf(one, missing, wrong), '']),
    `export default ruleSet(${quoted(name)}, [`,
    "  rule('what can fail without effect fails')",
    '    .at((site) => site.canFail)',
    '    .stub((_, site) => site.failure),',
    "  rule('everything else runs').keep(),",
    ']);',
    '',
  ];
  return {
    text: lines.join('\n'),
    functions: begun.map(({ one: { kind, name: called }, missing, wrong }) => ({
      kind,
      name: called,
      missing,
      ...(wrong === undefined ? {} : { wrong }),
    })),
    notes,
  };
}

/** Why a function need not be declared. */
function isThere({ kind, name, fields }: FoundFunction): string | undefined {
  const id = typeof fields.id === 'number' ? fields.id : -1;
  return alreadyThere({ kind, name, id: kind === 'kfunc' ? -1 : id, text: '' });
}

function stateOf({ kind, fields }: FoundFunction): {
  readonly missing: readonly string[];
  readonly wrong?: string;
} {
  try {
    declare(kind, fields);
    return { missing: [] };
  } catch (error) {
    if (error instanceof Unsaid) return { missing: error.asks };
    if (error instanceof InputError)
      return { missing: [], wrong: error.message.replace(/^declaration [^:]*: /, '') };
    throw error;
  }
}

function declarationOf(
  { kind, fields, remark }: FoundFunction,
  missing: readonly string[],
  wrong: string | undefined,
): readonly string[] {
  return [
    `${kind}({`,
    ...Object.entries(fields).map(([key, value]) => `  ${key}: ${valueText(value)},`),
    ...(remark === undefined ? [] : [`  // ${remark}`]),
    ...missing.map((one) => `  // SAY ${one}`),
    ...(wrong === undefined ? [] : [`  // WRONG ${wrong}`]),
    '});',
  ];
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  return typeof value === 'string' ? quoted(value) : String(value);
}

const quoted = (text: string): string => `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
