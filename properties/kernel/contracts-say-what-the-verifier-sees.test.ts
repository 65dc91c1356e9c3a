/**
 * What the kernel's verifier makes of r0, which calls it allows under a lock, and which may be given packet pointers: as the
 * contracts say.
 */
import { expect, it } from 'vitest';
import {
  add,
  callHelper,
  callKfunc,
  exit,
  jmp,
  ldMapValue,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r6,
  r7,
  registers,
} from '../../src/isa/build.js';
import { type Item, label } from '../../src/isa/label.js';
import { contractOf, contracts } from '../../src/kernel/catalog.js';
import type { Contract, Outcome, PointerKind } from '../../src/kernel/contract.js';
import { callsBack, iteratorRole } from '../../src/kernel/describe.js';
import type { ProgType } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import { callProgram } from '../support/contracts/call.js';
import { LOCK, NoWay } from '../support/contracts/things.js';
import { programOf } from '../support/kernel/programs.js';
import { describeKnownKernel, messagesKnown } from '../support/kernel/skip.js';

const R0 = /R0(?:_\w+)?=([a-z_]+[a-z0-9_]*)(\([^)]*\))?/;

/** The register that the log shows in r0 after the call, without what is in parentheses; undefined where it shows none. */
function shown(c: Contract, type: ProgType): { type: string; detail: string } | undefined {
  try {
    const result = loadProgram(callProgram(c, type), { logLevel: 2 });
    if (!result.ok) return undefined;
    result.close();
    const lines = result.log.split('\n');
    const at = lines.findLastIndex((line) => line.includes(`(85) call ${c.name}#`));
    const slot = Number.parseInt(lines[at] ?? '', 10);
    // On the line of the call; or, if precision was worked out or the walk forked there, as the state of the next insn.
    const states = [lines[at], ...lines.slice(at + 1)].filter(
      (line, n) =>
        n === 0 || line?.startsWith(`${slot + 1}: R0`) || line?.startsWith(`from ${slot} to ${slot + 1}: R0`),
    );
    const found = states.map((line) => R0.exec(line ?? '')).find((match) => match !== null);
    return found === undefined || found === null ? undefined : { type: found[1]!, detail: found[2] ?? '' };
  } catch (error) {
    if (error instanceof NoWay) return undefined;
    throw error;
  }
}

/** The log's word for what a contract says r0 points to; undefined where the contract leaves it to the arguments. */
function word(to: PointerKind, acquired: boolean, nullable: boolean): string | undefined {
  const or = nullable ? '_or_null' : '';
  switch (to.kind) {
    case 'map_value':
      return `map_value${or}`;
    case 'sock':
      return `${to.type}${or}`;
    case 'record':
      return `ringbuf_mem${or}`;
    case 'mem':
      return `${to.readonly === true ? 'rdonly_' : ''}mem${or}`;
    case 'btf': {
      // What is held is trusted through its reference, and carries no mark of its own.
      const trust = acquired || to.trust === 'none' ? '' : `${to.trust}_`;
      return `${trust}ptr${or}_${to.struct}`;
    }
    case 'object':
    case 'graph_node':
    case 'same':
      return `${'percpu' in to && to.percpu === true ? 'percpu_' : ''}ptr${or}_item`;
    case 'kptr':
      return `ptr${or}_task_struct`;
    case 'kern_ctx':
    case 'cast':
      return undefined;
  }
}

/** How the verifier's r0 differs from the contract's pointer. */
function pointerFlaws(c: Contract): string[] {
  // The maps of these programs hold values.
  const ofSockets = ({ guard }: Outcome): boolean => guard?.kind === 'map_of_sockets' && guard.is;
  const made = c.outcomes.find((o) => o.r0.kind === 'pointer' && !ofSockets(o))?.r0;
  if (made?.kind !== 'pointer') return [];
  // An iterator's next is walked both ways at once, and a reference that is held can be taken again: no NULL to check for.
  const checked = c.outcomes.some((o) => o.r0.kind === 'null' && o.guard?.kind !== 'not_owning');
  const nullable = checked && iteratorRole(c) === undefined;
  const wanted = word(made.to, made.acquires !== undefined, nullable);
  if (wanted === undefined) return [];
  for (const type of c.types) {
    const seen = shown(c, type);
    if (seen === undefined) continue;
    const out: string[] = [];
    if (seen.type !== wanted) out.push(`${type}: r0 is ${seen.type}, not ${wanted}`);
    const refers = made.acquires !== undefined || made.derives !== undefined;
    // Whether an argument that is only looked at holds a reference is up to the call: a derived pointer may have none.
    if (
      made.derives === undefined &&
      made.to.kind !== 'mem' &&
      seen.detail.includes('ref_obj_id') !== refers
    ) {
      out.push(`${type}: ${seen.type}${seen.detail} ${refers ? 'holds no' : 'holds a'} reference`);
    }
    return out;
  }
  return [];
}

/** The contracts whose pointers the log has shown. */
function pointersSeen(): string[] {
  return contracts()
    .filter((c) => c.outcomes.some((o) => o.r0.kind === 'pointer') && c.types.some((type) => shown(c, type)))
    .map((c) => c.name);
}

const NOT_UNDER_LOCK = 'function calls are not allowed while holding a lock';
const HELD_FIRST: readonly Item[] = [ldMapValue(r1, 0), callHelper(93)];

