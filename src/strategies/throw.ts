/**
 * bpf_throw as it is in Linux today, used to kill: the exception is raised in the call that the run comes to next. All frames are closed and the
 * exception callback runs, or the program returns what was thrown. The verifier refuses a throw while anything is held (check_resource_leak), so
 * nothing leaks and hardly a program can be stopped.
 */

import { contractOf } from '../kernel/catalog.js';
import { returnRange } from '../kernel/progtypes.js';
import { throwException } from '../vm/call/invoke.js';
import { described, heldIn } from './held.js';
import type { Strategy, Subject } from './strategy.js';
import { globalCalls, throwSites } from './throw-sites.js';

/** Raises an exception in the next call; takes only programs that hold nothing at any call where one may be raised. */
export const throwsToday: Strategy = {
  name: 'throw',
  does: 'raises bpf_throw in the next call; a program may hold nothing wherever that can happen',
  prepare(subject) {
    const { program } = subject.code;
    if (contractOf('bpf_throw')?.types.includes(program.type) !== true)
      return { cannot: `programs of type ${program.type} may not call bpf_throw` };
    const sites = throwSites(subject.code);
    const held = heldAtSites(subject, sites);
    if (held !== undefined) return { cannot: `${held} is held where an exception may be raised` };
    const [least] = returnRange(program.type, program.attach) ?? [0];
    const cookie = BigInt(Math.max(0, least));
    return {
      kind: 'ends the run',
      bytes: 0,
      sites,
      stop: (machine) => throwException(machine, cookie, 'bpf_throw'),
    };
  },
};

/** Something that some path holds at one of the sites, in words. */
function heldAtSites({ code, facts }: Subject, sites: Uint8Array): string | undefined {
  const slots = [...[...sites.keys()].filter((slot) => sites[slot] !== 0), ...globalCalls(code)];
  for (const slot of slots.sort((a, b) => a - b)) {
    for (const { state } of facts.at(slot)) {
      const [kind] = heldIn(state, code);
      if (kind !== undefined) return described(kind);
    }
  }
  return undefined;
}
