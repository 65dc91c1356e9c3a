/**
 * Whether a program may run in the place of a function of another one: what Linux asks before it looks at its insns. Follows bpf_check_attach_target of
 * kernel/bpf/verifier.c and btf_check_type_match of kernel/bpf/btf.c.
 */
import { Btf } from '../../object/btf/read.js';
import type { BtfType } from '../../object/btf/types.js';
import { exceptionCallbackOf, type Program } from '../../object/program.js';
import { type Code, prepare } from '../text/code.js';
import { Refusal } from '../text/refusal.js';
import { subprogsThatMovePackets, subprogsThatSleep } from './globals.js';

/** Attach types of fentry and fexit, whose functions may not be replaced. */
const TRACES_FUNCTIONS: readonly number[] = [24, 25];

/** Throws Refusal where Linux does not load the program for this function. Where the other program is not known nothing is asked. */
export function checkReplaced(program: Program, code: Code): void {
  const { replaces } = program;
  if (replaces?.of === undefined) return;
  const { of, function: name } = replaces;
  const target = of.subprogs.find((one) => one.name === name);
  if (target === undefined) refuse(`Subprog ${name} doesn't exist`);
  if (exceptionCallbackOf(of)?.start === target.start)
    refuse('Extension programs cannot attach to exception callback');
  const other = prepare(of);
  if (subprogsThatMovePackets(code).has(0) && !subprogsThatMovePackets(other).has(target.start))
    refuse('Extension program changes packet data, while original does not');
  if (subprogsThatSleep(code).has(0) && !subprogsThatSleep(other).has(target.start))
    refuse('Extension program may sleep, while original does not');
  if (of.replaces !== undefined) refuse('Cannot recursively attach');
  if (of.type === 'fentry' && of.attach !== undefined && TRACES_FUNCTIONS.includes(of.attach.type))
    refuse('Cannot extend fentry/fexit');
  const [main] = program.subprogs;
  if (
    program.btf === undefined ||
    of.btf === undefined ||
    main?.btfId === undefined ||
    target.btfId === undefined
  )
    refuse('Program extension requires BTF');
  checkPrototypes(
    functionOf(new Btf(program.btf, program.name), main.btfId),
    functionOf(new Btf(of.btf, of.name), target.btfId),
  );
}

function refuse(message: string): never {
  throw new Refusal(message, 'rejected', -1);
}

/** A function by its BTF. */
interface Func {
  readonly btf: Btf;
  readonly name: string;
  readonly isGlobal: boolean;
  readonly returns: number;
  readonly params: readonly number[];
}

function functionOf(btf: Btf, id: number): Func {
  const func = btf.type(id);
  const proto = func.kind === 'func' ? btf.type(func.type) : undefined;
  if (func.kind !== 'func' || proto?.kind !== 'func_proto') return refuse('Invalid BTF of func');
  return {
    btf,
    name: func.name,
    isGlobal: func.linkage === 'global',
    returns: proto.returns,
    params: proto.params.map(({ type }) => type),
  };
}

/** The functions take and return the same, as far as Linux compares that (btf_check_func_type_match). */
function checkPrototypes(one: Func, other: Func): void {
  for (const { isGlobal, name } of [one, other]) if (!isGlobal) refuse(`${name}() is not a global function`);
  if (one.params.length !== other.params.length)
    refuse(
      `${one.name}() has ${one.params.length} args while ${other.name}() has ${other.params.length} args`,
    );
  const [returns, otherReturns] = [typeOf(one, one.returns), typeOf(other, other.returns)];
  if (!isAlike(returns, otherReturns))
    refuse(
      `Return type ${inWords(returns)} of ${one.name}() doesn't match type ${inWords(otherReturns)} of ${other.name}()`,
    );
  one.params.forEach((param, at) => {
    checkParam(one, other, at, param, other.params[at]!);
  });
}

function checkParam(one: Func, other: Func, at: number, id: number, otherId: number): void {
  const [type, otherType] = [typeOf(one, id), typeOf(other, otherId)];
  if (!isAlike(type, otherType))
    refuse(`arg${at} in ${one.name}() is ${inWords(type)} while ${other.name}() has ${inWords(otherType)}`);
  const [size, otherSize] = [one.btf.size(id), other.btf.size(otherId)];
  if (type.kind !== 'ptr' && size !== otherSize)
    refuse(`arg${at} in ${one.name}() has size ${size} while ${other.name}() has ${otherSize}`);
  if (type.kind === 'int' || type.kind === 'enum' || type.kind === 'enum64') return;
  if (type.kind !== 'ptr' || otherType.kind !== 'ptr')
    refuse(`arg${at} in ${one.name}() has unrecognized type`);
  const [to, otherTo] = [pointedTo(one, at, type.type), pointedTo(other, at, otherType.type)];
  if (to !== otherTo)
    refuse(`arg${at} ${one.name}(struct ${to} *) doesn't match ${other.name}(struct ${otherTo} *)`);
}

/** Name of the struct that an argument points to. */
function pointedTo(func: Func, at: number, id: number): string {
  const type = typeOf(func, id);
  return type.kind === 'struct'
    ? type.name
    : refuse(`arg${at} in ${func.name}() is not a pointer to context`);
}

const typeOf = ({ btf }: Func, id: number): BtfType => btf.resolve(id).type;

/** Of one kind, with as many members: what the word `info` of struct btf_type holds. */
const isAlike = (a: BtfType, b: BtfType): boolean => a.kind === b.kind && membersOf(a) === membersOf(b);

function membersOf(type: BtfType): number {
  if ('members' in type) return type.members.length;
  return 'values' in type ? type.values.length : 0;
}

/** The kernel's word for a kind of type (btf_kind_str). */
const inWords = ({ kind }: BtfType): string => kind.toUpperCase();
