/**
 * What each shipped rule set does with each function, and in what words rules see the function: pinned in full in shipped-rules.txt
 * (rewritten by `vitest -u`; read the difference), and held against the posted rules as they are stated below, from the kernel's tables alone.
 */
import { expect, test } from 'vitest';
import { contracts } from '../../src/kernel/catalog.js';
import type { Contract, Guard, Outcome } from '../../src/kernel/contract.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';
import type { Action, RuleSet, Stub } from '../../src/patch/rule.js';
import { decide } from '../../src/patch/select.js';
import { RULE_SETS } from '../../src/patch/sets/index.js';
import { functionView, siteView } from '../../src/patch/view.js';

const guardText = (guard: Guard): string => ('arg' in guard ? `${guard.kind} ${guard.arg}` : guard.kind);

interface Situation {
  /** `key_may_miss, not map_of_sockets`; '' for a function without guards. */
  readonly name: string;
  readonly enabled: readonly Outcome[];
}

/** Each way in which the guards of a function can stand, and the outcomes that are possible then. */
function situations(contract: Contract): readonly Situation[] {
  const names = [...new Set(contract.outcomes.flatMap(({ guard }) => (guard ? [guardText(guard)] : [])))];
  return Array.from({ length: 1 << names.length }, (_, bits) => {
    const holds = (name: string): boolean => (bits & (1 << names.indexOf(name))) !== 0;
    const enabled = contract.outcomes.filter(({ guard }) => {
      if (guard === undefined) return true;
      return holds(guardText(guard)) === (guard.kind === 'map_of_sockets' ? guard.is : true);
    });
    return { name: names.map((name) => (holds(name) ? name : `not ${name}`)).join(', '), enabled };
  });
}

function stubText({ r0, writes, slots }: Stub): string {
  const parts = [
    `r0=${r0}`,
    ...writes.map((arg) => `writes ${arg}`),
    ...slots.map(({ arg, as }) => `slot ${arg}=${as}`),
  ];
  return parts.join(' ');
}

const actionText = (action: Action): string => (action.kind === 'stub' ? stubText(action.stub) : action.kind);

function decisions(rules: RuleSet, contract: Contract): string {
  const lines = situations(contract).map(({ name, enabled }) => {
    const { rule, action } = decide(rules, functionView(contract), siteView(contract, 3, enabled));
    return [name, `${actionText(action)} by '${rule?.name}'`] as const;
  });
  const different = new Set(lines.map(([, what]) => what));
  if (different.size === 1) return `  ${rules.name}: ${lines[0]![1]}`;
  return lines.map(([name, what]) => `  ${rules.name}, ${name}: ${what}`).join('\n');
}

/** The words of a view that are true, or that have a value. */
function viewText(contract: Contract): string {
  const view = functionView(contract);
  const words = (
    [
      'returnsVoid',
      'returnsInteger',
      'returnsPointer',
      'mayReturnNull',
      'acquires',
      'releases',
      'takesLock',
      'opensSection',
      'callsBack',
      'blocks',
      'canFailWithoutEffect',
    ] as const
  ).filter((word) => view[word]);
  return [
    ...words,
    ...(view.iterator === undefined ? [] : [`iterator=${view.iterator}`]),
    ...(view.canFailWithoutEffect ? [`failure: ${stubText(view.failure)}`] : []),
  ].join(', ');
}

test('the table of all functions', async () => {
  const text = contracts()
    .map((contract) =>
      [
        `${contract.name}: ${contract.kind}, ${contract.ret} ${contract.flags.join(' ')}`.trim(),
        `  seen as ${viewText(contract)}`,
        ...RULE_SETS.map((rules) => decisions(rules, contract)),
        '',
      ].join('\n'),
    )
    .join('\n');
  await expect(text).toMatchFileSnapshot('../support/patch/shipped-rules.txt');
});

/** What a posted series does with a function, by what the kernel's tables say of it: `keep`, or r0 of the stub. */
type Posted = (name: string, ret: string, kfuncFlags: readonly string[] | undefined) => string;

const V1_SKIPPED =
  `get_smp_processor_id jiffies64 get_func_arg get_func_ret get_func_arg_cnt get_func_ip get_branch_snapshot kptr_xchg
  map_lookup_elem trace_printk spin_unlock ringbuf_submit ringbuf_discard`
    .split(/\s+/)
    .map((name) => `bpf_${name}`);

const nullable: Posted = (name, ret, flags) => {
  // x86 inlines it, so there is no call.
  if (name === 'bpf_kptr_xchg') return 'keep';
  const mayBeNull = flags === undefined ? ret.includes('OR_NULL') : flags.includes('KF_RET_NULL');
  return mayBeNull ? '0' : 'keep';
};

