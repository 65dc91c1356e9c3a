/** What is wrong with a contract in itself: effects that name arguments of another kind, sizes that are none, missing outcomes. */
import type { Arg, Contract, Effect, Guard, Outcome, PointerKind, R0 } from '../contract.js';

/** One sentence for each flaw; none for a good contract. */
export function flaws(c: Contract): string[] {
  return [
    ...shapeFlaws(c),
    ...c.args.flatMap((arg, i) => argFlaws(c, arg, i).map((text) => `argument ${i}: ${text}`)),
    ...c.outcomes.flatMap((o) => outcomeFlaws(c, o).map((text) => `outcome ${o.name}: ${text}`)),
  ];
}

function* shape(c: Contract): Generator<string> {
  if (c.args.length > 5) yield 'more than five arguments';
  if (c.outcomes.length === 0) yield 'no outcome';
  if (c.outcomes.length > 0 && c.outcomes.every((o) => o.guard !== undefined) && !oneOrTheOther(c))
    yield 'every outcome is guarded';
  if (new Set(c.outcomes.map((o) => o.name)).size !== c.outcomes.length) yield 'two outcomes of one name';
  if ((c.kind === 'kfunc') !== (c.id === -1)) yield 'a helper has a number and a kfunc none';
}
/** Outcomes of which one is for maps of sockets and one for all other maps. */
const oneOrTheOther = (c: Contract): boolean =>
  [true, false].every((is) =>
    c.outcomes.some(({ guard }) => guard?.kind === 'map_of_sockets' && guard.is === is),
  );
const shapeFlaws = (c: Contract): string[] => [...shape(c)];

function argFlaws(c: Contract, arg: Arg, index: number): string[] {
  const out: string[] = [];
  const before = c.args[index - 1];
  switch (arg.kind) {
    case 'mem':
      if ('arg' in arg.size && c.args[arg.size.arg]?.kind !== 'size')
        out.push('its size is not in a size argument');
      if ('bytes' in arg.size && arg.size.bytes <= 0) out.push('no bytes');
      if (arg.access === 'write' && !everywhere(c, (e) => e.kind === 'write' && e.arg === index)) {
        out.push('not written in every outcome');
      }
      break;
    case 'size':
      if (before?.kind !== 'mem' || !('arg' in before.size) || before.size.arg !== index) {
        out.push('a size without memory before it');
      }
      break;
    case 'callback': {
      const { contextArg, countArg, returns, args } = arg.callback;
      if (args.length > 5) out.push('a callback with more than five arguments');
      if (returns[0] > returns[1]) out.push('an empty range of return values');
      if (contextArg !== undefined && c.args[contextArg]?.kind !== 'stack_or_null')
        out.push('no context to pass on');
      if (args.includes('context') !== (contextArg !== undefined)) out.push('context in one place only');
      if (countArg !== undefined && c.args[countArg]?.kind !== 'scalar') out.push('the count is no scalar');
      if (!everywhere(c, (e) => e.kind === 'callback' && e.arg === index))
        out.push('an outcome does not say how often it runs');
      break;
    }
    case 'dynptr':
      if (arg.state === 'uninit' && !everywhere(c, (e) => makesDynptr(e) && e.arg === index))
        out.push('never initialised');
      break;
    case 'iter':
      if (arg.state === 'uninit' && !everywhere(c, (e) => e.kind === 'iter_new' && e.arg === index))
        out.push('never made');
      break;
    case 'irq_flag': {
      const wanted = arg.state === 'uninit' ? 'irq_save' : 'irq_restore';
      if (!c.outcomes.some((o) => o.effects.some((e) => e.kind === wanted && e.arg === index)))
        out.push('flags unused');
      break;
    }
    default:
      break;
  }
  if ('release' in arg && arg.release === true && !everywhere(c, (e) => givesBack(e) && e.arg === index)) {
    out.push('not given back in every outcome');
  }
  if (movesAway(arg) && !everywhere(c, (e) => e.kind === 'transfer' && e.arg === index)) {
    out.push('not moved in every outcome');
  }
  return out;
}

const everywhere = (c: Contract, test: (e: Effect) => boolean): boolean =>
  c.outcomes.every((o) => o.effects.some(test));
const makesDynptr = (e: Effect): e is Effect & { arg: number } =>
  e.kind === 'init_dynptr' || e.kind === 'clone_dynptr';
const givesBack = (e: Effect): e is Effect & { arg: number } =>
  e.kind === 'release' || e.kind === 'destroy_dynptr';
const movesAway = (arg: Arg): boolean =>
  arg.kind === 'kptr_value' || (arg.kind === 'graph_node' && arg.owned);

