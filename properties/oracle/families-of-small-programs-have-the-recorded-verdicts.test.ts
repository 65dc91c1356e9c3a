/** What is kept of Linux's verdicts on families of small programs is what the running kernel says, where it is a Linux 6.18. */
import { expect, it } from 'vitest';
import { BUILT_IN, type KernelProfile, LAXEST } from '../../src/kernel/profile.js';
import type { Program } from '../../src/object/program.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { mayCrashLinux } from '../../src/oracle/danger.js';
import { runningProfile } from '../../src/oracle/profile/running.js';
import type { Profile } from '../../src/verifier/state/profile.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { FAMILIES } from '../support/verifier/families.js';
import {
  type Family,
  hasReason,
  type Letters,
  PROFILES,
  type Row,
  record,
  recorded,
} from '../support/verifier/family.js';

const RECORD = process.env.SWANSONG_RECORD === '1';
/** Of a long family only some rows are asked about, unless all are to be recorded. */
const SOME = 120;

function letters(
  family: Family,
  { program: programOf, strictToo, name }: Row,
  judge: KernelJudge,
  profile: Profile,
): string {
  return family.columns
    .map((column) => {
      const program = programOf(column);
      if (program === undefined || (profile === 'strict' && !strictToo(column))) return '.';
      if (mayCrashLinux(program, profile) !== undefined) return '-';
      const { accepted, judged, message, errno } = judge.judge(program);
      // Programs of some types are for everyone with capabilities only.
      if (!accepted && !judged && !(profile === 'strict' && errno === 'EPERM'))
        throw new Error(`${name}: the kernel could not be asked: ${message ?? ''}`);
      if (!accepted) return '-';
      const ours = verify(program, { profile, facts: false });
      return !ours.ok && hasReason(family, ours, program) ? 's' : '+';
    })
    .join('');
}

function rowsOf({ rows }: Family): readonly Row[] {
  const step = RECORD ? 1 : Math.ceil(rows.length / SOME);
  return rows.filter((_, i) => i % step === 0);
}

function asked(family: Family): ReadonlyMap<string, Letters> {
  const judges = PROFILES.map(
    (profile) => [profile, new KernelJudge({ strictCaps: profile === 'strict', explain: false })] as const,
  );
  try {
    return new Map(
      rowsOf(family).map((row) => [
        row.name,
        Object.fromEntries(
          judges.map(([profile, judge]) => [profile, letters(family, row, judge, profile)]),
        ) as Record<Profile, string>,
      ]),
    );
  } finally {
    for (const [, judge] of judges) judge.close();
  }
}

/** What the running kernel says otherwise than was recorded, but for what its profile tells: a line for each program. */
function otherwise(family: Family, found: ReadonlyMap<string, Letters>): readonly string[] {
  const kept = recorded(family);
  return rowsOf(family).flatMap((row) =>
    PROFILES.flatMap((profile) =>
      family.columns.flatMap((column, i) => {
        const [here, there] = [found, kept].map((letters) => letters.get(row.name)?.[profile][i]);
        if (here === there) return [];
        const program = row.program(column);
        if (program !== undefined && isToldByProfile(program, profile, here !== '-', runningProfile()))
          return [];
        return [`${profile}: ${row.name}, ${column}: ${here}, not ${there}`];
      }),
    ),
  );
}

/** The kernel of this profile accepts or refuses the program otherwise than the built-in one, and the profile says so. */
function isToldByProfile(
  program: Program,
  profile: Profile,
  accepts: boolean,
  kernel: KernelProfile,
): boolean {
  const usual = verify(program, { profile, facts: false });
  const told = verify(program, { profile, facts: false, kernel });
  return usual.ok !== told.ok && told.ok === accepts;
}

it('a verdict is told by a profile where that says so, and nowhere else', () => {
  const nested = parseCase(
    '.type tc\ncall bpf_rcu_read_lock\ncall bpf_rcu_read_lock\ncall bpf_rcu_read_unlock\ncall bpf_rcu_read_unlock\nr0 = 0\nexit\n',
  ).program;
  const plain = parseCase('.type tc\nr0 = 0\nexit\n').program;
  expect(isToldByProfile(nested, 'privileged', true, LAXEST)).toBe(true);
  expect(isToldByProfile(nested, 'privileged', false, LAXEST)).toBe(false);
  expect(isToldByProfile(nested, 'privileged', true, BUILT_IN)).toBe(false);
  for (const accepts of [true, false])
    expect(isToldByProfile(plain, 'privileged', accepts, LAXEST)).toBe(false);
});

describeKnownKernel('families of small programs have the recorded verdicts', () => {
  it.each(FAMILIES.map((family) => [family.name, family] as const))(
    '%s',
    { timeout: 60_000 },
    (_, family) => {
      const found = asked(family);
      if (RECORD) record(family, found);
      expect(otherwise(family, found)).toEqual([]);
    },
  );
});
