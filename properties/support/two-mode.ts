/** Programs on which a wrong two-mode program shows: each needs one part of it to be right. */
import { rule, ruleSet } from '../../src/patch/define.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import sound from '../../src/patch/sets/sound.js';
import { parseCase } from '../../src/vm/case/case.js';
import { callRounds, lookup } from './texts.js';

export interface Telling {
  /** What would go unnoticed if the two-mode program were built without it. */
  readonly part: string;
  readonly case: ReturnType<typeof parseCase>;
  readonly rules: RuleSet;
}

const MAP = '.map m array key=4 value=8 entries=1';

/** A lookup that cannot miss, whose result is used only for a number that no ordinary run has, neither 99999 nor small. */
const LOOKUP = `
${lookup()}
    if r6 == 99999 goto out
    r1 = *(u64 *)(r0 +0)
out:
    r0 = 0
    exit
`;

const noNumber = rule('the number of the CPU is none')
  .when((f) => f.name === 'bpf_get_smp_processor_id')
  .stub({ r0: -1 });
const allMiss = rule('every lookup misses')
  .when((f) => f.name === 'bpf_map_lookup_elem')
  .stub({ r0: 0 });
const loopRuns = rule('loops run')
  .when((f) => f.name === 'bpf_loop')
  .keep();

const inFunction = `.type xdp
${MAP}

main:
    call bpf_get_smp_processor_id
    r1 = r0
    call use
    r1 = 99999
    call use
    r0 = 2
    exit
use:
    r6 = r1
    if r1 < 9000 goto out
${LOOKUP}`;

const inCallback = `.type xdp
${MAP}

main:
    call bpf_get_smp_processor_id
    *(u64 *)(r10 -8) = r0
    r1 = 1
    r2 = func use
    r3 = r10
    r3 += -8
    r4 = 0
    call bpf_loop
    r1 = 99999
    *(u64 *)(r10 -8) = r1
    r1 = 1
    r2 = func use
    r3 = r10
    r3 += -8
    r4 = 0
    call bpf_loop
    r0 = 2
    exit
use:
    r6 = *(u64 *)(r2 +0)
    if r6 < 9000 goto out
${LOOKUP}`;

const deadRead = `.type xdp

    r1 = 7
    call bpf_get_smp_processor_id
    if r0 < 9000 goto out
    r0 = r1
out:
    r0 = 2
    exit
`;

const filled = `.type tc
.profile strict

    r2 = 0
    r3 = r10
    r3 += -8
    r4 = 8
    call bpf_skb_load_bytes
    r0 = *(u64 *)(r10 -8)
    r0 = 0
    exit
`;

const section = (call: string): string => `.type tc

    call ${call}
    call bpf_ktime_get_ns
    call bpf_rcu_read_unlock
    r0 = 0
    exit
`;

const callee = `.type tc

main:
    call use
    r0 = 0
    exit
use:
    call bpf_rcu_read_lock
    call bpf_rcu_read_unlock
    r0 = 0
    exit
`;

const callback = `.type tc

main:
    r1 = 4
${callRounds()}
    r0 = 0
    exit
round:
    call bpf_rcu_read_lock
    call bpf_ktime_get_ns
    call bpf_rcu_read_unlock
    r0 = 0
    exit
`;

const reads = parseCase;
const naive = shippedRuleSet('naive')!;
const misses = ruleSet('misses', [noNumber, allMiss, loopRuns, ...sound.rules]);

/** On each of these all three judges agree only if the two-mode program is built right in that part. */
export const TELLING: readonly Telling[] = [
  { part: 'stubs stand in for calls', case: reads(section('bpf_rcu_read_lock')), rules: naive },
  { part: 'a kill before every call', case: reads(section('bpf_rcu_read_lock')), rules: naive },
  {
    part: 'registers are gone after a stub',
    case: reads(deadRead),
    rules: ruleSet('no-number', [noNumber, ...sound.rules]),
  },
  { part: 'stubs fill output memory', case: reads(filled), rules: sound },
  { part: 'kills inside functions', case: reads(callee), rules: naive },
  { part: 'patched text calls patched functions', case: reads(inFunction), rules: misses },
  { part: 'patched text gives patched callbacks', case: reads(inCallback), rules: misses },
  { part: 'kills inside callbacks', case: reads(callback), rules: naive },
  { part: 'patched text goes on behind a stub', case: reads(section('bpf_rcu_read_lock')), rules: sound },
];
