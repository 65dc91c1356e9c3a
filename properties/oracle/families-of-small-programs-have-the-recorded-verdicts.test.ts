/** What is kept of Linux's verdicts on families of small programs is what the running kernel says, where it is a Linux 6.18. */
import { expect, it } from 'vitest';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { mayCrashLinux } from '../../src/oracle/danger.js';
import type { Profile } from '../../src/verifier/state/profile.js';
import { STRICTER } from '../../src/verifier/stricter.js';
import { verify } from '../../src/verifier/verify.js';
import { describeKernel, messagesKnown } from '../support/kernel/skip.js';
import { FAMILIES } from '../support/verifier/families.js';
import {
  type Family,
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
  columns: readonly string[],
  { program: programOf, strictToo, name }: Row,
  judge: KernelJudge,
  profile: Profile,
): string {
  return columns
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
      return !ours.ok && STRICTER.some((words) => words.test(ours.message)) ? 's' : '+';
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
          judges.map(([profile, judge]) => [profile, letters(family.columns, row, judge, profile)]),
        ) as Record<Profile, string>,
      ]),
    );
  } finally {
    for (const [, judge] of judges) judge.close();
  }
}

describeKernel('families of small programs have the recorded verdicts', () => {
  it.skipIf(!messagesKnown()).each(FAMILIES.map((family) => [family.name, family] as const))(
    '%s',
    { timeout: 60_000 },
    (_, family) => {
      const found = asked(family);
      if (RECORD) record(family, found);
      const kept = recorded(family);
      expect(found).toEqual(new Map([...found.keys()].map((row) => [row, kept.get(row)])));
    },
  );
});
