/** Where each rule of a rule set stands in its source, so that a verdict can name the file and line of the rule at fault. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, rulesIn, typescript } from './syntax.js';

/** The place of a rule in its source file. */
export interface RulePosition {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

/**
 * Positions of the rules in a rule file, by rule name. Rules whose name is computed are not found.
 * Throws InputError if the file has a syntax error, and the file system's error if it cannot be read.
 */
export async function rulePositions(file: string): Promise<ReadonlyMap<string, RulePosition>> {
  const compiler = await typescript();
  const positions = new Map<string, RulePosition>();
  for (const { name, line, column } of rulesIn(compiler, parse(compiler, file, readFileSync(file, 'utf8')))) {
    if (!positions.has(name)) positions.set(name, { file, line, column });
  }
  return positions;
}

/**
 * The file of a shipped rule set: its TypeScript source where that is at hand (in a checkout, also when the compiled program runs), the
 * compiled module otherwise.
 */
export function shippedFile(name: string): string {
  const compiled = fileURLToPath(new URL(`sets/${name}.js`, import.meta.url));
  const sources = [`sets/${name}.ts`, `../../../src/patch/sets/${name}.ts`];
  return (
    sources.map((source) => fileURLToPath(new URL(source, import.meta.url))).find(existsSync) ?? compiled
  );
}
