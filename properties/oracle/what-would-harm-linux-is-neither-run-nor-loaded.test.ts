/** What must not be run or loaded at all, as whole lists: helpers, kfuncs and program types without a test run, and loads that crash a kernel. */
import { describe, expect, it } from 'vitest';
import { callHelper, callKfunc, exit, jmp, mov, r0, r1, r2, r3, r6, r10, st } from '../../src/isa/build.js';
import type { Op } from '../../src/isa/insn.js';
import { type Item, label } from '../../src/isa/label.js';
import { type MapDef, PROG_TYPES, type Program, type ProgType } from '../../src/object/program.js';
import { mayCrashLinux } from '../../src/oracle/danger.js';
import { refuseToRun } from '../../src/oracle/testrun.js';
import { verify } from '../../src/verifier/verify.js';
import { arrayMap, kernelCase, stackPointer } from '../support/kernel/case.js';
import { programOf } from '../support/kernel/programs.js';

describe('what is never run', () => {
  it('helpers and kfuncs that reach beyond the program', () => {
    const helpers = Array.from({ length: 260 }, (_, id) => id).filter(
      (id) => refuseToRun(programOf('xdp', [callHelper(id), exit()])) !== undefined,
    );
    expect(helpers).toEqual([13, 36, 58, 109, 116, 117, 124, 166, 168]);
    for (const name of [
      'crash_kexec',
      'bpf_send_signal_task',
      'bpf_sock_destroy',
      'bpf_sk_assign_tcp_reqsk',
      'bpf_task_work_schedule_signal_impl',
      'bpf_task_work_schedule_resume_impl',
      'bpf_ct_insert_entry',
      'bpf_ct_change_status',
      'bpf_ct_change_timeout',
      'bpf_set_dentry_xattr',
      'bpf_remove_dentry_xattr',
    ])
      expect(
        refuseToRun(programOf('syscall', [mov(r0, 0), callKfunc(0), exit()], { kfuncs: [name] })),
      ).toMatch(new RegExp(`^insn 1: ${name} `));
    expect(
      refuseToRun(programOf('syscall', [callKfunc(0), exit()], { kfuncs: ['bpf_rcu_read_lock'] })),
    ).toBeUndefined();
    // The number of a helper is no danger in another call.
    expect(refuseToRun(programOf('syscall', [callKfunc(13), mov(r1, 13), exit()]))).toBeUndefined();
  });

  it('types without a test run', () => {
    const run: readonly ProgType[] = [
      'xdp',
      'tc',
      'action',
      'socket_filter',
      'cgroup_skb',
      'lwt_in',
      'lwt_out',
      'lwt_xmit',
      'flow_dissector',
      'netfilter',
      'syscall',
      'raw_tracepoint',
      'sk_lookup',
    ];
    for (const type of PROG_TYPES)
      expect(refuseToRun(programOf(type, [mov(r0, 0), exit()]))).toBe(
        run.includes(type) ? undefined : `the kernel has no test run for ${type} programs`,
      );
  });
});

describe('what is never loaded', () => {
  const workMap: MapDef = { ...arrayMap(16), fields: [{ kind: 'wq', offset: 0, size: 16 }] };
  /** bpf_wq_init on a value of the map, with `second` as its map. */
  const work = (second: (names: { map(reg: typeof r2, def: MapDef): Op }) => Item[]): Program =>
    kernelCase('danger: wq', 'tc', {}, (names) => [
      st(4, r10, -4, 0),
      names.map(r1, workMap),
      ...stackPointer(r2, -4),
      callHelper(1),
      jmp('eq', r0, 0, 'out'),
      mov(r1, r0),
      ...second(names),
      mov(r3, 0),
      names.kfunc('bpf_wq_init'),
      label('out'),
      mov(r0, 0),
      exit(),
    ]).program;

  it('bpf_wq_init with anything that is not the map of its work queue', () => {
    const crash = 'where bpf_wq_init is given another map than that of the work queue';
    expect(
      mayCrashLinux(
        work(({ map }) => [map(r2, workMap)]),
        'privileged',
      ),
    ).toBeUndefined();
    expect(
      mayCrashLinux(
        work(({ map }) => [map(r2, { ...workMap, name: 'other' })]),
        'privileged',
      ),
    ).toBe(crash);
    expect(
      mayCrashLinux(
        work(() => [mov(r2, r10)]),
        'privileged',
      ),
    ).toBe(crash);
    // What is refused before the call never comes so far.
    expect(
      mayCrashLinux(
        work(() => [mov(r2, r6)]),
        'privileged',
      ),
    ).toBeUndefined();
  });

  it('an exception callback behind a function that is never called', () => {
    const thrown = (before: boolean, called: boolean): Program => {
      const { program } = kernelCase('danger: throws', 'tc', { globals: ['after'] }, ({ kfunc }) => [
        mov(r6, 0),
        ...(before && called
          ? [{ kind: 'linked', op: { kind: 'call', target: 'subprog', imm: 0 }, target: 'idle' } as const]
          : []),
        // A branch that is never taken hides the call from the walk.
        ...(before && !called
          ? [
              jmp('eq', r6, 0, 'on'),
              { kind: 'linked', op: { kind: 'call', target: 'subprog', imm: 0 }, target: 'idle' } as const,
              label('on'),
            ]
          : []),
        mov(r1, 0),
        kfunc('bpf_throw'),
        exit(),
        ...(before ? [label('idle'), mov(r0, 0), exit()] : []),
        label('after'),
        mov(r0, 0),
        exit(),
      ]);
      const last = program.insns.length - 2;
      const subprogs = [
        ...program.subprogs.filter(({ start }) => start < last),
        { name: 'after', start: last, linkage: 'global', exceptionCallback: true } as const,
      ];
      return { ...program, subprogs };
    };
    for (const program of [thrown(false, false), thrown(true, true), thrown(true, false)])
      expect(verify(program, { profile: 'privileged' })).toMatchObject({ ok: true });
    expect(mayCrashLinux(thrown(false, false), 'privileged')).toBeUndefined();
    expect(mayCrashLinux(thrown(true, true), 'privileged')).toBeUndefined();
    expect(mayCrashLinux(thrown(true, false), 'privileged')).toBe(
      'where a function in front of the exception callback is never called',
    );
    // Without an exception callback there is nothing to lose.
    const { subprogs, ...rest } = thrown(true, false);
    expect(
      mayCrashLinux(
        { ...rest, subprogs: subprogs.map(({ exceptionCallback: _, ...one }) => one) },
        'privileged',
      ),
    ).toBeUndefined();
  });
});
