/**
 * Text, JSON, JUnit, SARIF and annotations tell the same things: whatever names and messages hold, readers of each format get them back
 * unharmed, with the place that is known, and the same things fail in all of them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Judged,
  judgedDigest,
  judgedExit,
  judgedKey,
  type Standing,
} from '../../src/report/compare/judged.js';
import { JUDGEMENTS } from '../../src/report/compare/judgements.js';
import { FORMATS, type FormatContext } from '../../src/report/formats/form.js';
import { github } from '../../src/report/formats/github.js';
import { junit } from '../../src/report/formats/junit.js';
import { sarif } from '../../src/report/formats/sarif.js';
import { here, type Ran, scratch, swansong } from '../support/cli.js';
import { parseSarif } from '../support/report/sarif.js';
import { parseWorkflowCommands } from '../support/report/workflow-commands.js';
import { parseXml, type Xml } from '../support/report/xml.js';
import { seeded } from '../support/seed.js';

const STANDINGS: readonly Standing[] = ['holds', 'failed', 'unknown', 'warned', 'left out'];

const words = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  fc.constantFrom(
    'a,b:c=d',
    '::error::',
    '%0A',
    ']]>',
    '<a b="c">&amp;',
    'x\r\ny',
    '\t',
    '\u0000\u001b',
    'ü ß.c',
    '\ud800',
  ),
);
const place = fc.record(
  { file: words, line: fc.integer({ min: 1, max: 9999 }), column: fc.integer({ min: 1, max: 99 }) },
  { requiredKeys: ['file'] },
);
const judged: fc.Arbitrary<Judged> = fc.record(
  {
    of: words,
    name: words,
    standing: fc.constantFrom(...STANDINGS),
    what: words,
    message: words,
    place,
    ms: fc.integer({ min: 0, max: 1e6 }),
  },
  { requiredKeys: ['of', 'name', 'standing', 'what', 'message'] },
);

const contextOf = (all: readonly Judged[], known: readonly Judged[]): FormatContext => ({
  command: 'prove',
  exit: judgedExit(all),
  baseline: known.length > 0,
  isNew: (one) =>
    ['failed', 'unknown'].includes(one.standing) &&
    !known.some((other) => judgedKey(other) === judgedKey(one)),
});

/** A list, and those of them that an earlier run had. */
const lists = fc.array(judged, { maxLength: 8 }).chain((all) => fc.tuple(fc.constant(all), fc.subarray(all)));

const casesIn = (one: Xml): readonly Xml[] =>
  one.name === 'testcase' ? [one] : one.children.flatMap(casesIn);

/** As XML has it: characters that it cannot hold are replaced. */
const holdable = (text: string): string =>
  text.replace(/\p{Cs}/gu, '\ufffd').replace(/[^\t\n\r\u0020-\ufffd]/g, '\ufffd');

