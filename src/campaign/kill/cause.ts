/**
 * Finds the cause of a broken check: the rule set, the check, the functions whose stubs are to blame, and the kind of message. So one
 * cause is reported once, however often it is hit.
 */
import type { FastPath } from '../../patch/rule.js';
import type { Code } from '../../vm/state/code.js';
import type { Check, Violation } from '../../vm/state/trap.js';
import { Vm, type VmOptions } from '../../vm/vm.js';
import type { BrokenAfterKill } from './kill-everywhere.js';

/** Tells hits of one mistake from hits of another. Two hits with equal causes are one finding. */
export interface Cause {
  readonly rules: string;
  readonly check: Check;
  /** The rule that decides there; `no rule` where none does. */
  readonly rule: string;
  /** Function whose stub (or whose call, where it is kept) is to blame; several joined by `+` when they break it only together. */
  readonly function: string;
  /** The message without what differs from hit to hit. */
  readonly kind: string;
}

/** The cause as one string, equal for equal causes. */
export function causeKey({ rules, check, function: name, kind }: Cause): string {
  return `${rules} ${check} ${name}: ${kind}`;
}

/** Groups causes that differ only in the function: they are one fault of the rules. */
export function groupKey({ rules, check, rule }: Cause): string {
  return `${rules} ${check} ${rule}`;
}

/** A fast path, and by slot the name of the rule that decides, for stubs and kept calls alike. */
export interface DecidedPath extends FastPath {
  readonly ruleAt: ReadonlyMap<number, string>;
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

/** Whether the killed run breaks the same check at the same place when only the calls at these slots are replaced, or end in their pads. */
function breaksWith(
  code: Code,
  options: VmOptions,
  broken: BrokenAfterKill,
  path: FastPath,
  slots: ReadonlySet<number>,
): boolean {
  const { rules, stubs, unwinds } = path;
  const fastPath: FastPath = {
    rules,
    stubs: new Map([...stubs].filter(([slot]) => slots.has(slot))),
    ...(unwinds !== undefined && {
      unwinds: { ...unwinds, calls: new Set([...unwinds.calls].filter((slot) => slots.has(slot))) },
    }),
  };
  const vm = new Vm(code, { ...options, env: broken.env, fastPath });
  vm.advance(broken.step);
  if (!vm.running) return false;
  vm.kill();
  const { check, slot, function: named, message } = broken.violation;
  return vm
    .run()
    .violations.some(
      (one) => one.check === check && one.slot === slot && one.function === named && one.message === message,
    );
}

/** Finds the stubs to blame for a broken check: one that breaks it alone, or else all those that cannot be left out. */
export function causeOf(code: Code, options: VmOptions, path: DecidedPath, broken: BrokenAfterKill): Cause {
  const { check, slot: at, function: named } = broken.violation;
  const blame = (slots: readonly number[], otherwise: string): Cause => {
    const joined = (words: readonly string[]): string => [...new Set(words)].sort().join('+');
    return {
      rules: path.rules,
      check,
      rule: joined(slots.map((slot) => path.ruleAt.get(slot) ?? 'no rule')) || 'no rule',
      function: joined(slots.map((slot) => code.contracts[slot]?.name ?? `insn ${slot}`)) || otherwise,
      kind: kindOf(broken.violation),
    };
  };
  // If a kept call breaks the check, that call is to blame, whatever path led to it. The exception is a call that only killed runs reach,
  // because no rule could know of it.
  const kept = path.ruleAt.has(at) && !path.stubs.has(at);
  if (kept && (check === 'acquire' || breaksWith(code, options, broken, path, new Set()))) {
    return blame([at], named ?? 'no call');
  }
  const replaced = [...path.stubs.keys(), ...(path.unwinds?.calls ?? [])];
  for (const slot of replaced) {
    if (breaksWith(code, options, broken, path, new Set([slot]))) return blame([slot], '');
  }
  let needed = new Set(replaced);
  for (const slot of replaced) {
    const fewer = new Set([...needed].filter((other) => other !== slot));
    if (breaksWith(code, options, broken, path, fewer)) needed = fewer;
  }
  return blame(Array.from(needed), named ?? 'no call');
}

/** Whether `other` explains everything that `one` explains, perhaps with fewer functions to blame. */
export function isSameOrPart(one: Cause, other: Cause): boolean {
  if (one.rules !== other.rules || one.check !== other.check || one.kind !== other.kind) return false;
  const blamed = new Set(other.function.split('+'));
  return one.function.split('+').every((name) => blamed.has(name));
}

/**
 * What breaks in a case of this cause, in the words of its run, which are the case's first comment: with the numbers and names that the kind of
 * a message leaves out. The kind, where the case does not tell.
 */
export function messageOf({ check, kind }: Cause, text: string): string {
  const told = `# ${check}: `;
  const line = text.split('\n').find((one) => one.startsWith(told));
  return line === undefined ? kind : line.slice(told.length);
}
