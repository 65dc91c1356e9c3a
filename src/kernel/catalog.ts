/**
 * All contracts, and the names and numbers of all helpers and kfuncs. Other folders read the tables of this folder only through this
 * file.
 */
import { decodeAll } from '../isa/decode.js';
import type { Op } from '../isa/insn.js';
import type { DeclaredFunction, Program, ProgType } from '../object/program.js';
import type { Contract } from './contract.js';
import { CALLBACK_CONTRACTS, CONTROL_CONTRACTS } from './contracts/callbacks.js';
import { CPUMASK_CONTRACTS } from './contracts/cpumasks.js';
import { ARENA_CONTRACTS, DEVICE_CONTRACTS, MEMORY_CONTRACTS, TEST_CONTRACTS } from './contracts/devices.js';
import { DYNPTR_CONTRACTS, DYNPTR_KFUNC_CONTRACTS } from './contracts/dynptrs.js';
import { EVENT_CONTRACTS } from './contracts/events.js';
import { EVERYDAY_CONTRACTS, SYSCALL_CONTRACTS, TRACING_CONTRACTS } from './contracts/everyday.js';
import { ENTRY_CONTRACTS, FILE_CONTRACTS } from './contracts/files.js';
import { FLOW_CONTRACTS } from './contracts/flows.js';
import { HOOK_CONTRACTS, HOOK_VARIANTS } from './contracts/hooks.js';
import { ITERATOR_CONTRACTS } from './contracts/iterators.js';
import { LOCK_CONTRACTS } from './contracts/locks.js';
import { MAP_CONTRACTS } from './contracts/maps.js';
import { OBJECT_CONTRACTS } from './contracts/objects.js';
import { PACKET_CONTRACTS, SYNCOOKIE_CONTRACTS } from './contracts/packets.js';
import { PROBE_CONTRACTS, STRING_CONTRACTS } from './contracts/probes.js';
import { RINGBUF_CONTRACTS } from './contracts/ringbuf.js';
import { SCHEDULER_CONTRACTS } from './contracts/schedulers.js';
import { SECURITY_CONTRACTS } from './contracts/security.js';
import { SOCKET_CONTRACTS } from './contracts/sockets.js';
import { STORAGE_CONTRACTS, STORAGE_VARIANTS } from './contracts/storage.js';
import { CONGESTION_CONTRACTS, HID_CONTRACTS, QDISC_CONTRACTS } from './contracts/struct-ops.js';
import { TASK_CONTRACTS } from './contracts/tasks.js';
import { contractOfDeclared } from './declare/declare.js';
import { LEFT_OUT } from './leftout.js';
import { BUILT_IN, type KernelProfile, typesUnder } from './profile.js';
import { HELPERS, KFUNCS } from './tables/rows.js';

/** The contracts by family, in the order in which they are listed. */
export const FAMILIES: Readonly<Record<string, readonly Contract[]>> = {
  maps: MAP_CONTRACTS,
  sockets: SOCKET_CONTRACTS,
  ringbuf: RINGBUF_CONTRACTS,
  locks: LOCK_CONTRACTS,
  callbacks: CALLBACK_CONTRACTS,
  control: CONTROL_CONTRACTS,
  iterators: ITERATOR_CONTRACTS,
  tasks: TASK_CONTRACTS,
  objects: OBJECT_CONTRACTS,
  cpumasks: CPUMASK_CONTRACTS,
  security: SECURITY_CONTRACTS,
  flows: FLOW_CONTRACTS,
  dynptrs: [...DYNPTR_CONTRACTS, ...DYNPTR_KFUNC_CONTRACTS],
  packets: PACKET_CONTRACTS,
  syncookies: SYNCOOKIE_CONTRACTS,
  probes: PROBE_CONTRACTS,
  strings: STRING_CONTRACTS,
  everyday: EVERYDAY_CONTRACTS,
  tracing: TRACING_CONTRACTS,
  syscall: SYSCALL_CONTRACTS,
  storage: STORAGE_CONTRACTS,
  events: EVENT_CONTRACTS,
  hooks: HOOK_CONTRACTS,
  files: FILE_CONTRACTS,
  entry: ENTRY_CONTRACTS,
  devices: DEVICE_CONTRACTS,
  memory: MEMORY_CONTRACTS,
  arenas: ARENA_CONTRACTS,
  congestion: CONGESTION_CONTRACTS,
  qdiscs: QDISC_CONTRACTS,
  hid: HID_CONTRACTS,
  schedulers: SCHEDULER_CONTRACTS,
  tests: TEST_CONTRACTS,
};

/**
 * Functions that take other arguments in some types of programs: by name, in place of the contract of that name there. They have the same
 * outcomes, so that a rule which is right for one is right for the other.
 */
const VARIANTS = new Map<string, Contract[]>();
for (const variant of [...STORAGE_VARIANTS, ...HOOK_VARIANTS])
  VARIANTS.set(variant.name, [...(VARIANTS.get(variant.name) ?? []), variant]);

const ALL: readonly Contract[] = Object.values(FAMILIES).flat();
const byId = new Map(ALL.filter((c) => c.kind === 'helper').map((c) => [c.id, c]));
const byName = new Map(ALL.map((c) => [c.name, c]));

