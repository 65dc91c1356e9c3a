/** Tests that hold the programs of a room against what Linux said of them. */
import { describe, expect, it } from 'vitest';
import { verify } from '../../../src/verifier/verify.js';
import { describeKnownKernel } from '../kernel/skip.js';
import { known, linux, meetingsIn, nameOf, ours, type Room } from './meetings.js';

/** Every so many programs are asked of the running kernel, and verified with facts. */
const ONE_IN = 9;

export function judged(room: Room, statement: string): void {
  const verdicts = known(room);
  const all = meetingsIn(room);
  const meetings = all.filter((meeting) => verdicts.has(nameOf(meeting)));

  describe(statement, () => {
    it('the verdict, the insns walked and the states kept', () => {
      expect(meetings).toHaveLength(verdicts.size);
      const wrong: string[] = [];
      for (const meeting of meetings) {
        const said = ours(verify(meeting.program, { facts: false, profile: meeting.profile, budget: 5000 }));
        const wanted = verdicts.get(nameOf(meeting))!.ours;
        if (said !== wanted) wrong.push(`${nameOf(meeting)}: ${said}, not ${wanted}`);
      }
      expect(wrong.slice(0, 10)).toEqual([]);
    });

    it('both verdicts are given, and paths are cut short and walked on', () => {
      const words = [...verdicts.values()].map(({ linux }) => linux.split(' '));
      expect(words.filter(([word]) => word === 'loads').length).toBeGreaterThan(verdicts.size / 10);
      expect(words.filter(([word]) => word === 'refused').length).toBeGreaterThan(verdicts.size / 10);
      expect(new Set(words.map(([, walked]) => walked)).size).toBeGreaterThan(10);
    });

    it('and no other verdict with facts', () => {
      for (let i = 0; i < meetings.length; i += ONE_IN) {
        const meeting = meetings[i]!;
        const verdict = verify(meeting.program, { profile: meeting.profile, budget: 5000 });
        expect([nameOf(meeting), verdict.ok]).toEqual([
          nameOf(meeting),
          verdicts.get(nameOf(meeting))!.ours.startsWith('loads'),
        ]);
      }
    });
  });

  describeKnownKernel(`${statement}: the running kernel says the same`, () => {
    it(`one in ${ONE_IN}`, () => {
      let asked = 0;
      for (let i = 0; i < meetings.length; i += ONE_IN) {
        const said = linux(meetings[i]!);
        if (said === undefined) continue;
        asked++;
        const wanted = verdicts.get(nameOf(meetings[i]!))!.linux;
        expect([nameOf(meetings[i]!), said]).toEqual([nameOf(meetings[i]!), wanted]);
      }
      expect(asked).toBeGreaterThan(meetings.length / ONE_IN / 2);
    });
  });
}
