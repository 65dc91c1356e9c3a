/** A kfunc's contract from its declaration: a C prototype, KF_ flags, and answers to what these do not tell. */
import type { Arg, Outcome, PointerKind } from '../contract.js';
import { KfuncArguments, paramName } from './arguments.js';
import type { Fields } from './fields.js';
import { classOf, infer, type Returned } from './outcomes.js';
import { type CParam, isUnsigned, numberBytes, type Prototype } from './prototype.js';
import { CLASS_OF_STRUCT, KF_FLAGS } from './vocabulary.js';

/** What a prototype and a declaration's fields say; types and long form are common to helpers. */
export interface Described {
  readonly args: readonly Arg[];
  /** Called only where the declaration does not list outcomes of its own. */
  outcomes(): readonly Outcome[];
  readonly flags: readonly string[];
  readonly ret: string;
  readonly sleeps: boolean;
  readonly needsRcu: boolean;
  readonly fastcall: boolean;
}

/** Most arguments of a function that programs call. */
export const MOST_ARGS = 5;

/** Reads a kfunc's declaration. Asks and fails through `fields`. */
export function describeKfunc(fields: Fields, proto: Prototype): Described {
  const written = fields.words('flags');
  if (written === undefined) fields.ask(`flags: its KF_ flags, as BTF_ID_FLAGS has them; [] if it has none`);
  const flags = new Set(written ?? []);
  for (const flag of flags)
    if (!KF_FLAGS.includes(flag)) fields.fail(`there is no flag ${flag}; there are ${KF_FLAGS.join(', ')}`);
  const arena = [...flags].find((flag) => flag.startsWith('KF_ARENA'));
  if (arena !== undefined) fields.fail(`${arena}: pointers into an arena are not modelled`);
  const params = withoutImplicit(proto.params, flags);
  if (params.length > MOST_ARGS)
    fields.fail(`a function that programs call has ${MOST_ARGS} parameters at the most`);
  const reader = new KfuncArguments(fields, flags, params);
  const releases = releasedBy(fields, flags, reader, params);
  const args = reader.args.map((arg, i): Arg => (releases.includes(i) ? released(arg) : arg));
  const sized = resultSize(params);
  if (sized !== undefined && args[sized]?.kind === 'scalar') args[sized] = { kind: 'alloc_size' };
  const orphan = args.findIndex((arg, i) => arg.kind === 'object' && !releases.includes(i));
  if (orphan >= 0)
    fields.fail(`${params[orphan]!.name} gives an object back, but KF_RELEASE is not among the flags`);
  return {
    args,
    outcomes: () => {
      const returned = returnedBy(fields, flags, proto, params);
      return infer(fields, {
        args,
        returned,
        releases,
        writes: writtenBy(fields, reader, params, args),
        transfers: reader.named('transfers'),
        iterator: iteratorRole(fields, flags),
        sleeps: flags.has('KF_SLEEPABLE'),
        prompt: flags.has('KF_FASTCALL'),
      });
    },
    flags: [...flags],
    ret: proto.ret.text,
    sleeps: flags.has('KF_SLEEPABLE'),
    needsRcu: flags.has('KF_RCU_PROTECTED'),
    fastcall: flags.has('KF_FASTCALL'),
  };
}

/** Since Linux 7.0 the program's own data is passed behind what programs pass (KF_IMPLICIT_ARGS). */
function withoutImplicit(params: readonly CParam[], flags: ReadonlySet<string>): readonly CParam[] {
  const implicit = flags.has('KF_IMPLICIT_ARGS') && params.at(-1)?.type.base === 'struct bpf_prog_aux';
  return implicit ? params.slice(0, -1) : params;
}

function iteratorRole(fields: Fields, flags: ReadonlySet<string>): 'new' | 'next' | 'destroy' | undefined {
  const roles = (['new', 'next', 'destroy'] as const).filter((role) =>
    flags.has(`KF_ITER_${role.toUpperCase()}`),
  );
  if (roles.length > 1)
    fields.fail(
      `KF_ITER_${roles[0]!.toUpperCase()} and KF_ITER_${roles[1]!.toUpperCase()} are for two functions`,
    );
  return roles[0];
}

/** What KF_RELEASE gives back: the argument that the declaration names, else the only pointer to an object of the kernel. */
function releasedBy(
  fields: Fields,
  flags: ReadonlySet<string>,
  reader: KfuncArguments,
  params: readonly CParam[],
): readonly number[] {
  const named = reader.named('releases');
  if (!flags.has('KF_RELEASE')) {
    if (named !== undefined) fields.fail('releases: KF_RELEASE is not among the flags');
    return [];
  }
  const may = (arg: Arg | undefined): boolean =>
    arg?.kind === 'btf' || arg?.kind === 'object' || (arg?.kind === 'dynptr' && arg.state === 'init');
  if (named !== undefined) {
    if (!may(reader.args[named]))
      fields.fail(`releases: ${paramName(params[named]!, named)} is no pointer to an object of the kernel`);
    return [named];
  }
  const found = reader.args.flatMap((arg, i) => (arg.kind === 'btf' || arg.kind === 'object' ? [i] : []));
  if (found.length === 0) fields.fail('KF_RELEASE, but no parameter is a pointer to an object of the kernel');
  if (found.length > 1)
    fields.ask(`releases: which of ${found.map((i) => paramName(params[i]!, i)).join(', ')} is given back`);
  return found.slice(0, 1);
}

