/**
 * Every pointer in a struct of the kernel is of the type that Linux says after it is loaded: trusted, protected by RCU, plain or untrusted, perhaps
 * NULL, of user space, of each CPU. Asked about all pointers of structs that hooks hand to programs, about those behind the members that Linux vouches
 * for, and about references; inside an RCU section and outside.
 */
import { expect, it } from 'vitest';
import { callKfunc, exit, jmp, ldx, mov, r0, r1, r2, r3, r6, r7 } from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { Attachment, KernelTypes, Program, ProgType } from '../../../src/object/program.js';
import { runningKernelTypes } from '../../../src/oracle/btf.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { valueInWords } from '../../../src/verifier/explain/value.js';
import { verify } from '../../../src/verifier/verify.js';
import { programOf } from '../../support/kernel/programs.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';

/** Where a pointer to a struct comes from: an argument of a hook, and the members it is followed through, each checked for NULL. */
interface Way {
  readonly type: ProgType;
  readonly attach: Attachment;
  readonly argument: number;
  readonly members: readonly string[];
  /** The argument is exchanged for what a kfunc gives for it. */
  readonly through?: string;
}

const HOOKS = {
  tracepoint: ['tp_btf', 23],
  iterator: ['iter', 28],
} as const;

/** `tracepoint sched_switch 1 cgroups.dfl_cgrp`. */
function way(text: string, through?: string): Way {
  const [kind, target, argument, members = ''] = text.split(' ');
  const [type, number] = HOOKS[kind as keyof typeof HOOKS];
  return {
    type,
    attach: { type: number, target: target! },
    argument: Number(argument),
    members: members.split('.').filter((one) => one !== ''),
    ...(through === undefined ? {} : { through }),
  };
}

const WAYS: readonly Way[] = [
  ...[
    'tracepoint sched_switch 1',
    'tracepoint sched_switch 1 cgroups',
    'tracepoint sched_switch 1 cgroups.dfl_cgrp',
    'tracepoint sched_switch 1 cgroups.subsys',
    'tracepoint sched_switch 1 cgroups.subsys.cgroup',
    'tracepoint sched_switch 1 group_leader.real_parent',
    'tracepoint sched_switch 1 real_cred',
    'tracepoint sched_switch 1 mm',
    'tracepoint sched_switch 1 nsproxy',
    'tracepoint kfree_skb 0',
    'tracepoint kfree_skb 0 sk',
    'tracepoint kfree_skb 3',
    'tracepoint kfree_skb 3 sk_socket',
    'tracepoint net_dev_start_xmit 1',
    'tracepoint cgroup_mkdir 0',
    'tracepoint cgroup_mkdir 0 kn',
    'tracepoint cgroup_mkdir 0 subsys',
    'tracepoint tcp_retransmit_synack 1',
    'tracepoint tcp_retransmit_synack 1 sk',
    'tracepoint block_rq_insert 0',
    'tracepoint mm_lru_insertion 0',
    'tracepoint sched_process_exec 2',
    'tracepoint sched_process_exec 2 file',
    'tracepoint sched_process_exec 2 file.f_inode',
    'tracepoint sched_process_exec 2 mm',
    'tracepoint ext4_unlink_enter 1',
    'tracepoint ext4_unlink_enter 1 d_inode',
    'tracepoint ext4_sync_fs 0',
    'tracepoint sched_skip_vma_numa 1',
    'tracepoint sched_skip_vma_numa 1 vm_mm',
    'tracepoint sched_skip_vma_numa 0',
    'tracepoint sched_skip_vma_numa 1 vm_file',
    'tracepoint cap_capable 0',
    'iterator task 0',
    'iterator task 1',
    'iterator task_file 1',
    'iterator task_file 3',
    'iterator task_vma 2',
    'iterator task_vma 2 vm_file',
    'iterator bpf_map 1',
    'iterator cgroup 1',
    'iterator tcp 1',
    'iterator udp 1',
  ].map((text) => way(text)),
  way('tracepoint sched_switch 1', 'bpf_task_acquire'),
  way('tracepoint cgroup_mkdir 0', 'bpf_cgroup_acquire'),
];

/** Programs of these hooks may sleep, so that it matters whether they are in an RCU section. */
const OF_SLEEPERS = WAYS.filter(({ type }) => type === 'iter');

const nameOf = ({ type, attach, argument, members, through }: Way): string =>
  `${type} ${attach.target} ${argument}${members.map((one) => `.${one}`).join('')}${through === undefined ? '' : ` after ${through}`}`;

