/**
 * Functions that no kernel has yet, as a person declares them: what a kfunc's prototype and flags, or a helper's struct bpf_func_proto, say, and
 * beside it what they do not say. A declaration is plain data: a program carries those of the functions that it calls, a case has them in
 * its text, and everything that asks the catalog about the program gets the contracts that they stand for.
 */
import { InputError, type Place } from '../../isa/errors.js';
import { type DeclaredFunction, PROG_TYPES, type ProgType } from '../../object/program.js';
import type { Contract } from '../contract.js';
import { Fields, isObject, type JsonObject, show } from './fields.js';
import { flaws } from './flaws.js';
import { describeHelper } from './helper.js';
import { describeKfunc } from './kfunc.js';
import { outcomesOf } from './long-form.js';
import { type Prototype, parsePrototype } from './prototype.js';
import { lies } from './truth.js';

/** Fields of both kinds, in the order in which they are written. */
const COMMON = [
  ...['returns', 'blocks', 'writes', 'memory', 'resource', 'releases', 'transfers', 'lock', 'section', 'irq'],
  ...['callback', 'dynptr', 'trust', 'maps', 'movesPacket', 'underLock', 'steady', 'arguments', 'outcomes'],
] as const;
const KFUNC_FIELDS: readonly string[] = ['proto', 'flags', 'types', ...COMMON];
const HELPER_FIELDS: readonly string[] = [
  ...['name', 'id', 'ret', 'args', 'types', 'gpl', 'sleeps', 'packetArgs', 'fastcall', 'acquires'],
  ...COMMON.filter(
    (field) => !['writes', 'memory', 'releases', 'transfers', 'irq', 'dynptr', 'trust'].includes(field),
  ),
];

/** Effects and pointers that only a model of the function itself could carry out. */
const WITHOUT_MODEL: ReadonlySet<string> = new Set([
  'throw',
  'tail_call',
  'arm',
  'map_value',
  'graph_node',
  'kptr',
  'object',
  'same',
  'percpu',
  'cast',
  'kern_ctx',
]);

/** A helper's number at the most; the kernel has a few hundred. */
const MOST_ID = 0xffff;

const contracts = new WeakMap<DeclaredFunction, Contract>();

/** What a declared function does. Throws InputError where its text is no good declaration, which `declare` has made sure of. */
export function contractOfDeclared(declared: DeclaredFunction): Contract {
  const known = contracts.get(declared);
  if (known !== undefined) return known;
  const made = contractFrom(declared.kind, JSON.parse(declared.text) as JsonObject, {});
  contracts.set(declared, made);
  return made;
}

/**
 * A declared function, from the fields that a person wrote. Throws InputError, as `declaration NAME: what was expected` and with the place,
 * for what is no declaration, contradicts itself, or leaves something to be said.
 */
export function declare(kind: 'helper' | 'kfunc', spec: unknown, place: Place = {}): DeclaredFunction {
  const text = textOf(kind, spec, place);
  const contract = contractFrom(kind, JSON.parse(text) as JsonObject, place);
  const declared: DeclaredFunction = { kind, name: contract.name, id: contract.id, text };
  contracts.set(declared, contract);
  return declared;
}

/** The fields as JSON, in the order of their kind: the same fields give the same text. */
function textOf(kind: 'helper' | 'kfunc', spec: unknown, place: Place): string {
  const fail = (message: string): never => {
    throw new InputError(`declaration ${nameIn(spec)}: ${message}`, place);
  };
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec))
    return fail(`${kind}({...}) takes an object with fields, not ${show(spec)}`);
  const order = kind === 'kfunc' ? KFUNC_FIELDS : HELPER_FIELDS;
  try {
    const given = Object.entries(spec).filter(([, value]) => value !== undefined);
    const rank = ([key]: [string, unknown]): number =>
      order.includes(key) ? order.indexOf(key) : order.length;
    given.sort((a, b) => rank(a) - rank(b));
    for (const [key, value] of given)
      if (typeof value === 'function' || typeof value === 'symbol')
        return fail(`${key} is a ${typeof value}, and only plain values can be kept in a case`);
    return JSON.stringify(Object.fromEntries(given), (_, value: unknown) => {
      if (typeof value !== 'bigint') return value;
      return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
        ? Number(value)
        : `${value}`;
    });
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError('declaration without a name: its fields are not plain values', place);
  }
}

