/** A contract of the tables as a person would declare it: the short form where that says it all, else with arguments and outcomes in full. */

import { S64_MAX, S64_MIN } from '../../../src/isa/integer.js';
import type { Arg, Contract, Effect, Outcome } from '../../../src/kernel/contract.js';
import { contractOfDeclared, declare } from '../../../src/kernel/declare/declare.js';
import { HELPERS, KFUNCS } from '../../../src/kernel/tables/rows.js';
import type { DeclaredFunction } from '../../../src/object/program.js';

type Spec = Record<string, unknown>;

const helperRows = new Map(HELPERS.map((row) => [row.name, row]));
const kfuncRows = new Map(KFUNCS.map((row) => [row.name, row]));

/** The number that a copy of a helper gets. */
export const COPY_ID = 5000;

/** How a function is declared again under a name of its own. */
export interface Copy {
  readonly declared: DeclaredFunction;
  /** Prototype, flags and one-word answers say it all. */
  readonly short: boolean;
}

/** The copy of a contract as `name` with arguments and outcomes in full, down to their names; undefined where no declaration can say it. */
export function exactCopyOf(contract: Contract, name: string): DeclaredFunction | undefined {
  const full = {
    ...base(contract, name),
    arguments: argumentsOf(contract),
    outcomes: contract.outcomes.map(outcomeOf),
  };
  return attempt(contract, { ...full, ...flagsOf(contract) });
}

/** What no prototype tells and no outcome shows. */
const flagsOf = (contract: Contract): Spec => ({
  ...(contract.underLock === true ? { underLock: true } : {}),
  ...(contract.steady === true ? { steady: true } : {}),
});

/** The copy of a contract as `name`; undefined where no declaration can say it, for the function needs a model. */
export function copyOf(contract: Contract, name: string): Copy | undefined {
  const short = shortForm(contract, name);
  const made = attempt(contract, short);
  if (made !== undefined && same(contractOfDeclared(made), contract)) return { declared: made, short: true };
  const declared = exactCopyOf(contract, name);
  return declared === undefined ? undefined : { declared, short: false };
}

function attempt({ kind }: Contract, spec: Spec): DeclaredFunction | undefined {
  try {
    return declare(kind, spec);
  } catch (error) {
    if (error instanceof Error && error.name === 'InputError') {
      return undefined;
    }
    throw error;
  }
}

function base(contract: Contract, name: string): Spec {
  const { types } = contract;
  if (contract.kind === 'helper') {
    const row = helperRows.get(contract.name)!;
    return {
      name,
      id: COPY_ID + contract.id,
      ret: wordOf(row.ret, structIn(contract)),
      args: row.args.map((word, i) => wordOf(sized(word, contract.args[i]), structOf(contract.args[i]))),
      types,
      ...(contract.gpl === true ? { gpl: true } : {}),
      ...(contract.sleeps === true ? { sleeps: true } : {}),
      ...(contract.packetArgs === true ? { packetArgs: true } : {}),
      ...(contract.fastcall === true ? { fastcall: true } : {}),
    };
  }
  const row = kfuncRows.get(contract.name)!;
  return { proto: `__bpf_kfunc ${row.ret} ${name}(${row.params.join(', ')})`, flags: row.flags, types };
}

const wordOf = (word: string, struct: string | undefined): string =>
  word.replace(/<.*>/, struct === undefined ? '' : ` [${struct}]`).replaceAll('+', ' | ');
/** Sizes that the tables have as C has them, in bytes. */
const sized = (word: string, arg: Arg | undefined): string =>
  word.replace(/\[sizeof.*\]/, arg?.kind === 'mem' && 'bytes' in arg.size ? `[${arg.size.bytes}]` : '');
const structOf = (arg: Arg | undefined): string | undefined =>
  arg?.kind === 'btf' ? arg.structs[0] : undefined;
const structIn = ({ outcomes }: Contract): string | undefined =>
  outcomes.flatMap(({ r0 }) => (r0.kind === 'pointer' && r0.to.kind === 'btf' ? [r0.to.struct] : []))[0];

const paramNames = ({ kind, name, args }: Contract): readonly string[] =>
  kind === 'helper'
    ? args.map((_, i) => `arg${i + 1}`)
    : kfuncRows
        .get(name)!
        .params.map(
          (param, i) =>
            /\(\*?(\w+)\)/.exec(param)?.[1] ?? /(\w+)(\[\d*\])?$/.exec(param)?.[1] ?? `arg${i + 1}`,
        );