/** Whether the kernel lets the function be called under a lock; what it thinks of the arguments comes later. */
function allowedUnderLock(c: Contract): boolean {
  const call = c.kind === 'helper' ? callHelper(c.id) : callKfunc(0);
  const items = [...HELD_FIRST, call, mov(r0, 0), exit()];
  const program = programOf('tc', items, { maps: [LOCK], kfuncs: c.kind === 'helper' ? [] : [c.name] });
  const result = loadProgram(program);
  if (result.ok) {
    result.close();
    return true;
  }
  return result.message !== NOT_UNDER_LOCK;
}

const NO_PACKET = 'helper access to the packet is not allowed';

/** Whether the kernel lets the first memory argument of the helper point into the packet. */
function takesPacket(c: Contract, type: 'xdp' | 'tc'): boolean {
  const [data, end] = type === 'xdp' ? [0, 4] : [76, 80];
  const at = c.args.findIndex((arg) => arg.kind === 'mem' || arg.kind === 'map_key');
  const items: Item[] = [
    mov(r6, r1),
    ldx(4, r7, r6, data),
    ldx(4, r2, r6, end),
    mov(r3, r7),
    add(r3, 64),
    jmp('gt', r3, r2, 'out'),
    // Arguments are checked in order: those before it must be right.
    ...c.args.slice(0, at).map((arg, i) => mov(registers[i + 1]!, arg.kind === 'ctx' ? r6 : 0)),
    ...(c.args[0]?.kind === 'map' ? [ldMapOf()] : []),
    mov(registers[at + 1]!, r7),
    ...c.args.slice(at + 1).map((arg, i) => mov(registers[at + 2 + i]!, arg.kind === 'size' ? 8 : 0)),
    callHelper(c.id),
    label('out'),
    mov(r0, 0),
    exit(),
  ];
  const map = {
    name: 'm',
    type: 'array' as const,
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
    flags: 0,
    fields: [],
  };
  const result = loadProgram(programOf(type, items, { maps: [map] }));
  if (result.ok) result.close();
  return result.ok || result.message !== NO_PACKET;
}
const ldMapOf = (): Item => ({ kind: 'ld_imm64', dst: 1, as: 'map', imm: 0, hi: 0 });

/** Helpers with a memory or key argument that only context, map and numbers precede. */
const withMemory = contracts().filter((c) => {
  const at = c.args.findIndex((arg) => arg.kind === 'mem' || arg.kind === 'map_key');
  const before = c.args.slice(0, at).map((arg) => arg.kind);
  const simple = before.every((kind) => ['ctx', 'anything', 'map'].includes(kind));
  return c.kind === 'helper' && at >= 0 && simple && (c.args[0]?.kind !== 'map') === !before.includes('map');
});

const known = (name: string): Contract => contractOf(name)!;

describeKnownKernel('the verifier', () => {
  it.skipIf(!messagesKnown())('makes of r0 the pointer that the contract says', () => {
    expect(contracts().flatMap((c) => pointerFlaws(c).map((text) => `${c.name}: ${text}`))).toEqual([]);
    expect(pointersSeen().length).toBeGreaterThan(50);
  });

  it.skipIf(!messagesKnown())('allows under a lock what the contract says', () => {
    const differ = contracts().filter(
      (c) => c.types.includes('tc') && allowedUnderLock(c) !== (c.underLock === true),
    );
    expect(differ.map((c) => c.name)).toEqual([]);
  });

  it.skipIf(!messagesKnown())('takes packet pointers where the contract says', () => {
    const differ = withMemory.flatMap((c) =>
      (['xdp', 'tc'] as const)
        .filter((type) => c.types.includes(type) && takesPacket(c, type) !== (c.packetArgs === true))
        .map((type) => `${c.name} ${type}`),
    );
    expect(differ).toEqual([]);
    expect(withMemory.length).toBeGreaterThan(20);
  });
});

describeKnownKernel('a callback', () => {
  const loads = (c: Contract, returned: number): boolean => {
    const type = c.types.find((each) => each === 'tc')!;
    const result = loadProgram(callProgram(c, type, [], returned), { explain: false });
    if (result.ok) result.close();
    return result.ok;
  };

  it('may return what the contract says and nothing else', () => {
    const called = contracts().filter((c) => callsBack(c) && c.types.includes('tc'));
    for (const c of called) {
      const arg = c.args.find((each) => each.kind === 'callback')!;
      const [min, max] = arg.kind === 'callback' ? arg.callback.returns : [0, 0];
      expect(
        [min - 1, min, max, max + 1].map((value) => loads(c, value)),
        c.name,
      ).toEqual([false, true, true, false]);
    }
    expect(called.length).toBe(7);
  });
});

describeKnownKernel('a contract with another pointer', () => {
  it.skipIf(!messagesKnown())('is found', () => {
    const retrust = (c: Contract, trust: 'trusted' | 'rcu' | 'none'): Contract => ({
      ...c,
      outcomes: c.outcomes.map((o) =>
        o.r0.kind === 'pointer' && o.r0.to.kind === 'btf'
          ? { ...o, r0: { ...o.r0, to: { ...o.r0.to, trust } } }
          : o,
      ),
    });
    expect(pointerFlaws(retrust(known('bpf_iter_task_next'), 'trusted')).join()).toMatch(/rcu_ptr/);
    expect(pointerFlaws(retrust(known('bpf_task_pt_regs'), 'rcu')).join()).toMatch(/not rcu_ptr/);
    const listener = known('bpf_get_listener_sock');
    const held = listener.outcomes.map((o) =>
      o.r0.kind === 'pointer'
        ? { ...o, r0: { ...o.r0, derives: undefined as never, to: { kind: 'map_value' as const } } }
        : o,
    );
    expect(pointerFlaws({ ...listener, outcomes: held }).join()).toMatch(/not map_value/);
  });
});