function released(arg: Arg): Arg {
  if (arg.kind === 'btf') return { kind: 'btf', structs: arg.structs, trust: 'any', release: true };
  if (arg.kind === 'dynptr') return { ...arg, release: true };
  return arg;
}

/** Memory that the function fills. A const pointer is not written through. */
function writtenBy(
  fields: Fields,
  reader: KfuncArguments,
  params: readonly CParam[],
  args: readonly Arg[],
): readonly number[] {
  const memory = args.flatMap((arg, i) =>
    arg.kind === 'mem' && arg.optional !== true && !params[i]!.type.isConst ? [i] : [],
  );
  const said = fields.words('writes');
  if (said === undefined) {
    const names = memory.map((i) => paramName(params[i]!, i));
    if (names.length > 0) fields.ask(`writes: [what of ${names.join(', ')} it always fills; [] if nothing]`);
    return [];
  }
  return said.map((name) => {
    const index = reader.index('writes', name);
    if (!memory.includes(index)) fields.fail(`writes: ${name} is no memory that it could write`);
    return index;
  });
}

/** The parameter that says how large the returned memory is. */
function resultSize(params: readonly CParam[]): number | undefined {
  const found = params.findIndex(({ name }) => name === 'rdonly_buf_size' || name === 'rdwr_buf_size');
  return found < 0 ? undefined : found;
}

function returnedBy(
  fields: Fields,
  flags: ReadonlySet<string>,
  { ret }: Prototype,
  params: readonly CParam[],
): Returned {
  const acquires = flags.has('KF_ACQUIRE');
  const nullable = flags.has('KF_RET_NULL');
  const wants = (flag: string, what: string): never =>
    fields.fail(`${flag} is for a function that returns ${what}, not ${ret.text}`);
  if (ret.stars === 0) {
    if (acquires) wants('KF_ACQUIRE', 'a pointer to a struct');
    if (nullable && fields.get('lock') !== 'tries') wants('KF_RET_NULL', 'a pointer');
    if (ret.base === 'void') return { kind: 'void' };
    if (ret.base.startsWith('struct ') || ret.base.startsWith('union '))
      fields.fail(`a function that programs call returns a number or a pointer, not a ${ret.base}`);
    return { kind: 'number', signed: !isUnsigned(ret.base) };
  }
  if (ret.stars > 1) fields.fail(`no program can use a ${ret.text}`);
  if (ret.base.startsWith('struct '))
    return { kind: 'pointer', ...structOf(fields, flags, ret.base.slice('struct '.length)), nullable };
  if (acquires) wants('KF_ACQUIRE', 'a pointer to a struct');
  return { kind: 'pointer', to: memoryOf(fields, ret.base, params), nullable };
}

function structOf(
  fields: Fields,
  flags: ReadonlySet<string>,
  struct: string,
): Pick<Extract<Returned, { kind: 'pointer' }>, 'to' | 'acquires'> {
  if (struct === 'bpf_list_node' || struct === 'bpf_rb_node')
    fields.fail(
      `a struct ${struct} * that is returned needs outcomes of its own, and a model: graphs of declared functions are not modelled`,
    );
  const to = (trust: 'trusted' | 'rcu' | 'none'): PointerKind => ({ kind: 'btf', struct, trust });
  if (flags.has('KF_ACQUIRE'))
    return { to: to('trusted'), acquires: classOf(fields, CLASS_OF_STRUCT[struct] ?? 'reference') };
  if (flags.has('KF_ITER_NEXT')) {
    const trust = fields.word('trust', ['trusted', 'rcu']);
    if (trust === undefined)
      fields.ask(`trust: 'rcu' where the iterator's _new function is KF_RCU_PROTECTED, else 'trusted'`);
    return { to: to(trust ?? 'rcu') };
  }
  return { to: to(flags.has('KF_RCU_PROTECTED') ? 'rcu' : 'none') };
}

/** Memory that is returned: a number, which may be read only, or as many bytes as a parameter says. */
function memoryOf(fields: Fields, base: string, params: readonly CParam[]): PointerKind {
  const arg = resultSize(params);
  if (arg !== undefined)
    return {
      kind: 'mem',
      size: { arg },
      ...(params[arg]!.name === 'rdonly_buf_size' ? { readonly: true } : {}),
    };
  const bytes = numberBytes(base);
  if (bytes === undefined)
    return fields.fail(
      `the size of what it returns is not known: a parameter rdonly_buf_size or rdwr_buf_size would say it`,
    );
  return { kind: 'mem', size: { bytes }, readonly: true };
}
