/** Sections: RCU, preemption off, interrupts off. Nested in order, closed on every way out. */
import fc from 'fast-check';
import { add, mov, r1, r10 } from '../../src/isa/build.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided } from '../compile/frame.js';
import { type Fragment, fragment } from '../fragment.js';
import type { Body } from './values.js';

export type SectionName = 'rcu' | 'preempt' | 'irq';

/** Opens a section, writes `inner`, closes it. Throws Elided where the section cannot be opened. */
export function emitSection(c: Compiler, name: SectionName, inner: () => void): void {
  const { context } = c;
  switch (name) {
    case 'rcu':
      // Linux 6.18 refuses RCU sections that are nested; leaving one spoils what only RCU protects.
      if (context.rcu || context.rcuPinned) throw new Elided('already in an RCU section');
      c.call('bpf_rcu_read_lock');
      c.holding(() => c.callUnchecked('bpf_rcu_read_unlock'), inner, { rcu: true });
      return;
    case 'preempt':
      c.call('bpf_preempt_disable');
      c.holding(() => c.callUnchecked('bpf_preempt_enable'), inner, { preempt: context.preempt + 1 });
      return;
    case 'irq': {
      const slot = c.takeStack(8);
      c.emit(mov(r1, r10), add(r1, slot));
      c.call('bpf_local_irq_save');
      const close = () => {
        c.emit(mov(r1, r10), add(r1, slot));
        c.callUnchecked('bpf_local_irq_restore');
      };
      c.holding(close, inner, { irq: context.irq + 1 });
      c.giveStack(slot, 8);
    }
  }
}

/** An RCU, preemption or IRQ section around `body`. */
export function sectionArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({ name: fc.constantFrom<SectionName[]>('rcu', 'preempt', 'irq'), body })
    .map(({ name, body }) =>
      fragment(`${name} section`, body, (c) => emitSection(c, name, () => c.body(body))),
    );
}

/** Sections one inside the other, up to four deep: states of interrupts that are saved are given back in order. */
export function nestedSectionsArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      names: fc.array(fc.constantFrom<SectionName[]>('irq', 'irq', 'preempt'), {
        minLength: 2,
        maxLength: 4,
      }),
      body,
    })
    .map(({ names, body }) =>
      fragment('nested sections', body, (c) => {
        const open = (n: number): void => {
          if (n === names.length) c.body(body);
          else emitSection(c, names[n]!, () => open(n + 1));
        };
        open(0);
      }),
    );
}
