/** Questions about a contract that are answered from its outcomes: what it acquires, releases, opens, and how a stub may fail it. */
import type { Arg, Contract, DynptrType, Effect, Outcome } from './contract.js';

const some = (c: Contract, test: (effect: Effect) => boolean): boolean =>
  c.outcomes.some((o) => o.effects.some(test));

/** Whether an outcome acquires something that must be given back: a reference, a lock, a section, an iterator, a dynptr. */
export function outcomeAcquires(o: Outcome): boolean {
  if (o.r0.kind === 'pointer' && o.r0.acquires !== undefined) return true;
  return o.effects.some(
    (e) =>
      e.kind === 'lock' ||
      e.kind === 'enter' ||
      e.kind === 'irq_save' ||
      e.kind === 'iter_new' ||
      (e.kind === 'init_dynptr' && e.acquires !== undefined),
  );
}

/** Whether an outcome gives something back, or moves an owned pointer away. */
export function outcomeReleases(o: Outcome): boolean {
  return o.effects.some(
    (e) =>
      e.kind === 'release' ||
      e.kind === 'unlock' ||
      e.kind === 'leave' ||
      e.kind === 'irq_restore' ||
      e.kind === 'iter_destroy' ||
      e.kind === 'destroy_dynptr' ||
      e.kind === 'transfer',
  );
}

/** Some outcome acquires. */
export function acquires(c: Contract): boolean {
  return c.outcomes.some(outcomeAcquires);
}

/** Some outcome releases. */
export function releases(c: Contract): boolean {
  return c.outcomes.some(outcomeReleases);
}

/** Whether some outcome takes a spin lock or a resilient lock. */
export function takesLock(c: Contract): boolean {
  return some(c, (e) => e.kind === 'lock');
}

/** Opens an RCU, preemption or interrupt section, or takes a lock. */
export function opens(c: Contract): boolean {
  return some(c, (e) => e.kind === 'enter' || e.kind === 'irq_save' || e.kind === 'lock');
}

/** Has a callback argument, whether it runs now or later. */
export function callsBack(c: Contract): boolean {
  return c.args.some((arg) => arg.kind === 'callback');
}

/** Whether bpf_dynptr_write to a dynptr of this type may move the packet, so that pointers into it die (check_helper_call). */
export function writeMovesPacket(type: DynptrType): boolean {
  return type === 'skb' || type === 'skb_meta';
}

/** The function writes memory through this argument: what was there before need not have been written. */
export function isOutput(arg: Arg): boolean {
  return (arg.kind === 'mem' && arg.access !== 'read') || (arg.kind === 'map_value' && arg.uninit === true);
}

/** What the function does to an open-coded iterator, if it works on one. */
export function iteratorRole(c: Contract): 'new' | 'next' | 'destroy' | undefined {
  if (some(c, (e) => e.kind === 'iter_new')) return 'new';
  if (some(c, (e) => e.kind === 'iter_next')) return 'next';
  if (some(c, (e) => e.kind === 'iter_destroy')) return 'destroy';
  return undefined;
}

/** Every outcome may take long: no call of it is known to be prompt. */
export function alwaysBlocks(c: Contract): boolean {
  return c.outcomes.every((o) => o.blocks === true);
}

/** Some outcome may sleep, spin or take long. */
export function mayBlock(c: Contract): boolean {
  return c.outcomes.some((o) => o.blocks === true);
}

/**
 * Whether a stub can produce this effect, by writing memory or by doing nothing: zero bytes in an output buffer, a null dynptr in its
 * slot, a callback that never runs. Packet pointers that count as invalid but are still good do no harm. An iterator that counts as
 * drained is not asked again, and destroying it is safe in any state.
 */
function imitable(e: Effect): boolean {
  switch (e.kind) {
    case 'write':
    case 'invalidate_packet':
      return true;
    case 'init_dynptr':
      return e.null === true;
    case 'callback':
      return e.times === 'none';
    case 'iter_next':
      return e.to === 'drained';
    default:
      return false;
  }
}

/**
 * The outcomes that a stub may imitate: it can write their r0 (a number, NULL, nothing) and all their effects, and they do not
 * block. A null dynptr that must be destroyed all the same is among them: it holds nothing. `enabled`: only outcomes of these
 * names, those possible at one call site.
 */
export function imitableOutcomes(c: Contract, enabled?: readonly string[]): readonly Outcome[] {
  return c.outcomes.filter(
    (o) =>
      o.blocks !== true &&
      o.r0.kind !== 'pointer' &&
      !holds(o) &&
      o.effects.every(imitable) &&
      (enabled === undefined || enabled.includes(o.name)),
  );
}

/** The first of `imitableOutcomes`: what a stub should imitate. */
export function firstImitable(c: Contract, enabled?: readonly string[]): Outcome | undefined {
  return imitableOutcomes(c, enabled)[0];
}

/** Like `outcomeAcquires`, but a null dynptr holds nothing. */
function holds(o: Outcome): boolean {
  return outcomeAcquires({
    ...o,
    effects: o.effects.filter((e) => !(e.kind === 'init_dynptr' && e.null === true)),
  });
}

/** The outcomes that the verifier can tell apart. Of several with the same r0, effects and guard only the first is kept. */
export function distinctOutcomes(c: Contract): readonly Outcome[] {
  const seen = new Set<string>();
  return c.outcomes.filter((o) => {
    const key = JSON.stringify([o.r0, o.effects.filter(visible), o.guard ?? null], (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Effects without trace in a verifier state. */
const visible = (e: Effect): boolean => e.kind !== 'arm' && !(e.kind === 'callback' && e.times === 'none');
