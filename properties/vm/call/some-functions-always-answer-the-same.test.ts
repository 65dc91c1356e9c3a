/**
 * A run stays on its CPU and with its task. Functions that tell of these answer the same at every call of one run, and a replay answers as the
 * run did; clocks and random numbers do not.
 */
import { describe, expect, test } from 'vitest';
import { parseCase } from '../../../src/vm/case/case.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { Vm } from '../../../src/vm/vm.js';
import { lines } from '../../support/vm/text.js';

const STEADY = [
  'bpf_get_smp_processor_id',
  'bpf_get_numa_node_id',
  'bpf_get_current_pid_tgid',
  'bpf_get_current_uid_gid',
  'bpf_get_current_task',
];
/** A task may be moved to another cgroup while the program runs. */
const CHANGING = [
  'bpf_ktime_get_ns',
  'bpf_ktime_get_boot_ns',
  'bpf_jiffies64',
  'bpf_get_prandom_u32',
  'bpf_get_current_cgroup_id',
];

const twice = (name: string) =>
  parseCase(
    `.type kprobe\n.license GPL\n${lines(`call ${name}`, 'r6 = r0', `call ${name}`, 'r6 ^= r0', 'r0 = r6', 'exit')}`,
  ).program;

/** What two calls of one run differ in, for 40 seeds. */
function differences(name: string): readonly bigint[] {
  const program = twice(name);
  return Array.from({ length: 40 }, (_, seed) => {
    const vm = new Vm(program, { chooser: seededChooser(seed) });
    const { r0 } = vm.run();
    expect(new Vm(program, { env: { choices: vm.machine.choices.all } }).run().r0, name).toBe(r0);
    return r0;
  });
}

describe('two calls in one run', () => {
  test.each(STEADY)('of %s answer the same', (name) => {
    expect(differences(name).every((one) => one === 0n)).toBe(true);
  });

  test.each(CHANGING)('of %s need not', (name) => {
    expect(differences(name).some((one) => one !== 0n)).toBe(true);
  });

  test('a case names the answer once', () => {
    const text = (n: number) =>
      `.type kprobe\n.license GPL\n.env smp_processor_id#${n}=3\n    r0 = 0\n    exit\n`;
    expect(parseCase(text(1)).env.choices.get('bpf_get_smp_processor_id#1')).toBe('3');
    expect(() => parseCase(text(2))).toThrow(
      'bpf_get_smp_processor_id answers the same at every call of one run; expected smp_processor_id#1',
    );
  });
});
