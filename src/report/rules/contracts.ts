/** Contracts in words: what a function takes, what may come of a call, and what a stub may do in its place. */
import { S64_MAX, S64_MIN } from '../../isa/integer.js';
import type {
  Arg,
  Contract,
  Effect,
  Guard,
  MemSize,
  Outcome,
  PointerKind,
  R0,
} from '../../kernel/contract.js';
import { imitableOutcomes } from '../../kernel/describe.js';
import { PROG_TYPES, type ProgType } from '../../object/program.js';

const sizeInWords = (size: MemSize): string =>
  'arg' in size ? `as many bytes as argument ${size.arg + 1} says` : `${size.bytes} bytes`;

const optional = (arg: object): string => ('nullable' in arg && arg.nullable === true ? ', or NULL' : '');
const trustInWords = { trusted: 'trusted ', rcu: 'trusted or RCU ', any: '' } as const;
const ACCESS = {
  read: 'memory to read',
  write: 'memory to write',
  readwrite: 'memory to read and write',
} as const;

/** What the verifier wants to be given here. Other arguments are named by their number from 1. */
export function argInWords(arg: Arg): string {
  switch (arg.kind) {
    case 'anything':
      return 'any value';
    case 'scalar':
      return arg.constant === true ? 'a known number' : 'a number';
    case 'map':
      return `a map${arg.types === undefined ? '' : ` of type ${arg.types.join(', ')}`}`;
    case 'map_key':
      return 'a key of the map';
    case 'map_value':
      return `a value of the map${arg.uninit === true ? ', which is written' : ''}${optional(arg)}`;
    case 'percpu':
      return 'a variable that every CPU has its own of';
    case 'mem': {
      const more = `${arg.mapValue === true ? ', in a map value' : ''}${arg.aligned === true ? ', aligned' : ''}`;
      const none = arg.optional === true ? ', or NULL' : optional(arg);
      return `${ACCESS[arg.access]}: ${sizeInWords(arg.size)}${more}${none}`;
    }
    case 'size':
      return `${arg.constant === true ? 'a known size' : 'a size'} in bytes${arg.zero ? ', which may be 0' : ''}`;
    case 'alloc_size':
      return 'the size of what is returned, a known number';
    case 'ctx':
      return `the context${optional(arg)}`;
    case 'sock':
      return `a socket (${arg.types.join(', ')}${arg.btf === true ? ', or by BTF type' : ''})${given(arg)}${optional(arg)}`;
    case 'record':
      return `a ring-buffer record${given(arg)}`;
    case 'spin_lock':
      return `a lock (${arg.lock})`;
    case 'timer':
    case 'wq':
      return `a ${arg.kind} in a map value`;
    case 'dynptr':
      return arg.state === 'uninit'
        ? `room for a dynptr${arg.type === undefined ? '' : ` of type ${arg.type}`}`
        : `a dynptr${arg.type === undefined ? '' : ` of type ${arg.type}`}${arg.rdonly === true ? ', only read' : ''}${given(arg)}${optional(arg)}`;
    case 'iter':
      return `${arg.state === 'uninit' ? 'room for an' : 'an'} iterator (${arg.type})`;
    case 'irq_flag':
      return arg.state === 'uninit' ? 'room for saved interrupt flags' : 'saved interrupt flags';
    case 'btf':
      return `a ${trustInWords[arg.trust]}pointer to struct ${arg.structs.join(' or ')}${given(arg)}${optional(arg)}`;
    case 'kptr_slot':
      return 'a kptr in a map value or object';
    case 'kptr_value':
      return 'an owned pointer, which moves, or NULL';
    case 'callback':
      return `a callback that returns ${arg.callback.returns.join(' to ')}${arg.callback.async === true ? ' and runs later' : ''}`;
    case 'stack_or_null':
      return 'a pointer into the stack, or NULL';
    case 'const_str':
      return 'a string in a read-only map';
    case 'object':
      return `an owned object${arg.percpu === true ? ' of every CPU' : ''}${given(arg)}`;
    case 'refcounted':
      return 'an object that counts its references';
    case 'graph_root':
      return arg.graph === 'list' ? 'the head of a list' : 'the root of a tree';
    case 'graph_node':
      return `${arg.owned ? 'an owned node, which moves,' : 'a node'} of a ${arg.graph === 'list' ? 'list' : 'tree'}`;
    case 'ignored':
      return 'nothing that the verifier looks at';
  }
}

const given = (arg: object): string => ('release' in arg && arg.release === true ? ', given back' : '');