describe('whatever is judged', () => {
  it('is JUnit XML with a test case for each, and only what is new is red', () => {
    fc.assert(
      fc.property(lists, ([all, known]) => {
        const context = contextOf(all, known);
        const root = parseXml(junit(all, context));
        expect(root.name).toBe('testsuites');
        const cases = casesIn(root);
        expect(cases).toHaveLength(all.length);
        const red = all.filter(context.isNew);
        const kind = (name: string): readonly Xml[] =>
          cases.filter(({ children }) => children[0]?.name === name);
        expect(kind('failure')).toHaveLength(red.filter(({ standing }) => standing === 'failed').length);
        expect(kind('error')).toHaveLength(red.filter(({ standing }) => standing === 'unknown').length);
        for (const suite of root.children) {
          const count = (name: string): number =>
            suite.children.filter(({ children }) => children[0]?.name === name).length;
          expect(suite.attributes).toMatchObject({
            tests: `${suite.children.length}`,
            failures: `${count('failure')}`,
            errors: `${count('error')}`,
            skipped: `${count('skipped')}`,
          });
        }
        expect(root.attributes.tests).toBe(`${all.length}`);
        const told = [...kind('failure'), ...kind('error')].map(({ attributes, children }) => [
          attributes.name,
          attributes.file,
          children[0]!.attributes.type,
          children[0]!.text,
        ]);
        const expected = red.map((one) =>
          [one.name, one.place?.file, one.what, one.message].map((text) => text && holdable(text)),
        );
        expect(told.map((one) => JSON.stringify(one)).sort()).toEqual(
          expected.map((one) => JSON.stringify(one)).sort(),
        );
      }),
      seeded(150),
    );
  });

  it('is a SARIF log, in which each has its place and keeps its fingerprint', () => {
    fc.assert(
      fc.property(lists, ([all, known]) => {
        const context = contextOf(all, known);
        const [run] = parseSarif(sarif(all, context)).runs;
        expect(run!.results).toHaveLength(all.length);
        run!.results.forEach((result, i) => {
          const one = all[i]!;
          expect(result.partialFingerprints['swansong/v1']).toBe(judgedDigest(one));
          expect(result.message.text).toContain(one.message);
          expect([result.kind, result.level]).toEqual(
            {
              holds: ['pass', 'none'],
              failed: ['fail', 'error'],
              unknown: ['open', 'none'],
              warned: ['fail', 'warning'],
              'left out': ['notApplicable', 'none'],
            }[one.standing],
          );
          if (context.baseline && ['failed', 'unknown'].includes(one.standing))
            expect(result.baselineState).toBe(context.isNew(one) ? 'new' : 'unchanged');
          const at = result.locations?.[0]?.physicalLocation;
          expect(at?.region?.startLine).toBe(one.place?.line);
          if (at !== undefined && !/^\.?\//.test(one.place!.file))
            expect(decodeURIComponent(at.artifactLocation.uri)).toBe(
              one.place!.file.replace(/\p{Cs}/gu, '\ufffd'),
            );
        });
      }),
      seeded(150),
    );
  });

  it('is annotations, which the runner of GitHub reads back', () => {
    fc.assert(
      fc.property(lists, ([all, known]) => {
        const context = contextOf(all, known);
        const commands = parseWorkflowCommands(github(all, context));
        const shown = all.filter(({ standing }) => standing !== 'holds' && standing !== 'left out');
        expect(commands).toHaveLength(shown.length + 1);
        shown.forEach((one, i) => {
          const { kind, properties, message } = commands[i]!;
          expect(kind).toBe(one.standing === 'failed' && context.isNew(one) ? 'error' : 'warning');
          expect(message.endsWith(one.message)).toBe(true);
          expect(properties.title).toBe(`swansong prove: ${one.what}`);
          expect(properties.file).toBe(one.place?.file);
          expect(properties.line).toBe(one.place?.line === undefined ? undefined : `${one.place.line}`);
        });
      }),
      seeded(150),
    );
  });
});

const folder = scratch();
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const LOCK = 'corpus/objects/lock_counter.o';
const CASE = 'corpus/rfc-v1-misuse-bpf_spin_lock-db4fca.bpf';
const WRONG = put('wrong.bpf', readFileSync(CASE, 'utf8').replace('.rules rfc-v1', '.rules sound'));
const LOST = put('lost.bpf', `.rules nobody.ts\n.kill step=0\n.expect leak\n\n    r0 = 0\n    exit\n`);
const REFUSED = put('refused.bpf', '.type xdp\n\n    r0 = *(u64 *)(r3 +0)\n    exit\n');
const RULES = put(
  'my.ts',
  "import { rule, ruleSet } from 'swansong';\nexport default ruleSet('my', [\n  rule('locks').when((f) => f.name === 'bpf_spin_lock').stub({ r0: 'void' }),\n  rule('rest').keep(),\n]);\n",
);

const provedAs = (name: string, verdict: string): string =>
  put(
    name,
    JSON.stringify({
      schema: 'swansong/prove/1',
      programs: [{ file: 'a.o', name: 'x', verdict, reason: '', advice: '', insns: 3, ms: 1 }],
    }),
  );
const [PROVEN, UNKNOWN] = [provedAs('a.json', 'proven'), provedAs('b.json', 'unknown')];

/** Commands that judge, with their exit code and a place that their results name. */
const JUDGED: readonly [args: readonly string[], exit: number, file?: string, line?: number][] = [
  [['prove', LOCK], 0],
  [['prove', LOCK, '--rules', 'rfc-v1'], 1, 'corpus/objects/lock_counter.c', 29],
  [['prove', REFUSED], 3, REFUSED],
  [['verify', LOCK, REFUSED], 1, REFUSED],
  [['compare', PROVEN, UNKNOWN], 1, 'a.o'],
  [['compare', UNKNOWN, PROVEN], 0],
  [['replay', CASE], 0],
  [['replay', WRONG, CASE], 1, WRONG, 8],
  [['rules', 'check', RULES, '--function', 'bpf_spin_lock'], 1, undefined, 3],
  [['fuzz', '--programs', '2', '--workers', '1', '--no-proofs', '--corpus', join(folder, 'c')], 0],
];

/** What each format says of itself. */
async function inAll(args: readonly string[]): Promise<Record<string, Ran>> {
  const runs: Record<string, Ran> = {};
  for (const format of FORMATS) runs[format] = await here([...args, '--format', format]);
  return runs;
}

describe('commands that judge', () => {
  it('are those that have --format', async () => {
    expect(Object.keys(JUDGEMENTS).sort()).toEqual(
      [
        ...new Set(JUDGED.map(([[name, sub]]) => (name === 'rules' ? `${name} ${sub}` : name))),
        'certify',
      ].sort(),
    );
  });

  it.each(JUDGED)('%j', async (args, exit, file, line) => {
    const { text, json, junit: xml, sarif: log, github: annotations, markdown } = await inAll(args);
    for (const ran of [text, json, xml, log, annotations, markdown])
      expect(ran).toMatchObject({ exit, err: '' });
    const same = (out: string): string =>
      out.replace(/"(ms|programsPerSecond|begun|ended|first|last|at)": ("[^"]*T[^"]*Z"|[\d.]+)/g, '');
    expect(same(json!.out)).toBe(same((await here([...args, '--json'])).out));
    const [name, sub] = args;
    const command = name === 'rules' ? `${name} ${sub}` : name!;
    const all = JUDGEMENTS[command]!(JSON.parse(json!.out) as never);
    // The exit code is that of the things that were judged.
    expect(judgedExit(all)).toBe(exit);
    const cases = casesIn(parseXml(xml!.out));
    expect(cases).toHaveLength(all.length);
    expect(all.length).toBeGreaterThan(0);
    const [run] = parseSarif(log!.out).runs;
    expect(run!.invocations[0]).toMatchObject({ executionSuccessful: true, exitCode: exit });
    const commands = parseWorkflowCommands(annotations!.out);
    const open = all.filter(({ standing }) => standing === 'failed' || standing === 'unknown').length;
    expect(commands).toHaveLength(open + 1);
    expect(markdown!.out).toMatch(/^### swansong .*\n\n.*\.\n\n/);
    // A comparison shows what is no worse, too.
    const rows = (markdown!.out.match(/^\|/gm) ?? []).length;
    expect(rows).toBe(command === 'compare' ? all.length + 2 : open === 0 ? 0 : open + 2);
    if (file !== undefined) {
      expect(commands[0]!.properties.file).toBe(file);
      expect(cases.map(({ attributes }) => attributes.file)).toContain(file);
    }
    if (line !== undefined) {
      expect(commands[0]!.properties.line).toBe(`${line}`);
      expect(
        run!.results.map(({ locations }) => locations?.[0]?.physicalLocation.region?.startLine),
      ).toContain(line);
    }
  });

  it('write several formats at once: one is printed, the others are files', async () => {
    const files = ['junit', 'sarif', 'json'].map(
      (format) => [format, join(folder, `out.${format}`)] as const,
    );
    const formats = ['github', ...files.map(([format, file]) => `${format}=${file}`)].join(',');
    const ran = await here(['replay', WRONG, '--format', formats]);
    expect(ran.exit).toBe(1);
    expect(parseWorkflowCommands(ran.out)).toHaveLength(2);
    for (const [format, file] of files)
      expect(readFileSync(file, 'utf8')).toBe((await here(['replay', WRONG, '--format', format])).out);
    const quiet = await here(['replay', WRONG, '--quiet', '--format', `text=${join(folder, 'out.txt')}`]);
    expect(quiet).toEqual({ exit: 1, out: '', err: '' });
    expect(readFileSync(join(folder, 'out.txt'), 'utf8')).toMatch(/^FAILED/);
  });

  it('say in every format why there is no answer', async () => {
    const args = ['prove', join(folder, 'nowhere.o')];
    const { text, json, junit: xml, sarif: log, github: annotations, markdown } = await inAll(args);
    expect(markdown!.out).toContain('Bad input: `');
    for (const ran of [text, json, xml, log, annotations, markdown]) {
      expect(ran!.exit).toBe(2);
      expect(ran!.err).toBe(text!.err);
    }
    expect(text!.out).toBe('');
    const error = text!.err.slice('swansong: '.length, -1);
    expect(JSON.parse(json!.out)).toMatchObject({ schema: 'swansong/error/1', error, file: args[1] });
    expect(casesIn(parseXml(xml!.out))[0]!.children[0]).toMatchObject({ name: 'error', text: error });
    const [run] = parseSarif(log!.out).runs;
    expect(run!.invocations[0]).toMatchObject({
      executionSuccessful: false,
      exitCode: 2,
      toolExecutionNotifications: [{ message: { text: error } }],
    });
    expect(parseWorkflowCommands(annotations!.out)).toMatchObject([
      { kind: 'error', properties: { file: args[1] }, message: error },
    ]);
  });

  it('refuse formats that there are not, and two on standard output', async () => {
    for (const [format, says] of [
      ['xml', /text, json, junit, sarif, github/],
      ['', /text, json/],
      ['junit,sarif', /Only one format/],
      [`junit=${join(folder, 'no', 'such', 'file.xml')}`, /no such file or directory/],
    ] as const) {
      const ran = await here(['replay', CASE, '--format', format]);
      expect(ran).toMatchObject({ exit: 2, err: expect.stringMatching(says) });
    }
    expect(await here(['replay', CASE, '--json', '--format', 'sarif'])).toMatchObject({ exit: 2 });
  });
});

it('one case that cannot be read or whose rules are gone fails alone, in every number of cases', async () => {
  const many = join(folder, 'many');
  mkdirSync(many);
  for (let i = 0; i < 130; i++) writeFileSync(join(many, `${i}.bpf`), readFileSync(CASE));
  writeFileSync(join(many, 'garbage.bpf'), 'garbage');
  writeFileSync(join(many, 'lost.bpf'), readFileSync(LOST));
  const { exit, out } = swansong(['replay', many, '--format', 'junit', '--workers', '2']);
  expect(exit).toBe(1);
  const root = parseXml(out);
  expect(root.attributes).toMatchObject({ tests: '132', failures: '2', errors: '0' });
  const failed = casesIn(root).filter(({ children }) => children.length > 0);
  expect(failed.map(({ attributes: { name, line }, children }) => [name, line, children[0]!.text])).toEqual([
    ['garbage.bpf', '1', expect.stringContaining('expected an insn')],
    ['lost.bpf', undefined, expect.stringContaining('nobody.ts')],
  ]);
});