/** Offsets up to `end` at which a struct has a pointer. */
function pointersOf(types: KernelTypes, struct: string, end: number): number[] {
  const found: number[] = [];
  for (let at = 0; at < end; at += 8) if (types.access(struct, at, 8).kind === 'pointer') found.push(at);
  return found;
}

/** The most pointers of one struct that one program loads, and the bytes in which they are sought. */
const MOST = 90;
const SOUGHT = 4096;

/** Loads all pointers of the struct that the way leads to, one after the other. */
function loading(
  one: Way,
  types: KernelTypes,
  inRcu: boolean,
  sleepable: boolean,
): { program: Program; loads: number } | undefined {
  const argument = types.arguments(one.type, one.attach)?.[one.argument];
  if (argument?.kind !== 'pointer') return undefined;
  let struct = argument.to;
  const items: Item[] = [mov(r6, r1)];
  if (inRcu) items.push(callKfunc(0));
  items.push(ldx(8, r7, r6, 8 * one.argument), jmp('eq', r7, 0, 'out'));
  for (const name of one.members) {
    const member = types.member(struct, name);
    const access = member === undefined ? undefined : types.access(struct, member.offset, 8);
    if (access?.kind !== 'pointer') return undefined;
    items.push(ldx(8, r7, r7, member!.offset), jmp('eq', r7, 0, 'out'));
    struct = access.to;
  }
  if (one.through !== undefined) items.push(mov(r1, r7), callKfunc(2), mov(r7, r0), jmp('eq', r7, 0, 'out'));
  const at = pointersOf(types, struct, SOUGHT).slice(0, MOST);
  for (const offset of at) items.push(ldx(8, r3, r7, offset), mov(r2, r3));
  if (one.through !== undefined) items.push(mov(r1, r7), callKfunc(3));
  items.push(label('out'));
  if (inRcu) items.push(callKfunc(1));
  items.push(mov(r0, 0), exit());
  const kfuncs = ['bpf_rcu_read_lock', 'bpf_rcu_read_unlock'];
  if (one.through !== undefined) kfuncs.push(one.through, one.through.replace('acquire', 'release'));
  return {
    program: {
      ...programOf(one.type, items, { kfuncs }),
      attach: one.attach,
      kernelTypes: types,
      ...(sleepable ? { sleepable } : {}),
    },
    loads: at.length,
  };
}

/** By slot: what Linux prints of r3 after a load into it, without what stands in brackets. */
function printed(program: Program): ReadonlyMap<number, string> {
  const loaded = loadProgram(program, { logLevel: 2 });
  if (loaded.ok) loaded.close();
  expect(loaded.ok, loaded.ok ? '' : `${loaded.errno} ${loaded.message}`).toBe(true);
  const found = [...loaded.log.matchAll(/^(\d+): \(79\) r3 = .*R3(?:_w)?=([\w-]+)/gm)];
  return new Map(found.map(([, slot, value]) => [Number(slot), value!]));
}

