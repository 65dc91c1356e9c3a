/**
 * A policy file: limits on the time that programs may take in hooks, and what to do with those that take longer; and the load under which that is to be
 * simulated. TOML:
 *
 *     [[limit]]
 *     hook = "tc"             # a program type, or the section of an object; * for any
 *     program = "count_*"     # by name; all unless told
 *     time = "10us"
 *     action = "kill"         # or refuse, throttle, detach
 *
 * docs/policies.md has all members.
 */

import { type Load, readLoad } from './load.js';
import { type Table, TomlFile } from './reader.js';
import { ACTIONS, type Action } from './words.js';

/** One limit. Times are nanoseconds. */
export interface Limit {
  readonly hook: string;
  readonly program: string;
  readonly time: number;
  readonly action: Action;
  /** Throttled for so long; each time again as long times `backOff`, up to `atMost`. */
  readonly for: number;
  readonly backOff: number;
  readonly atMost: number;
  /** Detached after so many kills. */
  readonly after: number;
}

/** A policy that was read. */
export interface Policy {
  readonly file: string;
  readonly limits: readonly Limit[];
  /** The rule set of the fast path, by name or file. */
  readonly rules: string;
  readonly contended: boolean;
  /** All costs are multiplied by it: that of another machine. */
  readonly scale: number;
  /** What is simulated; undefined where the file does not say. */
  readonly load: Load | undefined;
}

/** Reads a policy. Throws InputError with the file, the line and what was expected. */
export function parsePolicy(text: string, file: string): Policy {
  const root = new TomlFile(text, file).whole();
  const limits = root.tables('limit').map(readLimit);
  const policy = {
    file,
    limits,
    rules: root.text('rules', 'sound'),
    contended: root.flag('contended', false),
    scale: root.number('scale', [1e-6, 1e6], false, 1),
    load: root.has('simulate') ? readLoad(root.table('simulate')) : undefined,
  };
  root.end([]);
  if (limits.length === 0 && policy.load === undefined)
    throw root.wrong('limit', 'at least one [[limit]], or a load to [simulate]');
  return policy;
}

const DEFAULT_THROTTLE = 1e7;
const LONGEST = 6e10;

function readLimit(table: Table): Limit {
  const action = table.word('action', ACTIONS);
  const limit: Limit = {
    hook: table.text('hook', '*'),
    program: table.text('program', '*'),
    time: table.time('time'),
    action,
    for: table.time('for', DEFAULT_THROTTLE),
    backOff: table.number('back-off', [1, 1000], false, 2),
    atMost: table.time('at-most', LONGEST),
    after: table.number('after', [1, 1e9], true, 1),
  };
  if (action !== 'throttle')
    for (const key of ['for', 'back-off', 'at-most'])
      if (table.has(key)) throw table.wrong(key, `no such member: it is for action = "throttle"`);
  if (action !== 'detach' && table.has('after'))
    throw table.wrong('after', 'no such member: it is for action = "detach"');
  table.end([]);
  return limit;
}

/** Whether a name matches a pattern, in which `*` stands for any text. */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/** A program, by what limits go by. */
export interface Limited {
  readonly name: string;
  readonly type: string;
  readonly section?: string;
}

/** The limit of a program: the first that matches. */
export function limitOf(limits: readonly Limit[], { name, type, section }: Limited): Limit | undefined {
  return limits.find(
    ({ hook, program }) =>
      matches(program, name) && (matches(hook, type) || (section !== undefined && matches(hook, section))),
  );
}
