/**
 * `--profile` names who loads programs, for which kernel, or both: verdicts and proofs follow it, documents say it, and a campaign that was
 * kept is taken up again under the same one alone.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUILT_IN, type KernelProfile } from '../../src/kernel/profile.js';
import { here, scratch } from '../support/cli.js';
import { describeKernel } from '../support/kernel/skip.js';

const folder = scratch();
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const NESTING: KernelProfile = {
  ...BUILT_IN,
  release: 'nests',
  digest: '0123456789abcdef',
  behaviour: { ...BUILT_IN.behaviour, nestedRcu: true },
};
const nesting = put('nesting, made up.json', JSON.stringify({ profile: NESTING }));

/** For a kernel that nests RCU sections. */
const nested = put(
  'nested.bpf',
  `.type tc
    call bpf_rcu_read_lock
    call bpf_rcu_read_lock
    call bpf_rcu_read_unlock
    call bpf_rcu_read_unlock
    r0 = 0
    exit
`,
);
/** For a kernel that nests RCU sections; under rfc-v1 a lock is skipped and given back all the same. */
const leaking = put(
  'leaking.bpf',
  `.type tc
.map m array key=4 value=16 entries=1 spin_lock@0
    call bpf_rcu_read_lock
    call bpf_rcu_read_lock
    r1 = mapvalue m
    call bpf_spin_lock
    r1 = mapvalue m
    call bpf_spin_unlock
    call bpf_rcu_read_unlock
    call bpf_rcu_read_unlock
    r0 = 0
    exit
`,
);
/** For a loader with CAP_PERFMON. */
const unwritten = put('unwritten.bpf', '.type tc\n    r0 = *(u64 *)(r10 -8)\n    r0 = 0\n    exit\n');

type Json = Record<string, unknown> & { readonly programs: readonly { readonly verdict: string }[] };
const ask = async (args: readonly string[]): Promise<Json> =>
  JSON.parse((await here([...args, '--json'])).out) as Json;
const verdict = async (args: readonly string[]): Promise<string> => (await ask(args)).programs[0]!.verdict;

const by = (profile: string): readonly string[] => ['--profile', profile];