function outcomeFlaws(c: Contract, o: Outcome): string[] {
  const out = o.effects.flatMap((e) => (fits(c, e) ? [] : [`effect ${e.kind} does not fit its argument`]));
  if (o.guard !== undefined && !guardFits(c, o.guard))
    out.push(`guard ${o.guard.kind} does not fit the arguments`);
  const r0 = r0Flaw(c, o.r0);
  if (r0 !== undefined) out.push(r0);
  if (o.usual !== undefined) {
    const [low, high] = o.usual;
    if (o.r0.kind !== 'scalar' || low > high || low < o.r0.min || high > o.r0.max)
      out.push('usual values outside r0');
  }
  const kinds = o.effects.filter((e) => e.kind !== 'lock').map((e) => JSON.stringify(e));
  if (new Set(kinds).size !== kinds.length) out.push('one effect twice');
  return out;
}

/** The argument that an effect names exists and has the kind that the effect works on. */
function fits(c: Contract, e: Effect): boolean {
  if (e.kind === 'invalidate_packet') {
    return e.dynptr === undefined || isDynptr(c.args[e.dynptr], 'init');
  }
  if (!('arg' in e)) return true;
  const arg = c.args[e.arg];
  if (arg === undefined) return false;
  switch (e.kind) {
    case 'release':
      return arg.kind !== 'dynptr' && 'release' in arg && arg.release === true;
    case 'lock':
    case 'unlock':
      return arg.kind === 'spin_lock' && arg.lock === e.lock;
    case 'irq_save':
      return arg.kind === 'irq_flag' && arg.state === 'uninit';
    case 'irq_restore':
      return arg.kind === 'irq_flag' && arg.state === 'init';
    case 'init_dynptr':
      return (
        isDynptr(arg, 'uninit') &&
        arg.kind === 'dynptr' &&
        arg.type === e.type &&
        (e.acquires === undefined || (e.acquires === 'null_dynptr') === (e.null === true))
      );
    case 'clone_dynptr':
      return isDynptr(arg, 'uninit') && isDynptr(c.args[e.from], 'init');
    case 'destroy_dynptr':
      return arg.kind === 'dynptr' && arg.state === 'init' && arg.release === true;
    case 'iter_new':
      return arg.kind === 'iter' && arg.state === 'uninit';
    case 'iter_next':
    case 'iter_destroy':
      return arg.kind === 'iter' && arg.state === 'init';
    case 'write':
      return (
        (arg.kind === 'mem' && arg.access !== 'read') || (arg.kind === 'map_value' && arg.uninit === true)
      );
    case 'callback':
      return arg.kind === 'callback';
    case 'transfer':
      return movesAway(arg) && (e.nonOwning === true) === (arg.kind === 'graph_node');
    case 'arm':
      return arg.kind === 'timer' || arg.kind === 'wq';
  }
}

const isDynptr = (arg: Arg | undefined, state: 'init' | 'uninit'): boolean =>
  arg?.kind === 'dynptr' && arg.state === state;

function guardFits(c: Contract, guard: Guard): boolean {
  if (guard.kind === 'key_may_miss') return c.args[0]?.kind === 'map' && c.args[1]?.kind === 'map_key';
  if (guard.kind === 'map_of_sockets') return c.args[0]?.kind === 'map';
  return c.args[guard.arg]?.kind === 'refcounted';
}

function r0Flaw(c: Contract, r0: R0): string | undefined {
  if (r0.kind === 'scalar') {
    if (r0.min > r0.max) return 'r0 in an empty range';
    if (r0.upTo !== undefined && c.args[r0.upTo]?.kind !== 'size')
      return 'r0 bounded by an argument that is no size';
    return undefined;
  }
  if (r0.kind !== 'pointer') return undefined;
  if (!pointerFits(c, r0.to)) return `r0 points to ${r0.to.kind}, which the arguments do not give`;
  if (r0.derives !== undefined && !['sock', 'iter', 'btf'].includes(c.args[r0.derives]?.kind ?? '')) {
    return 'r0 derives from an argument that holds nothing';
  }
  if (r0.acquires !== undefined && r0.derives !== undefined) return 'r0 both acquires and derives';
  return undefined;
}

function pointerFits(c: Contract, to: PointerKind): boolean {
  const kind = (index: number): string | undefined => c.args[index]?.kind;
  switch (to.kind) {
    case 'map_value':
      return kind(0) === 'map';
    case 'record':
      return c.args.some((arg) => arg.kind === 'alloc_size');
    case 'mem': {
      const sized = 'bytes' in to.size || ['size', 'alloc_size'].includes(kind(to.size.arg) ?? '');
      return sized && (to.slice === undefined || isDynptr(c.args[to.slice.arg], 'init'));
    }
    case 'object': {
      const arg = c.args[0];
      return arg?.kind === 'scalar' && arg.constant === true;
    }
    case 'cast': {
      const arg = c.args[to.arg];
      return arg?.kind === 'scalar' && arg.constant === true;
    }
    case 'same':
      return kind(to.arg) === 'refcounted';
    case 'percpu':
      return kind(to.arg) === 'percpu';
    case 'graph_node':
      return kind(0) === 'graph_root';
    case 'kptr':
      return kind(0) === 'kptr_slot';
    case 'kern_ctx':
      return kind(0) === 'ctx';
    case 'sock':
    case 'btf':
      return true;
  }
}