/** Every contract: those of declared functions first, then helpers and kfuncs of the tables. */
export function contracts(declared: readonly DeclaredFunction[] = []): readonly Contract[] {
  return declared.length === 0 ? ALL : [...declared.map(contractOfDeclared), ...ALL];
}

/** The contract of the helper with this number (enum bpf_func_id), if it is modelled. */
export function helper(id: number): Contract | undefined {
  return byId.get(id);
}

/** The contract of the helper with this name, with or without `bpf_`, if it is modelled. */
export function helperByName(name: string): Contract | undefined {
  const found = byName.get(name) ?? byName.get(`bpf_${name}`);
  return found?.kind === 'helper' ? found : undefined;
}

/** The contract of the kfunc with this name, if it is modelled. */
export function kfunc(name: string): Contract | undefined {
  const found = byName.get(name);
  return found?.kind === 'kfunc' ? found : undefined;
}

/** The contract of the function with this name, if it is declared or modelled; or of the one that a call insn of the program names. */
export function contractOf(name: string, declared?: readonly DeclaredFunction[]): Contract | undefined;
export function contractOf(program: Program, op: Op): Contract | undefined;
export function contractOf(
  from: string | Program,
  given?: readonly DeclaredFunction[] | Op,
): Contract | undefined {
  if (typeof from === 'string') return contractByName(from, given as readonly DeclaredFunction[] | undefined);
  const op = given as Op;
  if (op?.kind !== 'call' || op.target === 'subprog') return undefined;
  const declared = calledBy(op, from);
  if (declared !== undefined) return contractOfDeclared(declared);
  if (op.target === 'helper') return variantFor(helper(op.imm), from.type);
  const name = from.kfuncs[op.imm];
  return name === undefined ? undefined : kfunc(name);
}

function contractByName(name: string, declared: readonly DeclaredFunction[] = []): Contract | undefined {
  const found = declared.find((one) => one.name === name);
  return found === undefined ? (helperByName(name) ?? kfunc(name)) : contractOfDeclared(found);
}

/** The declared function that a call insn names. */
function calledBy(op: Extract<Op, { kind: 'call' }>, program: Program): DeclaredFunction | undefined {
  const { declared } = program;
  if (declared === undefined) return undefined;
  if (op.target === 'helper') return declared.find(({ kind, id }) => kind === 'helper' && id === op.imm);
  const name = program.kfuncs[op.imm];
  return declared.find((one) => one.kind === 'kfunc' && one.name === name);
}

/**
 * Why a function of this name and number may not be declared: there is one with a contract, or one among `others`, or its number is another
 * helper's. Undefined where it may.
 */
export function alreadyThere(
  { kind, name, id }: DeclaredFunction,
  others: readonly DeclaredFunction[] = [],
): string | undefined {
  if (others.some((one) => one.name === name)) return 'there are two of this name';
  const twin = others.find((one) => kind === 'helper' && one.kind === 'helper' && one.id === id);
  if (twin !== undefined) return `the number ${id} is that of ${twin.name}`;
  if (byName.has(name)) return `${name} is modelled already: a declared function has a name of its own`;
  if (kind === 'kfunc') {
    return idByName.has(name) ? `${name} is a helper of Linux 6.18` : undefined;
  }
  const row = rows.get(name);
  const [named, numbered] = [idByName.get(name), nameById.get(id)];
  if (row !== undefined && named === undefined) return `${name} is a kfunc of Linux 6.18`;
  if (named !== undefined && named !== id) return `${name} has the number ${named}`;
  return numbered !== undefined && numbered !== name ? `the number ${id} is that of ${numbered}` : undefined;
}

/** The contract as it is for a type of program. */
function variantFor(contract: Contract | undefined, type: ProgType): Contract | undefined {
  if (contract === undefined || contract.types.includes(type)) return contract;
  return VARIANTS.get(contract.name)?.find((variant) => variant.types.includes(type)) ?? contract;
}

/**
 * The kernel refuses a call of this helper or kfunc in every program of the type, whatever its arguments. For fentry and LSM programs,
 * and for kprobes of many functions or of a session, this is not known: no kernel could be asked.
 */
export function refusedFor(
  which: string | number,
  { type, attach }: Program,
  kernel: KernelProfile = BUILT_IN,
): boolean {
  const name = typeof which === 'number' ? nameById.get(which) : which;
  if (name === undefined || !rows.has(name)) return false;
  const unknown = type === 'fentry' || type === 'lsm' || (type === 'kprobe' && attach !== undefined);
  return !unknown && !typesUnder(kernel, name).includes(type);
}

/** The function takes the same arguments and returns the same in programs of every type: what is true of one type is true of all. */
export function isAlikeInAllTypes(contract: Contract): boolean {
  const ofType = contract.outcomes.some(({ r0 }) => r0.kind === 'pointer' && r0.to.kind === 'kern_ctx');
  return !ofType && !VARIANTS.has(contract.name) && !contract.args.some((arg) => arg.kind === 'ctx');
}

