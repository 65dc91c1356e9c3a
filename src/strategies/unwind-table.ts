/**
 * Exceptions with clean-up, as the RFC of February 2024 posted them: when the verifier comes to a throw it writes a frame descriptor for each
 * open frame, tied to the insn, which says where in r6 to r9 and in the stack something lies that must be given back. bpf_throw walks the
 * frames and gives it back. All paths to one insn must agree on its descriptor; NULL agrees with any pointer. What the series refuses:
 *
 *   - a lock, an RCU section and what else is no reference: they have no entry
 *   - a reference of a kind without destructor
 *   - a reference to whose start neither r6 to r9 nor a stack slot points: r0 to r5 are not kept by a throw
 *   - a callee-saved register or a stack slot that holds a reference on one path, and nothing or another reference on another path
 *
 * A number in the place of a pointer makes no entry, so it agrees with a pointer although it is none: what lies there is then taken for one. A
 * reviewer found that; here it is as it was posted.
 */

import { STACK_SIZE } from '../isa/insn.js';
import { returnRange } from '../kernel/progtypes.js';
import { BYTE, type Frame, type State } from '../verifier/state/state.js';
import { throwException } from '../vm/call/invoke.js';
import type { HoldKind } from '../vm/state/ledger.js';
import {
  type CleanupTable,
  cleanUp,
  type Entry,
  locate,
  placeKey,
  standsAt,
  tableBytes,
} from './cleanup-table.js';
import { described, heldIn } from './held.js';
import type { Strategy, Subject, Untaken } from './strategy.js';
import { globalCalls, throwSites } from './throw-sites.js';

/** What an exception keeps of a frame, besides its stack. */
const CALLEE_SAVED = [6, 7, 8, 9];

/** Kinds that the series can give back: it registers destructors for these, and what a kptr points to has one. Later kinds have none. */
const DESTRUCTORS: ReadonlySet<HoldKind> = new Set([
  ...(['socket', 'ringbuf_record', 'object', 'percpu_object', 'task', 'cgroup', 'cpumask', 'key'] as const),
  ...([
    'nf_conn',
    'nf_conn_init',
    'xfrm_state',
    'hid_bpf_ctx',
    'kptr',
    'dynptr',
    'null_dynptr',
    'iterator',
  ] as const),
]);

/** Raises an exception in the next call, and gives back what the descriptors of that insn say. */
export const unwindTable: Strategy = {
  name: 'unwind-table',
  does: 'raises an exception in the next call, and gives back what tables made at load say of r6 to r9 and the stack',
  prepare(subject) {
    const sites = throwSites(subject.code);
    const slots = [...[...sites.keys()].filter((slot) => sites[slot] !== 0), ...globalCalls(subject.code)];
    const table = descriptors(subject, slots);
    if ('cannot' in table) return table;
    const { program } = subject.code;
    const [least] = returnRange(program.type, program.attach) ?? [0];
    return {
      kind: 'ends the run',
      bytes: tableBytes(table),
      sites,
      stop(machine) {
        cleanUp(machine, table, 'the exception');
        throwException(machine, BigInt(Math.max(0, least)), 'bpf_throw');
      },
    };
  },
};

/** Entries of one frame, while paths are still to be merged. `unwritten`: on some path nothing lies there. */
type Draft = Map<string, Entry | 'unwritten'>;

function descriptors({ code, facts }: Subject, slots: readonly number[]): CleanupTable | Untaken {
  const drafts = new Map<number, Draft>();
  for (const slot of slots) {
    for (const { state } of facts.at(slot)) {
      const flaw = describe(state, slot, code, drafts);
      if (flaw !== undefined) return { cannot: flaw };
    }
  }
  return new Map(
    [...drafts].map(([at, draft]) => [at, [...draft.values()].filter((entry) => entry !== 'unwritten')]),
  );
}

/** Adds the descriptors of one state. Answers what the verifier would refuse. */
function describe(
  state: State,
  slot: number,
  code: Subject['code'],
  drafts: Map<number, Draft>,
): string | undefined {
  const found = locate(state, code, CALLEE_SAVED);
  for (const kind of heldIn(state, code)) {
    if (!DESTRUCTORS.has(kind))
      return kind === 'irq' || kind === 'rcu' || kind === 'preempt' || kind.includes('lock')
        ? `${described(kind)} is held where an exception may be raised`
        : `${described(kind)} is held where an exception may be raised, and has no destructor`;
  }
  for (const place of found.values())
    if (place === undefined)
      return 'a reference is in no callee-saved register and no stack slot, at its start, where an exception may be raised';
  for (const [depth, frame] of state.frames.entries()) {
    const at = standsAt(state, depth, slot);
    const draft = drafts.get(at) ?? new Map();
    drafts.set(at, draft);
    const own = [...found.values()].flatMap((one) => (one?.depth === depth ? [one.entry] : []));
    const flaw = merge(draft, own, frame);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

/** What differs between paths, in words; undefined if they agree. */
function merge(draft: Draft, own: readonly Entry[], frame: Frame): string | undefined {
  const now = new Map<string, Entry | 'unwritten'>(emptyPlaces(frame).map((key) => [key, 'unwritten']));
  for (const entry of own) now.set(placeKey(entry.place), entry);
  for (const [key, entry] of now) {
    const before = draft.get(key);
    if (before === undefined || before === entry) draft.set(key, entry);
    else if (
      before === 'unwritten' ||
      entry === 'unwritten' ||
      before.kind !== entry.kind ||
      before.as !== entry.as
    )
      return `${key.startsWith('r') ? 'a callee-saved register' : 'a stack slot'} holds a reference on one path only`;
  }
  return undefined;
}

/** Registers that were not written, and stack slots of which that is so or which hold other bytes than a register's. */
function emptyPlaces({ regs, stack }: Frame): readonly string[] {
  const registers = CALLEE_SAVED.filter((reg) => regs[reg]!.type === 'uninit').map((reg) => `r${reg}`);
  const slots = Array.from({ length: STACK_SIZE / 8 }, (_, index) => index).filter((index) => {
    const last = stack[index]?.bytes[7];
    return last === undefined || last === BYTE.misc || last === BYTE.invalid;
  });
  return [...registers, ...slots.map((index) => `fp${-8 * (index + 1)}`)];
}
