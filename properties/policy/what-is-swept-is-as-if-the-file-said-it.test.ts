/**
 * A sweep gives for each combination of values what a policy gives that says these values itself; and it gives all combinations, in the order of the file.
 * Each member that can be swept makes a difference.
 */
import { expect, it } from 'vitest';
import { defaultCosts } from '../../src/cost/default-costs.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { SWEPT } from '../../src/policy/load.js';
import { parsePolicy } from '../../src/policy/policy.js';
import { type Point, sweep } from '../../src/policy/simulate/sweep.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';

const { program } = parseCase(`.type tc
    r1 = 400
    r2 = func each
    r3 = 0
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
each:
    call bpf_get_prandom_u32
    r0 = 0
    exit
`);
const verified = verify(program);
if (!verified.ok) throw new Error(verified.message);
const subjects = {
  programs: [{ program, verified }],
  rules: shippedRuleSet('sound')!,
  costs: { costs: defaultCosts() },
};

/** What the file says unless told. */
const SAID = {
  strategy: 'fast-path',
  cpus: 1,
  watchdog: '100ns',
  kill: '50ns',
  rate: 40_000,
  limit: '600ns',
} as const;
type Said = Readonly<Record<string, number | string>>;

const quoted = (value: number | string): string => (typeof value === 'number' ? String(value) : `"${value}"`);
const fileOf = ({ limit, strategy, cpus, watchdog, kill, rate, clients }: Said, swept: string): string =>
  `[[limit]]
time = "${limit}"
action = "kill"
[simulate]
duration = "2ms"
strategy = ${quoted(strategy!)}
cpus = ${cpus}
watchdog = ${quoted(watchdog!)}
kill = ${quoted(kill!)}
[[simulate.hook]]
name = "h"
work = "1us"
worlds = 2
${clients === undefined ? `rate = ${rate}` : `clients = ${clients}`}
${swept}`;

function simulated(
  said: Said,
  swept: Readonly<Record<string, readonly (number | string)[]>> = {},
): readonly Point[] {
  const rows = Object.entries(swept).map(([name, values]) => `${name} = [${values.map(quoted).join(', ')}]`);
  const policy = parsePolicy(
    fileOf(said, rows.length === 0 ? '' : `[simulate.sweep]\n${rows.join('\n')}\n`),
    'p.toml',
  );
  return sweep(policy, policy.load!, subjects);
}

const VALUES: Readonly<Record<(typeof SWEPT)[number], readonly (number | string)[]>> = {
  strategy: ['none', 'fast-path', 'budget', 'ledger'],
  cpus: [1, 2],
  watchdog: ['0ns', '5us', '40us'],
  kill: ['0ns', '3us'],
  rate: [1_000, 90_000],
  clients: [1, 3],
  limit: ['300ns', '2us', '1ms'],
};

it.each(SWEPT)('%s', (name) => {
  const said: Said = name === 'clients' ? { ...SAID, clients: 2 } : { ...SAID };
  const points = simulated(said, { [name]: VALUES[name] });
  expect(points.map(({ values }) => values)).toEqual(VALUES[name].map((value) => ({ [name]: value })));
  const alone = VALUES[name].map((value) => simulated({ ...said, [name]: value })[0]!.hooks);
  expect(points.map(({ hooks }) => hooks)).toEqual(alone);
  // It makes a difference at all.
  expect(new Set(alone.map((hooks) => JSON.stringify(hooks))).size).toBeGreaterThan(1);
});

it('two at once', () => {
  const points = simulated(SAID, { watchdog: VALUES.watchdog, limit: VALUES.limit });
  const both = VALUES.watchdog.flatMap((watchdog) => VALUES.limit.map((limit) => ({ watchdog, limit })));
  expect(points.map(({ values }) => values)).toEqual(both);
  for (const [i, values] of both.entries())
    expect(points[i]!.hooks).toEqual(simulated({ ...SAID, ...values })[0]!.hooks);
});