describe('a profile', () => {
  it('of a kernel decides what differs between kernels', async () => {
    expect(await verdict(['verify', nested])).toBe('rejected');
    expect(await verdict(['verify', nested, ...by('built-in')])).toBe('rejected');
    expect(await verdict(['verify', nested, ...by(nesting)])).toBe('accepted');
    expect(await verdict(['prove', nested])).toBe('unknown');
    expect(await verdict(['prove', nested, ...by(nesting)])).toBe('proven');
  });

  it('of a loader decides what differs between loaders, alone or beside that of a kernel', async () => {
    expect(await verdict(['verify', unwritten, ...by('privileged')])).toBe('accepted');
    expect(await verdict(['verify', unwritten, ...by('strict')])).toBe('rejected');
    expect(await verdict(['verify', unwritten, ...by(nesting)])).toBe('accepted');
    for (const both of [`strict,${nesting}`, `${nesting},strict`, 'strict,built-in', 'built-in,strict'])
      expect([both, await verdict(['verify', unwritten, ...by(both)])]).toEqual([both, 'rejected']);
    expect(await verdict(['verify', nested, ...by(`strict,${nesting}`)])).toBe('accepted');
  });

  it('is told by the document', async () => {
    for (const command of ['verify', 'prove']) {
      expect(await ask([command, unwritten])).toMatchObject({
        profile: { kernel: 'built-in', release: 'built-in', digest: 'built-in', loader: null },
      });
      expect(await ask([command, unwritten, ...by(`privileged,${nesting}`)])).toMatchObject({
        profile: { kernel: nesting, release: 'nests', digest: '0123456789abcdef', loader: 'privileged' },
      });
    }
  });

  it('is what a case is replayed, run and shrunk under: its own, or the one that was told', async () => {
    const made = await ask(['prove', leaking, '--rules', 'rfc-v1', ...by(`strict,${nesting}`)]);
    const witness = made.programs[0] as unknown as { readonly witness: { readonly case: string } };
    const file = put('witness.bpf', witness.witness.case);
    expect(witness.witness.case).toContain('.kernel nests 0123456789abcdef nestedRcu=true\n');
    const built = by('built-in');
    const replays = async (...more: readonly string[]): Promise<unknown> =>
      (await ask(['replay', file, ...more])).cases;
    expect(await replays()).toMatchObject([{ ok: true, madeFor: 'nests (0123456789ab)' }]);
    expect(await replays(...built)).toMatchObject([{ ok: false, got: expect.stringContaining('refused') }]);
    expect(await replays(...by(nesting))).toMatchObject([{ ok: true }]);
    expect(await here(['run', file, ...built])).toMatchObject({ exit: 2 });
    const ran = await ask(['run', file]);
    expect(ran).toMatchObject({
      madeFor: 'nests (0123456789ab)',
      killed: [{ checks: [{ check: 'misuse' }] }],
    });
    expect(await verdict(['verify', file])).toBe('accepted');
    expect(await verdict(['verify', file, ...built])).toBe('rejected');
    expect(await verdict(['prove', file, '--rules', 'rfc-v1'])).toBe('refuted');
    const small = join(folder, 'small.bpf');
    expect(await here(['shrink', file, '-o', small, ...built])).toMatchObject({ exit: 2 });
    expect(await here(['shrink', file, '-o', small])).toMatchObject({ exit: 0 });
    expect((await ask(['replay', small])).cases).toMatchObject([{ ok: true }]);
  });

  it('of a loader is told to cases, too', async () => {
    const file = put(
      'unwritten-case.bpf',
      '.type tc\n.profile strict\n    r0 = *(u64 *)(r10 -8)\n    r0 = 0\n    exit\n',
    );
    expect((await ask(['replay', file])).cases).toMatchObject([{ ok: false }]);
    expect((await ask(['replay', file, ...by('privileged')])).cases).toMatchObject([{ ok: true }]);
    expect(await here(['run', file])).toMatchObject({ exit: 2 });
    expect(await here(['run', file, ...by('privileged')])).toMatchObject({ exit: 0 });
  });

  it('is what a campaign that is taken up again must have', async () => {
    const fuzz = (out: string, ...more: readonly string[]): readonly string[] => [
      ...['fuzz', '--seed', '7', '--no-proofs', '--worlds', '1', '--workers', '1'],
      ...['--out', join(folder, out), ...more],
    ];
    expect(await ask([...fuzz('campaign', '--programs', '1'), ...by(nesting)])).toMatchObject({
      programs: 1,
      profile: { kernel: nesting, digest: '0123456789abcdef', loader: 'privileged' },
    });
    expect(await ask([...fuzz('campaign', '--programs', '2'), ...by(nesting)])).toMatchObject({
      programs: 2,
    });
    expect(await here(fuzz('campaign', '--programs', '3'))).toMatchObject({
      exit: 2,
      err: expect.stringContaining('its kernel profile is nests (0123456789ab), not built-in'),
    });
    const same = put('same.json', JSON.stringify({ ...NESTING, behaviour: BUILT_IN.behaviour }));
    expect(await here([...fuzz('campaign', '--programs', '3'), ...by(same)])).toMatchObject({
      exit: 2,
      err: expect.stringContaining('and says something else'),
    });
    expect(await here([...fuzz('campaign', '--programs', '3'), ...by(`strict,${nesting}`)])).toMatchObject({
      exit: 2,
      err: expect.stringContaining('its loader is "privileged", not "strict"'),
    });
  });

  it('tells a campaign what programs may be refused, and is no disagreement then', async () => {
    const helpers = { bpf_map_lookup_elem: [], bpf_get_prandom_u32: [], bpf_ktime_get_ns: [] };
    const poor = put('poor.json', JSON.stringify({ ...NESTING, types: helpers }));
    const fuzz = [
      'fuzz',
      '--seed',
      '7',
      '--programs',
      '24',
      '--no-proofs',
      '--worlds',
      '1',
      '--workers',
      '1',
    ];
    const all = await ask([...fuzz, '--out', join(folder, 'all')]);
    expect(all).toMatchObject({ accepted: 24, disagreementCount: 0 });
    for (const [i, profile] of [poor, 'strict'].entries()) {
      const some = await ask([...fuzz, '--out', join(folder, `some-${i}`), ...by(profile)]);
      expect([profile, some.disagreementCount]).toEqual([profile, 0]);
      expect(some.accepted).toBeLessThan(24);
      expect(some.accepted).toBeGreaterThan(2);
    }
  });
});

describeKernel('the profile of the running kernel', () => {
  const running = { kernel: 'running', digest: expect.stringMatching(/^[0-9a-f]{64}$/), loader: null };

  it('is that of commands that talk to the kernel, unless told', async () => {
    expect(await ask(['verify', unwritten, '--kernel'])).toMatchObject({ profile: running });
    expect(await ask(['verify', unwritten, ...by('running')])).toMatchObject({ profile: running });
    expect(await ask(['verify', unwritten, '--kernel', ...by('built-in')])).toMatchObject({
      profile: { kernel: 'built-in' },
    });
    expect(await ask(['certify', unwritten])).toMatchObject({ profile: running });
    const one = ['--programs', '1', '--workers', '1', '--out'];
    expect(await ask(['agree', 'generated', ...one, join(folder, 'agree')])).toMatchObject({
      profile: running,
    });
    expect(await ask(['fuzz', '--kernel', '--no-proofs', ...one, join(folder, 'fuzz')])).toMatchObject({
      profile: { ...running, loader: 'privileged' },
    });
  });

  it('is what a comparison that is taken up again must have', async () => {
    const one = (...more: readonly string[]): readonly string[] => [
      ...['agree', 'generated', '--workers', '1', '--out', join(folder, 'kept')],
      ...more,
    ];
    expect(await here(one('--programs', '1'))).toMatchObject({ exit: 0 });
    expect(await here(one('--programs', '2', ...by('built-in')))).toMatchObject({
      exit: 2,
      err: expect.stringContaining('not built-in'),
    });
    expect(await here(one('--programs', '2', ...by('strict')))).toMatchObject({
      exit: 2,
      err: expect.stringContaining('its loader is'),
    });
  });
});
