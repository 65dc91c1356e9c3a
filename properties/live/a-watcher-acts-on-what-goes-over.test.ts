/**
 * A watched program that goes over its limits is counted, killed for good, or killed for a while; one that does not is left alone. What is no policy is
 * refused in one line. Nothing here is attached or pinned: the programs run in test runs.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { type ProgramLimits, parsePolicy } from '../../src/live/watch/policy.js';
import { Watcher } from '../../src/live/watch/watcher.js';
import { KILL_SECTION } from '../../src/live/words.js';
import { loadProgram } from '../../src/oracle/load.js';
import { testRun } from '../../src/oracle/testrun.js';
import { here, scratch } from '../support/cli.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { pairOf, programOf } from '../support/live/killable.js';
import { seeded } from '../support/seed.js';

const LIMITS: ProgramLimits = {
  name: 'p',
  program: { fd: 3 },
  kill: { fd: 4 },
  word: 0,
  runTime: 1000,
  action: 'throttle',
  backoff: 5_000,
};

/** Intervals: how long each is, how many runs there are in it, and how long each of them takes. */
const intervals = fc.array(
  fc.record({
    ns: fc.integer({ min: 100, max: 9000 }),
    runs: fc.nat(5),
    each: fc.integer({ min: 1, max: 3000 }),
  }),
  { minLength: 1, maxLength: 30 },
);

/** Feeds a watcher; answers the events, and the word after each look. */
function feed(
  limits: ProgramLimits,
  all: readonly { ns: number; runs: number; each: number }[],
): {
  readonly looks: readonly {
    readonly at: number;
    readonly events: readonly string[];
    readonly word: number;
  }[];
  readonly watcher: Watcher;
} {
  const watcher = new Watcher(limits);
  let [at, runs, runTime, word] = [0n, 0n, 0n, 0];
  const look = (): readonly string[] =>
    watcher
      .look({ at, runs, runTime }, (value) => {
        word = value;
      })
      .map(({ event }) => event);
  look();
  const looks = all.map((one) => {
    at += BigInt(one.ns);
    runs += BigInt(one.runs);
    runTime += BigInt(one.runs * one.each);
    return { events: look(), at: Number(at), word };
  });
  return { looks, watcher };
}

describe('a watcher acts on what goes over', () => {
  it('and only on that', () => {
    fc.assert(
      fc.property(intervals, (all) => {
        const { looks, watcher } = feed({ ...LIMITS, action: 'count' }, all);
        looks.forEach(({ events, word }, i) => {
          const { runs, each } = all[i]!;
          expect(events).toEqual(runs > 0 && each > LIMITS.runTime! ? ['over'] : []);
          expect(word).toBe(0);
        });
        expect(watcher.totals.runs).toBe(all.reduce((sum, { runs }) => sum + runs, 0));
        expect(watcher.totals.over).toBe(looks.filter(({ events }) => events.length > 0).length);
      }),
      seeded(200),
    );
  });

  it('holds a throttled program back for its time, and lets it go at the end', () => {
    fc.assert(
      fc.property(intervals, (all) => {
        const { looks, watcher } = feed(LIMITS, all);
        let since: number | undefined;
        for (const { at, events, word } of looks) {
          if (events.includes('throttled')) since = at;
          if (events.includes('released')) {
            expect(at - since!).toBeGreaterThanOrEqual(LIMITS.backoff);
            since = undefined;
          }
          expect(word).toBe(since === undefined ? 0 : 1);
        }
        let last = since === undefined ? 0 : 1;
        watcher.end((value) => {
          last = value;
        });
        expect(last).toBe(0);
      }),
      seeded(200),
    );
  });

  it('leaves a killed program dead', () => {
    const over = { ns: 1000, runs: 1, each: 2000 };
    const { looks, watcher } = feed({ ...LIMITS, action: 'kill' }, [over, over, over]);
    expect(looks.map(({ events, word }) => [events.join(), word])).toEqual([
      ['over,killed', 1],
      ['', 1],
      ['', 1],
    ]);
    watcher.end(() => expect.unreachable());
  });

  it('by the share of a CPU as well', () => {
    const { runTime: _, ...rest } = LIMITS;
    const { looks } = feed({ ...rest, share: 0.5, action: 'count' }, [
      { ns: 1000, runs: 4, each: 100 },
      { ns: 1000, runs: 6, each: 100 },
    ]);
    expect(looks.map(({ events }) => events)).toEqual([[], ['over']]);
  });
});

