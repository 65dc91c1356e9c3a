/**
 * Where a rule keeps a call that a stub could have refused, and the call takes long, a program shows it: killed before the call it breaks
 * its bound, and the same run under rules that refuse the call keeps it.
 */
import { describe, expect, test } from 'vitest';
import { replayed } from '../../src/campaign/kill/prepared-program.js';
import { counterexample } from '../../src/campaign/witness/counterexample.js';
import { contractOf } from '../../src/kernel/catalog.js';
import { ruleSet } from '../../src/patch/define.js';
import sound from '../../src/patch/sets/sound.js';
import { parseCase } from '../../src/vm/case/case.js';

const keeps = ruleSet('keeps', []);

/** Functions whose call lasts by its callback, by its rounds, or by itself, and what is said of it. */
const LASTING: readonly (readonly [string, RegExp])[] = [
  ['bpf_loop', /no exit within \d+ insns/],
  ['bpf_for_each_map_elem', /no exit within \d+ insns/],
  ['bpf_find_vma', /no exit within \d+ insns/],
  ['bpf_iter_num_next', /no exit within \d+ insns/],
  ['bpf_tail_call', /runs another program after the kill/],
  ['bpf_timer_cancel', /bpf_timer_cancel may take long, though it could have been refused \(error\)/],
  ['bpf_copy_from_user', /bpf_copy_from_user may take long/],
  ['bpf_trace_printk', /bpf_trace_printk may take long/],
];

const found = new Map<string, string>();

/** The case for this function; '' where none is found. */
function shownBy(name: string): string {
  const text =
    found.get(name) ??
    counterexample({ name: 'sound', rules: keeps }, contractOf(name)!, [], true).small?.text ??
    '';
  found.set(name, text);
  return text;
}

describe.each(LASTING)('%s', (name, says) => {
  test('is shown by a program, which breaks its bound where the call is kept, and says so', () => {
    const one = parseCase(shownBy(name));
    expect(replayed(one, keeps)).toMatchObject({ ok: true, expected: expect.stringMatching(/^bound/) });
    expect(one.comments[0]).toMatch(says);
    const [, kept, refused] = /exit: (?:more than )?(\d+); .*: (\d+)$/.exec(one.comments[1] ?? '')!;
    expect(Number(refused)).toBe(one.bound);
    if (says.source.startsWith('no exit')) expect(Number(kept)).toBeGreaterThan(one.bound!);
  });

  test('keeps its bound to the insn where the call is refused', () => {
    const { expect: _, ...holds } = parseCase(shownBy(name));
    expect(replayed(holds, sound)).toMatchObject({ ok: true, got: 'holds' });
    const tighter = replayed({ ...holds, bound: holds.bound! - 1 }, sound);
    expect(tighter).toMatchObject({ ok: false, got: expect.stringMatching(/^bound/) });
  });
});

const LOCKED = `.type tc
.map m array key=4 value=24 entries=1 spin_lock@0
.kill step=0
.bound 6

    r1 = mapvalue m
    call bpf_spin_lock
    r1 = mapvalue m
    call bpf_spin_unlock
    r0 = 0
    exit
`;

test('a call that cannot be refused may take long within a bound', () => {
  expect(replayed(parseCase(LOCKED), sound)).toMatchObject({ ok: true, got: 'holds' });
  const tighter = replayed({ ...parseCase(LOCKED), bound: 5 }, sound);
  expect(tighter).toMatchObject({ ok: false, got: expect.stringMatching(/^bound/) });
});
