/** What a call does besides setting r0, applied to the path. The walk itself handles callbacks, tail calls and throws. */
import type { Effect, Outcome } from '../../kernel/contract.js';
import { writeMovesPacket } from '../../kernel/describe.js';
import type { Path } from '../state/path.js';
import { isNull } from '../state/regs.js';
import { refuse } from '../text/refusal.js';
import {
  destroyDynptr,
  destroyIter,
  dynptrAt,
  makeDynptr,
  makeIter,
  restoreIrq,
  saveIrq,
  setIter,
} from './args-slots.js';
import type { CallSite } from './call-site.js';
import { dropLock, takeLock } from './locks.js';

/** Effects that change a verifier state. Outcomes with the same such effects are walked together. */
export function signature(outcome: Outcome): string {
  const known = SIGNATURES.get(outcome);
  if (known !== undefined) return known;
  const made = describe(outcome);
  SIGNATURES.set(outcome, made);
  return made;
}

/** Outcomes are a table that does not change. */
const SIGNATURES = new WeakMap<Outcome, string>();

function describe(outcome: Outcome): string {
  const parts: string[] = [];
  for (const e of outcome.effects) {
    if (e.kind === 'write' || e.kind === 'arm') continue;
    if (e.kind === 'init_dynptr') {
      // A null dynptr must be destroyed like any other: the verifier does not tell them apart.
      parts.push(`init_dynptr ${e.arg} ${e.type} ${e.acquires !== undefined}`);
    } else parts.push(JSON.stringify(e));
  }
  return parts.join(';');
}

/**
 * Applies one effect of an outcome to the path: references, locks, sections, iterators, dynptrs. Throws Refusal where Linux refuses
 * the effect, as for a lock given back out of order.
 */
export function applyEffect(p: Path, site: CallSite, effect: Effect): void {
  const reg = 'arg' in effect ? site.regs[effect.arg]! : undefined;
  switch (effect.kind) {
    case 'write':
    case 'arm':
    case 'callback':
    case 'throw':
    case 'tail_call':
      return;
    case 'release':
      if (!isNull(reg!) && reg!.ref !== 0) p.releaseReference(reg!.ref);
      return;
    case 'lock':
      takeLock(p, reg!, effect.lock, site.at);
      return;
    case 'unlock':
      dropLock(p, reg!, effect.lock);
      return;
    case 'enter':
      enter(p, effect.section, site.contract.name);
      return;
    case 'leave':
      leave(p, effect.section, site.contract.name);
      return;
    case 'irq_save':
      saveIrq(p, reg!, effect.by ?? 'native', site.at);
      return;
    case 'irq_restore':
      restoreIrq(p, reg!, effect.by ?? 'native');
      return;
    case 'init_dynptr': {
      let ref = 0;
      const id = p.newId();
      if (effect.acquires !== undefined) {
        ref = p.newId();
        p.acquire({ id: ref, kind: 'pointer', at: site.at });
      }
      makeDynptr(p, reg!, effect.type, ref, id);
      return;
    }
    case 'clone_dynptr': {
      const from = site.dynptrs?.get(effect.from) ?? dynptrAt(p, site.regs[effect.from]!);
      if (from === undefined) refuse(`Expected an initialized dynptr as arg #${effect.from}`);
      makeDynptr(p, reg!, from.type, from.ref, p.newId());
      return;
    }
    case 'destroy_dynptr':
      destroyDynptr(p, reg!);
      return;
    case 'iter_new': {
      const arg = site.contract.args[effect.arg]!;
      if (arg.kind !== 'iter') return;
      makeIter(p, reg!, arg.type, site.at, site.contract.needsRcu === true);
      return;
    }
    case 'iter_next':
      setIter(p, reg!, effect.to);
      return;
    case 'iter_destroy':
      destroyIter(p, reg!);
      return;
    case 'transfer':
      transfer(p, site, effect);
      return;
    case 'invalidate_packet':
      if (effect.dynptr !== undefined) {
        const dynptr = dynptrAt(p, site.regs[effect.dynptr]!);
        if (dynptr === undefined || !writeMovesPacket(dynptr.type)) return;
      }
      invalidatePackets(p);
      return;
  }
}

/** After a helper that may move the packet, all pointers into it are invalid (clear_all_pkt_pointers). */
export function invalidatePackets(p: Path): void {
  p.mapRegs((r) => {
    const packet = r.type === 'packet' || r.type === 'packet_meta' || r.type === 'packet_end';
    const slice = r.type === 'mem' && (r.struct === 'skb' || r.struct === 'xdp' || r.struct === 'skb_meta');
    return packet || slice ? p.invalid() : r;
  });
}

function transfer(p: Path, site: CallSite, effect: Extract<Effect, { kind: 'transfer' }>): void {
  const reg = site.regs[effect.arg]!;
  if (isNull(reg) || reg.ref === 0) return;
  const { ref } = reg;
  if (effect.nonOwning !== true) {
    p.releaseReference(ref);
    return;
  }
  p.dropRef(ref);
  p.mapRegs((r) => (r.ref === ref ? { ...r, ref: 0, nonOwning: true } : r));
}

function enter(p: Path, section: 'rcu' | 'preempt', name: string): void {
  if (section === 'preempt') {
    p.preempt++;
    return;
  }
  if (p.rcu > 0 && !p.kernel.behaviour.nestedRcu) refuse(`nested rcu read lock (kernel function ${name})`);
  p.rcu++;
}

function leave(p: Path, section: 'rcu' | 'preempt', name: string): void {
  if (section === 'preempt') {
    if (p.preempt === 0) refuse(`unmatched attempt to enable preemption (kernel function ${name})`);
    p.preempt--;
    return;
  }
  if (p.rcu === 0) refuse(`unmatched rcu read unlock (kernel function ${name})`);
  p.rcu--;
  if (p.rcu > 0) return;
  for (let depth = 0; depth <= p.depth; depth++) {
    p.frameAt(depth).stack.forEach((slot, i) => {
      if (slot?.iter?.rcu) p.setSlot(depth, i, { ...slot, iter: { ...slot.iter, stale: true } });
    });
  }
  // Pointers that were safe only inside the section become untrusted. They may still be read, and need no check for NULL.
  p.mapRegs((r) => (r.trust === 'rcu' ? { ...r, trust: 'untrusted', nullable: false } : r));
}