function pointsTo(to: PointerKind): string {
  switch (to.kind) {
    case 'map_value':
      return 'a map value';
    case 'sock':
      return `a socket (${to.type})`;
    case 'record':
      return 'a ring-buffer record';
    case 'mem':
      return `${to.readonly === true ? 'read-only memory' : 'memory'}: ${sizeInWords(to.size)}`;
    case 'btf':
      return `${to.trust === 'none' ? '' : `${to.trust} `}struct ${to.struct}`;
    case 'cast':
      return `the kernel type that argument ${to.arg + 1} names, untrusted`;
    case 'kern_ctx':
      return "the kernel's own context";
    case 'object':
      return `a new object${to.percpu === true ? ' of every CPU' : ''}`;
    case 'same':
      return `what argument ${to.arg + 1} points to`;
    case 'graph_node':
      return to.owning ? 'a node that was taken out' : 'a node that stays where it is';
    case 'percpu':
      return `one CPU's own of argument ${to.arg + 1}`;
    case 'kptr':
      return 'what the kptr held';
  }
}

/** What the caller finds in r0: a number in its range, NULL, or what it points to and whether that must be given back. */
export function r0InWords(r0: R0): string {
  switch (r0.kind) {
    case 'void':
      return 'returns nothing';
    case 'null':
      return 'r0 = NULL';
    case 'scalar': {
      if (r0.upTo !== undefined) return `r0 from ${r0.min} to argument ${r0.upTo + 1}`;
      if (r0.min === S64_MIN && r0.max === S64_MAX) return 'r0 is any number';
      return r0.min === r0.max ? `r0 = ${r0.min}` : `r0 from ${r0.min} to ${r0.max}`;
    }
    case 'pointer': {
      const shares = r0.derives === undefined ? '' : `, shares the reference of argument ${r0.derives + 1}`;
      const takes = r0.acquires === undefined ? '' : `, acquires ${r0.acquires}`;
      return `r0 points to ${pointsTo(r0.to)}${takes}${shares}`;
    }
  }
}

/** What a call does besides setting r0; arguments are counted from 1. */
export function effectInWords(e: Effect): string {
  const arg = 'arg' in e ? `argument ${e.arg + 1}` : '';
  switch (e.kind) {
    case 'release':
      return `gives back ${arg}`;
    case 'lock':
    case 'unlock':
      return `${e.kind}s ${arg} (${e.lock})`;
    case 'enter':
    case 'leave':
      return `${e.kind}s a section (${e.section})`;
    case 'irq_save':
      return `saves the interrupt flags in ${arg}`;
    case 'irq_restore':
      return `restores the interrupt flags from ${arg}`;
    case 'init_dynptr': {
      const must = e.acquires === undefined ? '' : ', which must be given back';
      return `${arg} becomes a ${e.null === true ? 'null ' : ''}dynptr (${e.type})${must}`;
    }
    case 'clone_dynptr':
      return `${arg} becomes a dynptr like argument ${e.from + 1}`;
    case 'destroy_dynptr':
      return `the dynptr in ${arg} is gone`;
    case 'iter_new':
      return `${arg} becomes an iterator, which must be destroyed`;
    case 'iter_next':
      return `the iterator in ${arg} is ${e.to}`;
    case 'iter_destroy':
      return `the iterator in ${arg} is gone`;
    case 'write':
      return `writes ${arg}`;
    case 'callback':
      return e.times === 'none' ? `${arg} does not run` : `${arg} runs any number of times`;
    case 'arm':
      return `the callback of ${arg} may run from now on`;
    case 'transfer':
      return `${arg} moves away${e.nonOwning === true ? ', and is only seen from then on' : ''}`;
    case 'invalidate_packet':
      return e.dynptr === undefined
        ? 'packet pointers are no longer valid'
        : `packet pointers are no longer valid if argument ${e.dynptr + 1} is a view of an skb`;
    case 'throw':
      return 'the program ends';
    case 'tail_call':
      return 'another program runs in its place';
  }
}

function guardInWords(guard: Guard): string {
  switch (guard.kind) {
    case 'key_may_miss':
      return 'unless the key is a constant inside an array';
    case 'map_of_sockets':
      return guard.is ? 'only of a map of sockets' : 'only of a map that is not of sockets';
    case 'not_owning':
      return `unless argument ${guard.arg + 1} is an owning reference`;
  }
}

/** All that may come of a call in one way, joined by semicolons: r0, effects, whether it may take long, and when it cannot happen. */
export function outcomeInWords({ r0, effects, guard, blocks }: Outcome): string {
  return [
    r0InWords(r0),
    ...effects.map(effectInWords),
    ...(blocks === true ? ['may sleep, spin or take long'] : []),
    ...(guard === undefined ? [] : [guardInWords(guard)]),
  ].join('; ');
}

