/** From a tree of fragments to a program: compiled, linked, its functions in order. */
import { r1 } from '../../src/isa/build.js';
import { type Item, label, link } from '../../src/isa/label.js';
import { declaredIn } from '../../src/kernel/catalog.js';
import { ATTACH } from '../../src/kernel/contexts/attach.js';
import type { Attachment, DeclaredFunction, Program, ProgType, Subprog } from '../../src/object/program.js';
import type { Fragment } from '../fragment.js';
import { Compiler } from './compiler.js';
import type { FunctionKind, Unit } from './unit.js';

/** Inclusive range of values that the main program may return, where a hook gives more than two of them a meaning. */
const MEANT: Readonly<Partial<Record<ProgType, readonly [number, number]>>> = {
  // XDP_ABORTED to XDP_REDIRECT.
  xdp: [0, 4],
  // TC_ACT_OK, TC_ACT_RECLASSIFY, TC_ACT_SHOT.
  tc: [0, 2],
  // Bytes of the packet to keep.
  socket_filter: [0, 4096],
  // Whether the event is recorded.
  tracepoint: [0, 1],
  syscall: [0, 4096],
};

/** How programs of types that must say it are attached. */
const ATTACHED: Readonly<Partial<Record<ProgType, Attachment>>> = {
  cgroup_sock_addr: { type: ATTACH.INET4_CONNECT },
  cgroup_sockopt: { type: ATTACH.SETSOCKOPT },
  sk_lookup: { type: ATTACH.SK_LOOKUP },
  netfilter: { type: ATTACH.NETFILTER },
};

/** Inclusive range of values that the main program of a type returns. */
export function returns(type: ProgType): readonly [number, number] {
  return MEANT[type] ?? [0, 1];
}

/** All that a generated program depends on; compiling the same tree gives the same program. */
export interface Tree {
  readonly type: ProgType;
  readonly body: readonly Fragment[];
  /** Keep the context on the stack rather than in r6. */
  readonly spillCtx: boolean;
  /** What the program returns at its end, counted round and round in the range of its type. */
  readonly value: number;
  /** Functions that no kernel has yet and that it may call. */
  readonly declared?: readonly DeclaredFunction[];
}

/** Functions that are verified on their own. */
const GLOBAL: ReadonlySet<FunctionKind> = new Set<FunctionKind>(['main', 'global', 'exception']);

/** Fewer slots than this is the empty program, which always fits. */
export const LEAST_SLOTS = 2;

/**
 * Compiles `tree` into a program of at most `maxInsns` slots (at least `LEAST_SLOTS`): fragments that come after the limit is reached
 * are left out.
 */
export function compileTree(tree: Tree, maxInsns: number, name = 'main'): Program {
  let limit = maxInsns;
  for (;;) {
    const program = compileOnce(tree, limit, name);
    const over = program.insns.length - maxInsns;
    if (over <= 0 || limit <= 0) return program;
    // What was open when the limit was met has been closed since; so much must be kept free.
    limit = Math.max(0, Math.min(limit - over, limit - 4));
  }
}

/**
 * Linux 6.18 notes the callback of a bpf_loop that it will inline by the number of its function, and then removes functions that are
 * never called: if one before the callback goes, the number is another's and the load fails with "verifier bug: No program to jit". So
 * where there is such a loop and another function, no branch is left that the verifier might decide.
 */
function compileOnce(tree: Tree, limit: number, name: string): Program {
  const compiled = compileWith(tree, limit, name, false);
  const functions = compiled.subprogs.length;
  return functions > 2 ? compileWith(tree, limit, name, true) : compiled;
}

function compileWith(tree: Tree, limit: number, name: string, freshTests: boolean): Program {
  const c = new Compiler(tree.type, limit - 2, freshTests, tree.declared);
  c.func('main', [{ reg: r1, as: 'ctx', spill: tree.spillCtx }], returns(tree.type), () => {
    c.body(tree.body);
    c.result(tree.value);
  });
  // The callback of exceptions comes right after the main program: Linux 6.18 loses it where a function in front of it is never called.
  const rank = ({ kind }: Unit): number => (kind === 'main' ? 0 : kind === 'exception' ? 1 : 2);
  const units = [...c.units].sort((a, b) => rank(a) - rank(b));
  const items: Item[] = units.flatMap((unit) => [label(unit.label), ...unit.items]);
  const { insns, labels } = link(items);
  const subprogs: Subprog[] = units.map((unit) => ({
    name: unit.label,
    start: labels.get(unit.label)!,
    linkage: GLOBAL.has(unit.kind) ? 'global' : 'static',
    ...(unit.kind === 'exception' ? { exceptionCallback: true as const } : {}),
  }));
  const attach = ATTACHED[tree.type];
  const declared = declaredIn({ insns, kfuncs: c.kfuncs }, tree.declared ?? []);
  return {
    name,
    type: tree.type,
    ...(attach === undefined ? {} : { attach }),
    insns,
    maps: c.maps,
    kfuncs: c.kfuncs,
    subprogs,
    localTypes: c.localTypes,
    license: 'GPL',
    ...(declared.length === 0 ? {} : { declared }),
    ...(tree.type === 'syscall' ? { sleepable: true } : {}),
  };
}