describe('a policy', () => {
  const one = { name: 'p', program: { fd: 3 }, kill: { pinned: '/m' }, runTime: '1ms' };

  it('is read as it is written', () => {
    expect(
      parsePolicy(JSON.stringify({ every: '2ms', programs: [{ ...one, action: 'kill', word: 8 }] }), 'f'),
    ).toEqual({
      every: 2,
      programs: [
        {
          name: 'p',
          program: { fd: 3 },
          kill: { pinned: '/m' },
          runTime: 1e6,
          action: 'kill',
          word: 8,
          backoff: 1e9,
        },
      ],
    });
  });

  it.each([
    ['', /no JSON/],
    ['{}', /'programs' must be a list/],
    ['{"programs": [], "evry": 1}', /unknown field 'evry'/],
    [JSON.stringify({ programs: [{ ...one, runTime: '1' }] }), /programs\[0\]\.runTime must be a time/],
    [JSON.stringify({ programs: [{ ...one, runTime: undefined }] }), /has no limit/],
    [
      JSON.stringify({ programs: [{ ...one, action: 'stop' }] }),
      /action must be one of count, kill, throttle/,
    ],
    [JSON.stringify({ programs: [{ ...one, kill: {} }] }), /kill must be \{ "fd"/],
    [JSON.stringify({ programs: [{ ...one, word: 3 }] }), /word must be an offset/],
    [JSON.stringify({ programs: [one, one] }), /two programs are called 'p'/],
    [JSON.stringify({ programs: [{ ...one, limit: '1ms' }] }), /limit needs limitAt/],
  ])('%s is refused', (text, message) => {
    expect(() => parsePolicy(text, 'policy.json')).toThrow(InputError);
    expect(() => parsePolicy(text, 'policy.json')).toThrow(message);
  });
});

const BUSY = `
.type tc
    r1 = 40000
    r2 = func round
    r3 = 0
    r4 = 0
    call bpf_loop
    r0 = 1
    exit
round:
    r0 = 0
    exit
`;

describeKnownKernel('in Linux', () => {
  it('a program that takes too long is killed, and its next run ends at once', async () => {
    const { flat } = pairOf(programOf(BUSY), { entry: true });
    const loaded = loadProgram(flat.program);
    if (!loaded.ok) throw new Error(loaded.message);
    const words = loaded.maps.find(({ def }) => def.name === KILL_SECTION)!;
    const file = join(scratch(), 'policy.json');
    const policy = (runTime: string): void =>
      writeFileSync(
        file,
        JSON.stringify({
          every: '5ms',
          programs: [
            { name: 'busy', program: { fd: loaded.fd }, kill: { fd: words.fd }, runTime, action: 'kill' },
          ],
        }),
      );
    const runs = setInterval(() => testRun(flat.program, loaded), 5);
    try {
      policy('50s');
      const calm = await here(['watch', '--limits', file, '--time', '200ms', '--json']);
      expect(calm.exit).toBe(0);
      expect(JSON.parse(calm.out)).toMatchObject({ programs: [{ name: 'busy', over: 0, kills: 0 }] });
      policy('10us');
      const acted = await here(['watch', '--limits', file, '--time', '300ms']);
      expect(acted.exit).toBe(1);
      const events = acted.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { event: string });
      expect(events.map(({ event }) => event)).toEqual(['over', 'killed']);
      expect(words.lookup(Buffer.alloc(4))![0]).toBe(1);
      const dead = testRun(flat.program, loaded, { repeat: 20 });
      expect(dead).toMatchObject({ ok: true, retval: 1 });
      // 40,000 rounds take far longer.
      expect((dead as { durationNs: number }).durationNs).toBeLessThan(20_000);
    } finally {
      clearInterval(runs);
      loaded.close();
    }
  });

  it('what is no exported map is refused in one line', async () => {
    const file = join(scratch(), 'policy.json');
    writeFileSync(
      file,
      JSON.stringify({
        programs: [{ name: 'p', program: { pinned: '/nowhere' }, kill: { fd: 0 }, runTime: '1ms' }],
      }),
    );
    const ran = await here(['watch', '--limits', file]);
    expect(ran.exit).toBe(2);
    expect(ran.err).toMatch(/^swansong: program 'p': open \/nowhere: ENOENT\n$/);
  });
});