/** What a stub may do in place of the call: imitate one of these outcomes, or nothing at all. */
export function stubInWords(contract: Contract): string {
  const names = imitableOutcomes(contract).map(({ name, guard }) =>
    guard === undefined ? `'${name}'` : `'${name}' (${guardInWords(guard)})`,
  );
  if (names.length > 0) return `a stub may imitate ${names.join(' or ')}`;
  return 'no stub may stand for it: every outcome holds, gives back or returns something, or takes long';
}

/** Names of program types; those that are missing, where they are fewer. */
export function progTypesInWords(types: readonly ProgType[]): string {
  if (types.length === 0) return 'none that is modelled';
  const missing = PROG_TYPES.filter((type) => !types.includes(type));
  if (missing.length === 0) return 'all';
  return missing.length < 8 ? `all but ${missing.join(', ')}` : types.join(', ');
}

/** What its callers must mind, a phrase each. */
export function flagsInWords(c: Contract): readonly string[] {
  return [
    ...c.flags,
    ...(c.sleeps === true ? ['only where sleeping is allowed'] : []),
    ...(c.needsRcu === true ? ['only inside an RCU section'] : []),
    ...(c.gpl === true ? ['only for GPL-compatible programs'] : []),
    ...(c.steady === true ? ['answers the same at every call of one run'] : []),
    ...(c.fastcall === true ? ['keeps r1 to r5 (fastcall)'] : []),
    ...(c.packetArgs === true ? ['memory may lie in the packet'] : []),
    ...(c.underLock === true ? ['also while a lock is held'] : []),
  ];
}

/** The page of `contracts show`; `prototype`: as the kernel declares it. `others`: the same function in other types of programs. */
export function contractInWords(c: Contract, prototype: string, others: readonly Contract[]): string {
  const flags = flagsInWords(c);
  const lines = [
    `${c.name}: ${c.kind}${c.kind === 'helper' ? ` ${c.id}` : ''}`,
    `    ${prototype}`,
    ...(flags.length === 0 ? [] : [`flags: ${flags.join('; ')}`]),
    `program types: ${progTypesInWords(c.types)}`,
    `arguments:${c.args.length === 0 ? ' none' : ''}`,
    ...c.args.map((arg, i) => `    ${i + 1}: ${argInWords(arg)}`),
    'outcomes:',
    ...c.outcomes.map((one) => `    ${one.name}: ${outcomeInWords(one)}`),
    stubInWords(c),
    ...others.flatMap((other) => [
      `in programs of type ${progTypesInWords(other.types)} its arguments are${other.args.length === 0 ? ' none' : ''}:`,
      ...other.args.map((arg, i) => `    ${i + 1}: ${argInWords(arg)}`),
    ]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** A function of the tables, and whether it has a contract. */
export interface ListedFunction {
  readonly name: string;
  readonly kind: Contract['kind'];
  readonly modelled: boolean;
  /** Why it has none. */
  readonly reason?: string;
}

/** The list of `contracts list`: counts, then a line for each function. `missing`: only those without a contract. */
export function functionsInWords(functions: readonly ListedFunction[], missing: boolean): string {
  const count = (kind: Contract['kind'], modelled?: true): number =>
    functions.filter((one) => one.kind === kind && (modelled === undefined || one.modelled)).length;
  const shown = functions.filter((one) => !missing || !one.modelled);
  const counts = `${count('helper', true)} of ${count('helper')} helpers and ${count('kfunc', true)} of ${count('kfunc')} kfuncs are modelled\n`;
  return counts + shown.map((one) => `${one.name}: ${one.reason ?? 'modelled'}\n`).join('');
}

/** A contract, and what the running kernel says of it. */
export interface CheckedFunction extends ListedFunction {
  readonly verdict: 'confirmed' | 'contradicted' | 'unreachable';
  readonly confirmed: boolean;
  /** Types of programs in which a call was compared. */
  readonly types: readonly ProgType[];
  readonly contradictions: readonly string[];
}

/** The text of `contracts check`: contradictions first, then what could not be reached and why, by reason, and the counts at the end. */
export function checkedInWords(
  functions: readonly CheckedFunction[],
  summary: { readonly confirmed: number; readonly contradicted: number; readonly unreachable: number },
): string {
  const wrong = functions.flatMap(({ name, contradictions }) =>
    contradictions.map((text) => `${name}: contradicted: ${text}\n`),
  );
  const reasons = new Map<string, string[]>();
  for (const { name, verdict, reason } of functions)
    if (verdict === 'unreachable') reasons.set(reason ?? '', [...(reasons.get(reason ?? '') ?? []), name]);
  const unreached = [...reasons].map(([reason, names]) => `not reachable, ${reason}: ${names.join(' ')}\n`);
  const { confirmed, contradicted, unreachable } = summary;
  return `${wrong.join('')}${unreached.join('')}${confirmed} confirmed, ${contradicted} contradicted, ${unreachable} not reachable\n`;
}