function shortForm(c: Contract, name: string): Spec {
  const names = paramNames(c);
  const effects = c.outcomes.flatMap((o) => o.effects);
  const find = <K extends Effect['kind']>(kind: K) =>
    effects.find((e): e is Extract<Effect, { kind: K }> => e.kind === kind);
  const pointer = c.outcomes.flatMap(({ r0 }) => (r0.kind === 'pointer' ? [r0] : []))[0];
  const number = c.outcomes.some(({ r0 }) => r0.kind === 'scalar');
  const signed = c.kind === 'helper' || /^(int|long|s32|s64|__s32|long int)$/.test(c.ret);
  const special = [
    'lock',
    'unlock',
    'enter',
    'leave',
    'irq_save',
    'irq_restore',
    'callback',
    'iter_new',
    'init_dynptr',
  ].some((kind) => find(kind as Effect['kind']) !== undefined);
  const memory =
    c.kind === 'kfunc' &&
    c.args.some(
      (arg, i) =>
        arg.kind === 'mem' && arg.optional !== true && !kfuncRows.get(c.name)!.params[i]!.startsWith('const'),
    );
  const fixed = Object.fromEntries(
    c.args.flatMap((arg, i) =>
      c.kind === 'kfunc' &&
      arg.kind === 'mem' &&
      'bytes' in arg.size &&
      /struct|union|void/.test(kfuncRows.get(c.name)!.params[i]!)
        ? [[names[i]!, arg.size.bytes]]
        : [],
    ),
  );
  const section = find('enter') ?? find('leave');
  const callback = c.args.find((arg) => arg.kind === 'callback');
  const map = c.args.find((arg) => arg.kind === 'map');
  const dynptr = c.kind === 'kfunc' ? find('init_dynptr')?.type : undefined;
  const iterated =
    find('iter_next') !== undefined && pointer?.to.kind === 'btf' ? pointer.to.trust : undefined;
  const plainSlow = !special && find('iter_next') === undefined && find('iter_destroy') === undefined;
  return {
    ...base(c, name),
    ...(number && signed && !special && !twoWays(c) ? { returns: 'any' } : {}),
    ...(number && signed && !special && twoWays(c) ? { returns: 'error' } : {}),
    ...(plainSlow && c.sleeps !== true ? { blocks: c.outcomes.some((o) => o.blocks === true) } : {}),
    ...(memory
      ? { writes: [...new Set(effects.flatMap((e) => (e.kind === 'write' ? [names[e.arg]!] : [])))] }
      : {}),
    ...(Object.keys(fixed).length > 0 ? { memory: fixed } : {}),
    ...(find('lock') === undefined ? {} : { lock: number ? 'tries' : 'takes' }),
    ...(find('unlock') === undefined ? {} : { lock: 'releases' }),
    ...(section === undefined
      ? {}
      : { section: `${section.kind}${section.kind === 'enter' ? 's' : 's'} ${section.section}` }),
    ...(find('irq_save') === undefined ? {} : { irq: 'saves' }),
    ...(find('irq_restore') === undefined ? {} : { irq: 'restores' }),
    ...(callback?.kind === 'callback' ? { callback: callback.callback } : {}),
    ...(map?.kind === 'map' ? { maps: map.types ?? 'any' } : {}),
    ...(dynptr === undefined ? {} : { dynptr }),
    ...(iterated === undefined ? {} : { trust: iterated }),
    ...flagsOf(c),
    ...(find('invalidate_packet') !== undefined && find('invalidate_packet')!.dynptr === undefined
      ? { movesPacket: true }
      : {}),
    ...(c.kind === 'helper' && pointer !== undefined && ['sock', 'btf'].includes(pointer.to.kind)
      ? { acquires: pointer.derives !== undefined ? 'cast' : pointer.acquires !== undefined }
      : {}),
  };
}

const twoWays = (c: Contract): boolean => c.outcomes.some(({ usual }) => usual !== undefined);

function argumentsOf(c: Contract): Record<string, Arg> {
  return Object.fromEntries(paramNames(c).map((name, i) => [name, c.args[i]!]));
}

function outcomeOf({ name, r0, effects, blocks, usual, guard }: Outcome): Spec {
  const text = (value: bigint): string | number =>
    value === S64_MIN || value === S64_MAX ? `${value}` : Number(value);
  const shown =
    r0.kind === 'scalar'
      ? { ...r0, min: text(r0.min), max: text(r0.max) }
      : r0.kind === 'pointer'
        ? r0
        : r0.kind;
  return {
    name,
    r0: shown,
    effects,
    ...(blocks === true ? { blocks } : {}),
    ...(usual === undefined ? {} : { usual: usual.map(text) }),
    ...(guard === undefined ? {} : { guard }),
  };
}

/** The same contract but for name, number, the names of outcomes and what r0 is likely to be. */
export function same(a: Contract, b: Contract): boolean {
  return comparable(a) === comparable(b);
}

export function comparable({ name: _name, id: _id, outcomes, ret, ...rest }: Contract): string {
  const plain = outcomes.map(({ name: _, usual: __, ...o }) => ({
    ...o,
    effects: [...o.effects.map(ordered)].sort((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1)),
  }));
  return JSON.stringify(
    ordered({ ...rest, ret: ret.replace(/<.*>/, ''), outcomes: plain }),
    (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value),
  );
}

/** With the keys of all objects in order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .map(([key, one]) => [key, ordered(one)]),
  );
}
