/**
 * What our tables say of a load from a context or a socket, or a store to one, is what the kernel's verifier says: at every offset,
 * of every size.
 */
import { describe, expect, it } from 'vitest';
import {
  add,
  callHelper,
  callKfunc,
  exit,
  jmp,
  ldx,
  mov,
  mul,
  r0,
  r1,
  r2,
  r3,
  r6,
  r7,
  r10,
  stx,
} from '../../src/isa/build.js';
import { type Item, label } from '../../src/isa/label.js';
import type { SockType } from '../../src/kernel/contract.js';
import { contextField, progType } from '../../src/kernel/progtypes.js';
import { ITER_WORDS, structAccess } from '../../src/kernel/structs.js';
import type { Attachment, ProgType } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import { LOADABLE, programOf } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const SIZES = [1, 2, 4, 8] as const;
type Size = (typeof SIZES)[number];

function accepted(type: ProgType, items: readonly Item[], attach?: Attachment): boolean {
  const program = programOf(type, items);
  const result = loadProgram(attach === undefined ? program : { ...program, attach }, { explain: false });
  if (result.ok) result.close();
  else expect(result.stage).toBe('program');
  return result.ok;
}

/** 1 is a value that every type of program may return, however it is attached. */
const end: readonly Item[] = [mov(r0, 1), exit()];

/** Where `judge` and the kernel differ, as `read 4 at 76` and the like. */
function differences(
  type: ProgType,
  offsets: Iterable<number>,
  judge: typeof contextField = contextField,
  attached?: Attachment,
): string[] {
  const { attach = attached } = attached === undefined ? programOf(type, end) : {};
  const load = (off: number, size: Size): boolean => accepted(type, [ldx(size, r2, r1, off), ...end], attach);
  /** Multiplying a pointer is refused, so this is taken only if the load gives a number. */
  const loadNumber = (off: number, size: Size): boolean =>
    accepted(type, [ldx(size, r2, r1, off), mul(r2, 3), ...end], attach);
  const store = (off: number, size: Size): boolean =>
    accepted(type, [mov(r0, 1), stx(size, r1, off, r0), exit()], attach);
  const out: string[] = [];
  for (const off of offsets) {
    for (const size of SIZES) {
      const read = judge(type, off, size, 'read', attach);
      if ((read !== undefined) !== load(off, size)) out.push(`read ${size} at ${off}`);
      else if (read !== undefined && (read === 'scalar') !== loadNumber(off, size)) {
        out.push(`kind of ${size} at ${off}`);
      }
      if ((judge(type, off, size, 'write', attach) !== undefined) !== store(off, size)) {
        out.push(`write ${size} at ${off}`);
      }
    }
  }
  return out;
}

function* upTo(last: number, from = -2): Generator<number> {
  for (let off = from; off <= last; off++) yield off;
}

describeKnownKernel('contexts', () => {
  it.each<ProgType>(
    LOADABLE.filter((type) => progType(type).bytes === undefined && progType(type).arguments === undefined),
  )('of %s programs are open as in the kernel', (type) => {
    expect(differences(type, upTo(progType(type).size + 4))).toEqual([]);
  });

  it.each<ProgType>(['kprobe', 'raw_tracepoint'])('of %s programs are open as in the kernel', (type) => {
    expect(
      differences(type, [...upTo(12), ...upTo(progType(type).size + 4, progType(type).size - 12)]),
    ).toEqual([]);
  });

  it.each<[ProgType, readonly number[]]>([
    ['cgroup_sock', [2, 12, 13, 34]],
    ['cgroup_sock_addr', [8, 9, 10, 11, 14, 15, 19, 20, 29, 30, 31, 32, 49, 50]],
    ['cgroup_sockopt', [21, 22]],
  ])('of %s programs depend on how they are attached', (type, attached) => {
    for (const attach of attached) {
      expect(differences(type, upTo(progType(type).size + 4), contextField, { type: attach })).toEqual([]);
    }
  });

  it('of tracepoint programs are open as in the kernel', () => {
    expect(differences('tracepoint', [...upTo(40, 0), ...upTo(8200, 8180)])).toEqual([]);
  });

  // An offset of an insn ends at 32767.
  it('of syscall programs are open as in the kernel', () => {
    expect(differences('syscall', [...upTo(20), ...upTo(32767, 32750)])).toEqual([]);
  });

  it('that are said to be open where they are not are found out', () => {
    const lax: typeof contextField = (type, off, size, access) =>
      off === 20 ? 'scalar' : contextField(type, off, size, access);
    expect(differences('xdp', upTo(24), lax)).toContain('read 4 at 20');
    const plain: typeof contextField = (type, off, size, access) =>
      contextField(type, off, size, access) && 'scalar';
    expect(differences('xdp', upTo(24), plain)).toContain('kind of 4 at 0');
  });
});