/** By slot: the same in our words. */
function ours(program: Program, slots: readonly number[]): ReadonlyMap<number, string> {
  const verdict = verify(program, {});
  expect(verdict.ok ? '' : verdict.message).toBe('');
  if (!verdict.ok) return new Map();
  return new Map(
    slots.map((slot) => {
      const [visit] = verdict.facts.at(slot + 1);
      return [
        slot,
        valueInWords(visit!.state.frames.at(-1)!.regs[3]!, program).replace(/(btf_id \d+)?\(.*/, ''),
      ];
    }),
  );
}

describeKnownKernel('members of kernel structs are trusted as by Linux', () => {
  it.each([
    ['not sleepable', WAYS, false, 'rcu_ptr_ rcu_ptr_or_null_ trusted_ptr_or_null_'],
    ['sleepable, inside an RCU section', OF_SLEEPERS, true, 'rcu_ptr_'],
    ['sleepable, outside', OF_SLEEPERS, false, ''],
  ] as const)('all pointers of the structs that hooks lead to: %s', (how, ways, inRcu, besides) => {
    const wrong: string[] = [];
    const kinds = new Set<string>();
    for (const one of ways) {
      const made = loading(one, runningKernelTypes(), inRcu, how !== 'not sleepable');
      if (made === undefined) {
        wrong.push(`${nameOf(one)} leads to no struct`);
        continue;
      }
      const { program, loads } = made;
      const theirs = printed(program);
      expect(theirs.size, nameOf(one)).toBe(loads);
      for (const [slot, word] of ours(program, [...theirs.keys()]))
        if (word !== theirs.get(slot))
          wrong.push(`${nameOf(one)}, slot ${slot}: ${word}, Linux ${theirs.get(slot)}`);
      for (const word of theirs.values()) kinds.add(word.replace(/ptr_(or_null_)?.*/, 'ptr_$1'));
    }
    expect(wrong).toEqual([]);
    const always = ['ptr_', 'rdonly_untrusted_mem', 'trusted_ptr_', 'untrusted_ptr_'];
    expect([...kinds].sort()).toEqual([...always, ...besides.split(' ').filter((one) => one !== '')].sort());
  });
});

/** Members of a struct of a made-up kernel, eight bytes each: every tag before its pointer, in a union or not. */
const TAGS = [undefined, 'rcu', 'user', 'percpu'] as const;
const MEMBERS = [false, true].flatMap((viaUnion) => TAGS.map((tag) => ({ viaUnion, tag })));

/** The made-up kernel: an iterator and a function are handed a struct of which each member leads to such a struct again. */
const MADE_UP: KernelTypes = {
  has: () => true,
  nameOf: () => undefined,
  variable: () => undefined,
  holds: (struct, at, inner) => at === 0 && struct === inner,
  member: () => undefined,
  access: (_, at) => {
    const { viaUnion, tag } = MEMBERS[at / 8]!;
    return { kind: 'pointer', to: 's', member: `m${at}`, viaUnion, ...(tag === undefined ? {} : { tag }) };
  },
  arguments: (type) => [
    { kind: 'pointer', to: 's', trust: type === 'fentry' ? 'none' : 'trusted', nullable: false },
  ],
};

/**
 * What a load gives, by who vouches for the pointer that is loaded through: outside of unions, then inside. Kernels that were built without tags in their BTF cannot be asked.
 */
const LOADED: Readonly<Record<string, string>> = {
  'trusted, no RCU': 'untrusted untrusted untrusted untrusted | untrusted untrusted untrusted untrusted',
  'trusted, RCU': 'plain rcu-or-null user percpu | untrusted untrusted-or-null untrusted untrusted',
  'protected, RCU': 'plain rcu-or-null user percpu | untrusted untrusted-or-null untrusted untrusted',
  'plain, no RCU': 'plain plain user percpu | untrusted untrusted untrusted untrusted',
  'plain, RCU': 'plain plain user percpu | untrusted untrusted untrusted untrusted',
  'untrusted, no RCU': 'untrusted untrusted untrusted untrusted | untrusted untrusted untrusted untrusted',
};

it('a tag before a pointer says whose memory it leads to, unless nothing vouches for it', () => {
  const found = Object.keys(LOADED).map((row) => {
    const inRcu = row.endsWith(', RCU');
    const items: Item[] = [ldx(8, r7, r1, 0)];
    if (inRcu) items.push(callKfunc(0));
    if (row.startsWith('protected')) items.push(ldx(8, r7, r7, 8), jmp('eq', r7, 0, 'out'));
    if (row.startsWith('untrusted')) items.push(ldx(8, r7, r7, 0));
    const first = items.length;
    for (const i of MEMBERS.keys()) items.push(ldx(8, r3, r7, 8 * i), mov(r2, r3));
    items.push(label('out'));
    if (inRcu) items.push(callKfunc(1));
    items.push(mov(r0, 0), exit());
    const type = row.startsWith('plain') ? 'fentry' : 'iter';
    const program: Program = {
      ...programOf(type, items, { kfuncs: ['bpf_rcu_read_lock', 'bpf_rcu_read_unlock'] }),
      attach: { type: type === 'fentry' ? 24 : 28, target: 'made_up' },
      sleepable: true,
      kernelTypes: MADE_UP,
    };
    const verdict = verify(program, {});
    if (!verdict.ok) return [row, verdict.message];
    const words = MEMBERS.map((_, i) => {
      const [visit] = verdict.facts.at(first + 2 * i + 1);
      const { trust, nullable, percpu, struct } = visit!.state.frames.at(-1)!.regs[3]!;
      const kind = percpu ? 'percpu' : struct === 's __user' ? 'user' : trust === 'none' ? 'plain' : trust;
      return `${kind}${nullable ? '-or-null' : ''}`;
    });
    return [row, `${words.slice(0, 4).join(' ')} | ${words.slice(4).join(' ')}`];
  });
  expect(Object.fromEntries(found)).toEqual(LOADED);
});