/** What a declaration is called before it is known to be one. */
function nameIn(spec: unknown): string {
  if (!isObject(spec)) return 'without a name';
  const { name, proto } = spec;
  if (typeof name === 'string' && name !== '') return show(name).slice(1, -1);
  const called = typeof proto === 'string' ? /([A-Za-z_]\w*)\s*\(/.exec(proto)?.[1] : undefined;
  return called ?? 'without a name';
}

function contractFrom(kind: 'helper' | 'kfunc', spec: JsonObject, place: Place): Contract {
  const fields = new Fields(nameIn(spec), spec, place);
  const known = kind === 'kfunc' ? KFUNC_FIELDS : HELPER_FIELDS;
  const stray = Object.keys(spec).find((key) => !known.includes(key));
  if (stray !== undefined) fields.fail(`there is no field ${show(stray)}; there are ${known.join(', ')}`);
  const name = kind === 'kfunc' ? undefined : helperName(fields);
  const proto = kind === 'kfunc' ? prototypeOf(fields) : undefined;
  const id = kind === 'kfunc' ? -1 : helperId(fields);
  const types = typesOf(fields);
  const described = proto === undefined ? describeHelper(fields) : describeKfunc(fields, proto);
  const { args } = described;
  const said = fields.get('outcomes');
  const outcomes =
    said === undefined ? described.outcomes() : outcomesOf(said, (message) => fields.fail(message));
  const gpl = kind === 'kfunc' || fields.flag('gpl');
  const packetArgs = kind === 'kfunc' || fields.flag('packetArgs');
  const underLock = fields.flag('underLock');
  const steady = fields.flag('steady');
  const acquires = kind === 'helper' && said !== undefined ? fields.get('acquires') : undefined;
  if (acquires !== undefined) fields.fail('acquires says nothing beside outcomes');
  fields.end(known);
  const contract: Contract = {
    name: proto?.name ?? name!,
    kind,
    id,
    args,
    outcomes,
    types,
    ...(described.sleeps ? { sleeps: true } : {}),
    ...(described.needsRcu ? { needsRcu: true } : {}),
    ...(described.fastcall ? { fastcall: true } : {}),
    ...(gpl ? { gpl: true } : {}),
    ...(packetArgs ? { packetArgs: true } : {}),
    ...(underLock ? { underLock: true } : {}),
    ...(steady ? { steady: true } : {}),
    flags: described.flags,
    ret: described.ret,
  };
  mustBeWhole(fields, contract);
  const [lie] = proto === undefined ? [] : lies(proto, contract);
  if (lie !== undefined) fields.fail(lie);
  return contract;
}

function prototypeOf(fields: Fields): Prototype {
  const text = fields.text('proto');
  if (text === undefined) return fields.fail(`expected proto, the C prototype of the kfunc`);
  const proto = parsePrototype(text);
  return typeof proto === 'string' ? fields.fail(`proto: ${proto}`) : proto;
}

function helperName(fields: Fields): string {
  const name = fields.text('name');
  if (name === undefined || !/^bpf_\w+$/.test(name))
    return fields.fail('name is the name of the helper, bpf_...');
  return name;
}

function helperId(fields: Fields): number {
  const id = fields.get('id');
  if (id === undefined) fields.ask('id: its number in enum bpf_func_id');
  else if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > MOST_ID)
    fields.fail(`id is its number in enum bpf_func_id, 1 to ${MOST_ID}, not ${show(id)}`);
  return (id ?? 0) as number;
}

function typesOf(fields: Fields): readonly ProgType[] {
  const said = fields.words('types');
  if (said === undefined) {
    fields.ask(`types: the program types that may call it, or 'all'`);
    return PROG_TYPES;
  }
  if (said.length === 1 && said[0] === 'all') return PROG_TYPES;
  const types = said.map(
    (word) =>
      PROG_TYPES.find((type) => type === word) ??
      fields.fail(`there is no program type ${show(word)}; there are ${PROG_TYPES.join(', ')}, or all`),
  );
  if (types.length === 0) fields.fail('types is empty: no program may call it');
  return [...new Set(types)];
}

/** Throws InputError for a contract that does not fit together, and for one that no run could follow. */
function mustBeWhole(fields: Fields, contract: Contract): void {
  const [flaw] = flaws(contract);
  if (flaw !== undefined) fields.fail(flaw);
  for (const { name, r0, effects } of contract.outcomes) {
    const kinds = [...effects.map(({ kind }) => kind), ...(r0.kind === 'pointer' ? [r0.to.kind] : [])];
    const beyond = kinds.find((kind) => WITHOUT_MODEL.has(kind));
    if (beyond !== undefined)
      fields.fail(
        `outcome ${name}: ${beyond} needs a model of the function, which a declaration does not give`,
      );
  }
}