const SK_FULLSOCK = 95;
const TCP_SOCK = 96;

/** A tc program that has a socket of this type in r0, reads it, and ends. */
function readSocket(type: SockType, off: number, size: Size): Item[] {
  const cast =
    type === 'sock' ? [callHelper(SK_FULLSOCK)] : type === 'tcp_sock' ? [callHelper(TCP_SOCK)] : [];
  return [
    ldx(8, r1, r1, 168),
    jmp('eq', r1, 0, 'out'),
    mov(r0, r1),
    ...cast,
    jmp('eq', r0, 0, 'out'),
    ldx(size, r2, r0, off),
    label('out'),
    mov(r0, 0),
    exit(),
  ];
}

function socketDifferences(type: SockType, judge: typeof structAccess): string[] {
  const out: string[] = [];
  for (const off of upTo(type === 'tcp_sock' ? 120 : 84)) {
    for (const size of SIZES) {
      const taken = accepted('tc', readSocket(type, off, size));
      if ((judge(type, off, size) !== undefined) !== taken) out.push(`${type}: read ${size} at ${off}`);
    }
  }
  return out;
}

describeKnownKernel('sockets', () => {
  it.each<SockType>(['sock_common', 'sock', 'tcp_sock'])('of type %s are open as in the kernel', (type) => {
    expect(socketDifferences(type, structAccess)).toEqual([]);
  });

  it('that are said to be open where they are not are found out', () => {
    const lax: typeof structAccess = (_, off, size) => structAccess('sock', off, size);
    expect(socketDifferences('sock_common', lax)).toContain('sock_common: read 4 at 8');
  });
});

describeKnownKernel('iterators', () => {
  /** Made in the last `bytes` bytes of the stack: refused if that is too little room. */
  const fits = (name: string, bytes: number): boolean => {
    const kfuncs = [
      name,
      name.replace('_new', '_destroy'),
      'bpf_rcu_read_lock',
      'bpf_rcu_read_unlock',
      'bpf_cgroup_from_id',
      'bpf_cgroup_release',
    ];
    const place = [mov(r1, r10), add(r1, -bytes)];
    // The section that some of them need is closed to those that may sleep.
    const sleeps = /kmem_cache|dmabuf/.test(name);
    const argument = name.includes('css')
      ? mov(r2, r6)
      : name.includes('task_vma')
        ? mov(r2, r7)
        : mov(r2, 0);
    const items = [
      callHelper(158),
      mov(r7, r0),
      mov(r1, 1),
      callKfunc(4),
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
      ...(sleeps ? [] : [callKfunc(2)]),
      ...place,
      argument,
      mov(r3, 0),
      callKfunc(0),
      ...place,
      callKfunc(1),
      ...(sleeps ? [] : [callKfunc(3)]),
      mov(r1, r6),
      callKfunc(5),
      label('out'),
      ...end,
    ];
    const result = loadProgram(programOf('syscall', items, { kfuncs }), { explain: false });
    if (result.ok) result.close();
    return result.ok;
  };

  // Iterators of schedulers cannot be made by programs of a type that is modelled.
  const asked = Object.entries(ITER_WORDS).filter(([type]) => type !== 'scx_dsq');
  it.each(asked)('an iterator of type %s takes %i words', (type, words) => {
    expect(fits(`bpf_iter_${type}_new`, words * 8)).toBe(true);
    expect(fits(`bpf_iter_${type}_new`, words * 8 - 8)).toBe(false);
  });
});

describe('the tables of contexts', () => {
  it('have members that do not overlap and lie inside', () => {
    for (const type of ['xdp', 'tc', 'socket_filter'] as const) {
      const { members, size } = progType(type);
      const ordered = [...members].sort((a, b) => a.offset - b.offset);
      ordered.forEach((m, i) => {
        expect(m.offset + m.size, m.name).toBeLessThanOrEqual(ordered[i + 1]?.offset ?? size);
      });
    }
  });
});
