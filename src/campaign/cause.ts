/**
 * What a broken check is due to, so that one cause is reported once however often it is hit: the rule set, the check, the functions whose
 * stubs are to blame, and the kind of message.
 */
import type { FastPath } from '../patch/rule.js';
import type { Code } from '../vm/code.js';
import type { Check, Violation } from '../vm/trap.js';
import { Vm, type VmOptions } from '../vm/vm.js';
import type { Broken } from './exercise.js';

export interface Cause {
  readonly rules: string;
  readonly check: Check;
  /** Function whose stub (or whose call, where it is kept) is to blame; several joined by `+` when they break it only together. */
  readonly function: string;
  /** The message without what differs from hit to hit. */
  readonly kind: string;
}

/** The cause as one string, equal for equal causes. */
export function causeKey({ rules, check, function: name, kind }: Cause): string {
  return `${rules} ${check} ${name}: ${kind}`;
}

/** A message without slots, steps, addresses, registers, numbers and names of functions. */
export function kindOf({ message }: Violation): string {
  return message
    .replace(/\bbpf_\w+/g, 'a function')
    .replace(/0x[0-9a-f]+/gi, 'N')
    .replace(/\b[rw](10|\d)\b/g, 'a register')
    .replace(/-?\b\d+\b/g, 'N')
    .replace(/ at N\b/g, '');
}

/** Whether a killed run shows the same check and kind of message. */
function shows(
  code: Code,
  options: VmOptions,
  broken: Broken,
  stubs: FastPath['stubs'],
  rules: string,
): boolean {
  const vm = new Vm(code, { ...options, env: broken.env, fastPath: { rules, stubs } });
  vm.advance(broken.step);
  if (!vm.running) return false;
  vm.kill();
  const kind = kindOf(broken.violation);
  return vm.run().violations.some((one) => one.check === broken.violation.check && kindOf(one) === kind);
}

/** Finds what a broken check is due to: one stub that breaks it alone, or else those that cannot be left out. */
export function causeOf(code: Code, options: VmOptions, path: FastPath, broken: Broken): Cause {
  const { check } = broken.violation;
  const { rules } = path;
  const kind = kindOf(broken.violation);
  // A call that was kept is to blame itself, whatever way led to it.
  if (check === 'acquire') return { rules, check, function: broken.violation.function ?? 'no call', kind };
  for (const [slot, stub] of path.stubs) {
    if (shows(code, options, broken, new Map([[slot, stub]]), rules)) {
      return { rules, check, function: nameAt(code, slot), kind };
    }
  }
  let needed = new Map(path.stubs);
  for (const slot of path.stubs.keys()) {
    const fewer = new Map([...needed].filter(([other]) => other !== slot));
    if (shows(code, options, broken, fewer, rules)) needed = fewer;
  }
  const blamed = [...new Set([...needed.keys()].map((slot) => nameAt(code, slot)))].sort();
  const name = blamed.length > 0 ? blamed.join('+') : (broken.violation.function ?? 'no call');
  return { rules, check, function: name, kind };
}

function nameAt(code: Code, slot: number): string {
  return code.contracts[slot]?.name ?? `insn ${slot}`;
}

/** Whether what is due to `one` is due to `other` as well, perhaps with fewer functions to blame. */
export function isWithin(one: Cause, other: Cause): boolean {
  if (one.rules !== other.rules || one.check !== other.check || one.kind !== other.kind) return false;
  const blamed = new Set(other.function.split('+'));
  return one.function.split('+').every((name) => blamed.has(name));
}
