/**
 * Why no program shows that a rule is wrong, where other rules of the set hide it: what the wrong stub breaks is noticed by another call, and
 * the set replaces that call as well. That is tried, not guessed: with the one stub alone a program breaks a check, and with all stubs of the
 * set but those of the functions that are named it still does.
 */
import type { FastPath, Stub } from '../../patch/rule.js';
import type { Violation } from '../../vm/state/trap.js';
import { Vm } from '../../vm/vm.js';
import type { DecidedPath } from '../kill/cause.js';
import { runEnvironment } from '../kill/environments.js';
import { type BrokenCheck, killBeforeEveryInsn } from '../kill/kill-everywhere.js';
import { type PreparedProgram, pathOf, runOptions } from '../kill/prepared-program.js';
import type { NamedRules } from '../naming/rules.js';

/** Worlds that each program is tried in. */
const WORLDS = 3;

/**
 * In words: what the stub of this function breaks alone, and which stubs of the set hide it. Undefined where it breaks nothing alone in these
 * programs.
 */
export function hiddenBy(
  { rules }: NamedRules,
  name: string,
  programs: readonly PreparedProgram[],
): string | undefined {
  for (const prepared of programs) {
    const path = pathOf(prepared, rules);
    const nameAt = namesOf(prepared);
    const alone = [...path.stubs].filter(([slot]) => nameAt(slot) === name);
    if (alone.length === 0) continue;
    const only: FastPath = { rules: path.rules, stubs: new Map(alone) };
    for (let k = 0; k < WORLDS; k++) {
      const world = runEnvironment(prepared.program, 0, 0, k);
      const run = killBeforeEveryInsn(prepared.code, { ...runOptions(prepared, only), ...world });
      if (run.ordinary.violations.length > 0) continue;
      // What a kept call acquires or how long it takes is no doing of the stub.
      const own = run.broken.filter(({ violation: { check } }) => check !== 'acquire' && check !== 'bound');
      const told = own.map((broken) => ({ broken, hiding: whoHides(prepared, path, name, broken) }));
      const hidden = told.filter(({ hiding }) => hiding.length > 0);
      const [fewest] = hidden.sort((a, b) => a.hiding.length - b.hiding.length);
      if (fewest !== undefined) {
        const { broken, hiding } = fewest;
        const which = [...path.ruleAt].filter(([slot]) => hiding.includes(nameAt(slot)));
        const by = [...new Set(which.map(([, rule]) => `'${rule}'`))].join(' and ');
        return `alone it breaks ${inWords(broken.violation)}, but ${by} of the same set stubs ${hiding.join(' and ')} too, which hides that`;
      }
    }
  }
  return undefined;
}

const inWords = ({ check, function: called }: Violation): string =>
  called === undefined ? check : `${check} (${called})`;

const namesOf =
  ({ code }: PreparedProgram) =>
  (slot: number): string =>
    code.contracts[slot]?.name ?? '';

/** The functions whose stubs must go for the check to break; the stubs of all others may stay. */
function whoHides(
  prepared: PreparedProgram,
  path: DecidedPath,
  name: string,
  broken: BrokenCheck,
): readonly string[] {
  const nameAt = namesOf(prepared);
  const of = (one: string): [number, Stub][] => [...path.stubs].filter(([slot]) => nameAt(slot) === one);
  const others = new Set([...path.stubs.keys()].map(nameAt).filter((called) => called !== name));
  let stubs = of(name);
  const hiding: string[] = [];
  for (const other of others) {
    const more = [...stubs, ...of(other)];
    if (breaksWith(prepared, { rules: path.rules, stubs: new Map(more) }, broken)) stubs = more;
    else hiding.push(other);
  }
  return hiding;
}

/** Whether the killed run breaks the same check for the same function with these stubs. */
function breaksWith(
  prepared: PreparedProgram,
  path: FastPath,
  { step, env, violation }: BrokenCheck,
): boolean {
  const vm = new Vm(prepared.code, { ...runOptions(prepared, path), env });
  if (vm.advance(step)) vm.kill();
  const { violations } = vm.run();
  return violations.some((one) => one.check === violation.check && one.function === violation.function);
}