/** The kernel lets programs of the type name this function, though its contract is not made for them. */
export function narrowedFor(contract: Contract, type: ProgType): boolean {
  return !contract.types.includes(type) && rows.get(contract.name)?.types.includes(type) === true;
}

const idByName = new Map(HELPERS.map((row) => [row.name, row.id]));
const nameById = new Map(HELPERS.map((row) => [row.id, row.name]));
const kfuncNames = new Set(KFUNCS.map((row) => row.name));

/** Names and numbers of all helpers and the names of all kfuncs, modelled or not: what an assembler needs. */
export const symbols = {
  /** The helper's number, by its name with or without `bpf_`. */
  helperId(name: string): number | undefined {
    return idByName.get(name) ?? idByName.get(`bpf_${name}`);
  },
  /** The helper's full name, `bpf_...`. */
  helperName(id: number): string | undefined {
    return nameById.get(id);
  },
  /** A kfunc of Linux 6.18 or of its neighbours has this name. */
  isKfunc(name: string): boolean {
    return kfuncNames.has(name);
  },
  /** All helpers, by number. */
  helpers: [...nameById].map(([id, name]) => ({ id, name })) as readonly { id: number; name: string }[],
} as const;

/** The same names as `symbols`, and those of declared functions before them. */
export function symbolsWith(
  declared: readonly DeclaredFunction[] = [],
): Pick<typeof symbols, 'helperId' | 'helperName' | 'isKfunc'> {
  if (declared.length === 0) return symbols;
  const helpers = declared.filter(({ kind }) => kind === 'helper');
  return {
    helperId: (name) =>
      helpers.find((one) => one.name === name || one.name === `bpf_${name}`)?.id ?? symbols.helperId(name),
    helperName: (id) => helpers.find((one) => one.id === id)?.name ?? symbols.helperName(id),
    isKfunc: (name) =>
      declared.some((one) => one.kind === 'kfunc' && one.name === name) || symbols.isKfunc(name),
  };
}

/** Those of the declared functions that a program's insns call, in their order: what has to be kept with it. */
export function declaredIn(
  program: Pick<Program, 'insns' | 'kfuncs'>,
  declared: readonly DeclaredFunction[],
): readonly DeclaredFunction[] {
  const maybe = declared.filter(({ kind, name }) => kind === 'helper' || program.kfuncs.includes(name));
  // What cannot be decoded is for the verifier to refuse: it is only looked at where that is needed.
  if (maybe.length === 0) return maybe;
  const ops = decodeAll(program.insns);
  const calls = (one: DeclaredFunction): boolean =>
    ops.some(
      (op) =>
        op?.kind === 'call' &&
        (one.kind === 'helper'
          ? op.target === 'helper' && op.imm === one.id
          : op.target === 'kfunc' && program.kfuncs[op.imm] === one.name),
    );
  return maybe.filter(calls);
}

/** The program, with those of the declared functions that it calls. */
export function withDeclared(program: Program, declared: readonly DeclaredFunction[]): Program {
  const called = declaredIn(program, declared);
  return called.length === 0 ? program : { ...program, declared: called };
}

const rows = new Map([...HELPERS, ...KFUNCS].map((row) => [row.name, row]));

/** A helper or kfunc that the tables know, modelled or not. */
export interface KnownFunction {
  readonly name: string;
  readonly kind: Contract['kind'];
}

/** All helpers by number, then all kfuncs of Linux 6.18 and of its neighbours by name. */
export function knownFunctions(): readonly KnownFunction[] {
  return [...rows.values()].map((row) => ({ name: row.name, kind: 'id' in row ? 'helper' : 'kfunc' }));
}

/** How the kernel declares the function: a kfunc in C, a helper in the words of its struct bpf_func_proto. Empty for what there is not. */
export function declarationOf(name: string): string {
  const row = rows.get(name);
  if (row === undefined) return '';
  const list = 'id' in row ? row.args : row.params;
  return `${row.ret} ${name}(${list.join(', ') || 'void'})`.replace('* ', '*');
}

/** The contracts that a function has in some types of programs in place of its own. */
export function variantsOf(name: string): readonly Contract[] {
  return VARIANTS.get(name) ?? [];
}

/** One sentence that says why there is no contract for a helper (by name or number) or a kfunc (by name). */
export function unmodelled(which: string | number): string {
  const name = typeof which === 'number' ? nameById.get(which) : helperNameOf(which);
  if (name === undefined) return `helper ${which} does not exist in Linux 6.18`;
  const id = idByName.get(name);
  const what = id === undefined ? `kfunc ${name}` : `helper ${name}#${id}`;
  const row = rows.get(name);
  if (row === undefined) return `${name} is neither a helper nor a kfunc of Linux 6.18`;
  const reason = LEFT_OUT[name];
  if (reason !== undefined) return `${what} is not modelled: it ${reason}`;
  return `${what} is not modelled`;
}

/** The full name of a helper given with or without `bpf_`; any other name as it is. */
function helperNameOf(name: string): string {
  const id = symbols.helperId(name);
  return id === undefined ? name : (nameById.get(id) ?? name);
}
