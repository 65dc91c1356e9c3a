/**
 * Objects of which each CPU has its own are kept in maps (`__percpu_kptr`) as Linux allows it: put there by bpf_kptr_xchg and taken out again as such,
 * loaded as pointers that are no memory, from which bpf_this_cpu_ptr makes one while an RCU section lasts. What may be done is proven and run.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import { readObject } from '../../../src/object/load.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import { RULE_SETS, shippedRuleSet } from '../../../src/patch/sets/index.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { EMPTY } from '../../../src/vm/state/environment.js';
import { Vm } from '../../../src/vm/vm.js';
import { describeKernel } from '../../support/kernel/skip.js';
import { contradiction, subjectOf } from '../../support/smt/every-kill.js';

const OBJECT = 'corpus/objects/percpu/percpu_kptr.o';
const { programs } = readObject(readFileSync(OBJECT), OBJECT, { targetBtf: 'none' });
const named = (name: string) => programs.find((one) => one.name === name)!;

/** What Linux says against each; '' for nothing. */
const PROGRAMS: Readonly<Record<string, string>> = {
  keeps: '',
  leaks: 'Unreleased reference',
  adds: '',
  of_other_cpu: '',
  as_memory: 'access percpu memory: off=0',
  unasked: 'expected=percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_',
  own: 'expected=percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_',
  dropped_as_one: 'arg#0 expected',
  keeps_one: '',
  keeps_other: 'invalid kptr access',
  stores: 'store to referenced kptr disallowed',
  may_sleep: 'expected=percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_',
  in_section: '',
  behind_section: 'only read is supported',
};
const GOOD = Object.keys(PROGRAMS).filter((name) => PROGRAMS[name] === '');

describe('objects of which each CPU has its own are kept as in Linux', () => {
  it.each(Object.entries(PROGRAMS))('%s', (name, words) => {
    const verdict = verify(named(name));
    expect(verdict.ok).toBe(words === '');
    if (!verdict.ok) expect(verdict.lines.join('\n')).toContain(words);
    // A text says the same.
    const text = printCase({ program: named(name), profile: 'privileged', env: EMPTY, comments: [] });
    const again = verify(parseCase(text).program);
    expect(again.ok || again.message).toBe(verdict.ok || verdict.message);
  });

  it.each(GOOD)('%s: proven, and never broken by a kill', async (name) => {
    const one = subjectOf(named(name));
    for (const rules of RULE_SETS) {
      const proof = await proveProgram(one.program, rules, { maxRuns: 30 });
      if (rules === shippedRuleSet('sound')) expect(proof.verdict, proof.reason).toBe('proven');
      expect(contradiction(one, rules, proof)).toBeUndefined();
    }
  });

  it.each(GOOD)('%s: runs, with what maps begin with and what is put there', (name) => {
    const { program, verified } = subjectOf(named(name));
    const path = fastPath(program, verified.facts, shippedRuleSet('sound')!);
    for (let k = 0; k < 5; k++) {
      const vm = new Vm(program, {
        ...runEnvironment(program, 3, 0, k),
        facts: verified.facts,
        fastPath: path,
      });
      expect(vm.run().violations).toEqual([]);
    }
  });
});

/** Linux reports a bug of its verifier for this one, and refuses it for that. */
const asked = Object.entries(PROGRAMS).filter(([name]) => name !== 'behind_section');

describeKernel('and Linux says the same', () => {
  it.each(asked)('%s', (name, words) => {
    const result = loadProgram(named(name));
    if (result.ok) {
      result.close();
      expect(words).toBe('');
    } else if (result.stage === 'program') {
      expect(words).not.toBe('');
      expect(result.log).toContain(words);
    }
  });
});