const POSTED: Readonly<Record<string, Posted>> = {
  'rfc-v1': (name, ret, flags) => {
    if (flags !== undefined || V1_SKIPPED.includes(name)) return 'keep';
    const [base] = ret.split(/[<+]/);
    if (base === 'RET_VOID') return '0';
    if (base === 'RET_INTEGER') return '-1';
    return base === 'RET_PTR_TO_MAP_VALUE_OR_NULL' ? '0' : 'keep';
  },
  'rfc-v2': (name, ...of) => (name === 'bpf_loop' ? '1' : nullable(name, ...of)),
  'rfc-v3': (name, ...of) => (name === 'bpf_loop' ? '0' : nullable(name, ...of)),
};

const rowOf = new Map<string, readonly [ret: string, flags: readonly string[] | undefined]>([
  ...HELPERS.map(({ name, ret }) => [name, [ret, undefined]] as const),
  ...KFUNCS.map(({ name, ret, flags }) => [name, [ret, flags]] as const),
]);

test.each(Object.keys(POSTED))('%s does what the posting says, by the tables of the kernel', (name) => {
  const rules = RULE_SETS.find((set) => set.name === name)!;
  for (const contract of contracts()) {
    const [ret, flags] = rowOf.get(contract.name)!;
    const expected = POSTED[name]!(contract.name, ret, flags);
    for (const { enabled } of situations(contract)) {
      const { action } = decide(rules, functionView(contract), siteView(contract, -1, enabled));
      const does = action.kind === 'stub' ? String(action.stub.r0) : action.kind;
      expect([contract.name, does]).toEqual([contract.name, expected]);
      if (action.kind === 'stub') expect([...action.stub.writes, ...action.stub.slots]).toEqual([]);
    }
  }
});

test('naive keeps just what the kernel flags as releasing, and returns 0 or nothing for the rest', () => {
  const rules = RULE_SETS.find((set) => set.name === 'naive')!;
  const marked = new Map(
    HELPERS.map(({ name, args }) => [name, args.some((arg) => arg.includes('OBJ_RELEASE'))]),
  );
  for (const contract of contracts()) {
    const [ret, flags] = rowOf.get(contract.name)!;
    const releases = flags === undefined ? marked.get(contract.name)! : flags.includes('KF_RELEASE');
    const expected = releases ? 'keep' : /^(RET_VOID|void)$/.test(ret) ? 'void' : '0';
    const { action } = decide(rules, functionView(contract), siteView(contract, -1, contract.outcomes));
    expect([contract.name, action.kind === 'stub' ? String(action.stub.r0) : action.kind]).toEqual([
      contract.name,
      expected,
    ]);
  }
});

/** Takes nothing, gives nothing back, needs no time, and leaves nothing that a stub could not write. */
function harmless({ r0, effects, blocks }: Outcome): boolean {
  const writable = effects.every(
    (e) =>
      e.kind === 'write' ||
      e.kind === 'invalidate_packet' ||
      (e.kind === 'init_dynptr' && e.null === true) ||
      (e.kind === 'callback' && e.times === 'none') ||
      (e.kind === 'iter_next' && e.to === 'drained'),
  );
  return writable && blocks !== true && r0.kind !== 'pointer';
}

test('sound stubs a call just where some outcome is harmless, and leaves what that outcome leaves', () => {
  const rules = RULE_SETS.find((set) => set.name === 'sound')!;
  for (const contract of contracts()) {
    for (const { name, enabled } of situations(contract)) {
      const { action } = decide(rules, functionView(contract), siteView(contract, -1, enabled));
      const [first] = enabled.filter(harmless);
      expect([contract.name, name, action.kind]).toEqual([
        contract.name,
        name,
        first === undefined ? 'keep' : 'stub',
      ]);
      if (action.kind !== 'stub' || first === undefined) continue;
      const { r0, writes, slots } = action.stub;
      const args = (kind: string): readonly number[] =>
        first.effects.flatMap((e) => (e.kind === kind && 'arg' in e ? [e.arg] : []));
      expect([contract.name, writes, slots.map(({ arg }) => arg)]).toEqual([
        contract.name,
        args('write'),
        args('init_dynptr'),
      ]);
      if (first.r0.kind === 'void') expect([contract.name, r0]).toEqual([contract.name, 'void']);
      else if (first.r0.kind === 'null') expect([contract.name, r0]).toEqual([contract.name, 0n]);
      else if (first.r0.kind === 'scalar' && r0 !== 'void') {
        const { min, max } = first.r0;
        expect([contract.name, r0 >= min && r0 <= max]).toEqual([contract.name, true]);
      }
    }
  }
});
