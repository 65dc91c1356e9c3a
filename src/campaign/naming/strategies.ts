/** Strategies as a case or a command line names them: one that comes with swansong, or the fast path under any rule set or rule file. */
import { extname } from 'node:path';
import { InputError } from '../../isa/errors.js';
import { didYouMean } from '../../isa/nearest.js';
import type { DeclaredFunction } from '../../object/program.js';
import { EXTENSIONS } from '../../patch/files.js';
import { fastPathUnder } from '../../strategies/fast-path.js';
import { STRATEGIES, shippedStrategy } from '../../strategies/index.js';
import type { Strategy } from '../../strategies/strategy.js';
import { rulesOfCase } from './rules.js';

/** A strategy, and the functions that its rule file declares. */
export interface NamedStrategy {
  readonly strategy: Strategy;
  readonly declared: readonly DeclaredFunction[];
}

/**
 * The strategy of this name: one that comes with swansong, a shipped rule set, or a rule file, whose path is taken as that of a case's rules. Throws
 * InputError for what is none.
 */
export async function strategyNamed(name: string, file?: string): Promise<NamedStrategy> {
  const shipped = shippedStrategy(name);
  if (shipped !== undefined) return { strategy: shipped, declared: [] };
  const names = STRATEGIES.map((one) => one.name);
  if (!EXTENSIONS.includes(extname(name)))
    throw new InputError(
      `no strategy '${name}': neither one of ${names.join(', ')} nor a rule file${didYouMean(name, names)}`,
    );
  const { rules, declared = [] } = await rulesOfCase(name, file);
  return { strategy: fastPathUnder(rules, name), declared };
}

/** Strategies by name, all that come with swansong unless told. Throws InputError as `strategyNamed`, and for one that is named twice. */
export async function loadStrategies(names?: readonly string[]): Promise<readonly NamedStrategy[]> {
  if (names === undefined) return STRATEGIES.map((strategy) => ({ strategy, declared: [] }));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InputError(`the strategy '${twice}' is named twice`);
  return Promise.all(names.map((name) => strategyNamed(name)));
}
