/** Rule files as people write them, and random edits of their text. */
import fc from 'fast-check';

/** The files of a rule set, by name; rules.ts is the one that is checked. */
export type RuleFiles = Readonly<Record<string, string>>;

const HEAD = "import { NULL, kfunc, rule, ruleSet } from 'swansong';\nvoid NULL; void kfunc;\n";

/** Ends of a set by which every function is right: what can be refused is, and everything else runs. */
const SOUND = `rule('what can be refused here is refused').at((s) => s.canFail).stub((_, s) => s.failure),
  rule('everything else runs').keep(),`;

/** Rule sets that are right for every function, in the ways in which people write and split them up. */
export const RIGHT: readonly RuleFiles[] = [
  { 'rules.ts': `${HEAD}export default ruleSet('plain', [\n  ${SOUND}\n]);\n` },
  {
    'rules.ts': `${HEAD}import { common } from './common.js';
import { RELEASES } from './lists.js';
export default ruleSet('split', [
  rule('what gives back runs').when((f) => f.releases).keep(),
  ...RELEASES.map((name) => rule(\`\${name} runs\`).when((f) => f.name === name).keep()),
  ...common,
]);
`,
    'common.ts': `${HEAD}import { refuses } from './words.js';
export const common = [
  rule('what can be refused here is refused').at(refuses).stub((_, s) => s.failure),
  rule('everything else runs').keep(),
];
`,
    'words.ts': `import type { SiteView } from 'swansong';
export const refuses = (s: SiteView) => s.canFail;
export const LIMIT = 3;
`,
    'lists.ts': `export const RELEASES = [
  'bpf_sk_release',
  'bpf_ringbuf_submit',
  'bpf_ringbuf_discard',
  'bpf_spin_unlock',
];
`,
  },
  {
    'rules.ts': `${HEAD}const answers = new Map([
  ['bpf_get_prandom_u32', 7],
  ['bpf_ktime_get_ns', 0],
  ['bpf_get_smp_processor_id', 0],
]);
const skipped = (name: string) => answers.has(name);
function made() {
  return [...answers].map(([name, r0]) => rule(\`\${name} answers\`).when((f) => f.name === name).stub({ r0 }));
}
export default ruleSet('made', [
  ...made().slice(0, 1),
  rule('locks are taken').when((f) => f.takesLock && !f.mayReturnNull && !f.returnsInteger).keep(),
  rule('iterators run dry').when((f) => f.iterator === 'next' && !skipped(f.name)).stub({ r0: NULL }),
  ${SOUND}
]);
`,
  },
  {
    'rules.ts': `${HEAD}kfunc({
  proto: 'struct bpf_thing *bpf_thing_get(u64 id)',
  flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
  types: ['xdp', 'tc'],
});
kfunc({
  proto: 'void bpf_thing_put(struct bpf_thing *thing)',
  flags: ['KF_RELEASE'],
  types: ['xdp', 'tc'],
});
export default ruleSet('declares', [
  rule('no thing is found').when((f) => f.name === 'bpf_thing_get').stub({ r0: NULL }),
  rule('things are put').when((f) => f.name === 'bpf_thing_put').keep(),
  ${SOUND}
]);
`,
  },
];

const FUNCTIONS = [
  ...['bpf_spin_lock', 'bpf_spin_unlock', 'bpf_loop', 'bpf_sk_lookup_tcp', 'bpf_sk_release', 'bpf_tail_call'],
  ...['bpf_ringbuf_reserve', 'bpf_map_lookup_elem', 'bpf_thing_get', 'bpf_task_acquire', 'bpf_lop'],
];
const VIEWS = [
  ...['acquires', 'releases', 'takesLock', 'opensSection', 'callsBack', 'blocks', 'mayReturnNull'],
  ...['returnsVoid', 'returnsInteger', 'returnsPointer', 'canFailWithoutEffect'],
];
const STUBS = ['{ r0: 0 }', '{ r0: NULL }', "{ r0: 'void' }", '{ r0: -22 }', '(_, s) => s.failure'];

/** One kind of edit: what of a text it may replace, and by what. */
interface EditKind {
  readonly what: string;
  readonly at: RegExp;
  readonly becomes: (found: string, pick: (words: readonly string[]) => string) => string;
}

const KINDS: readonly EditKind[] = [
  { what: 'a line is gone', at: /^.+\n/gm, becomes: () => '' },
  { what: 'a line is there twice', at: /^.+\n/gm, becomes: (found) => found + found },
  {
    what: 'two lines change places',
    at: /^(.+\n)(.+\n)/gm,
    becomes: (found) => found.split('\n').slice(0, 2).reverse().join('\n').concat('\n'),
  },
  { what: 'a rule is gone', at: /^ *rule\(.*\n/gm, becomes: () => '' },
  { what: 'a function has another name', at: /'bpf_\w+'/g, becomes: (_, pick) => `'${pick(FUNCTIONS)}'` },
  {
    what: 'a list has one name more',
    at: /\[\n? *'bpf_/g,
    becomes: (found, pick) => found.replace('[', `['${pick(FUNCTIONS)}', `),
  },
  {
    what: 'another property is asked',
    at: /\bf\.(?:releases|takesLock|mayReturnNull|returnsInteger)\b/g,
    becomes: (_, pick) => `f.${pick(VIEWS)}`,
  },
  {
    what: 'a condition is turned round',
    at: /=> !?[fs]\.\w+/g,
    becomes: (found) => (found.includes('!') ? found.replace('!', '') : found.replace('=> ', '=> !')),
  },
  { what: 'and becomes or', at: /&&/g, becomes: () => '||' },
  { what: 'equal becomes unequal', at: /===/g, becomes: () => '!==' },
  {
    what: 'a call is stubbed otherwise',
    at: /\.stub\(.*?\)(?=,|\)|$)/gm,
    becomes: (_, pick) => `.stub(${pick(STUBS)})`,
  },
  { what: 'a stub becomes a call that runs', at: /\.stub\(.*?\)(?=,)/g, becomes: () => '.keep()' },
  {
    what: 'a call that runs becomes a stub',
    at: /\.keep\(\)/g,
    becomes: (_, pick) => `.stub(${pick(STUBS)})`,
  },
  { what: 'a condition is gone', at: /\.(?:when|at)\(\([^()]*\) => [^()]*\)/g, becomes: () => '' },
  {
    what: 'a condition is made',
    at: /(?<='\))\.(?:stub|keep)/g,
    becomes: (found, pick) => `.when((f) => f.${pick(VIEWS)})${found}`,
  },
  { what: 'a number is another', at: /\b\d\b/g, becomes: (_, pick) => pick(['0', '1', '2', '-1', '9n']) },
  {
    what: 'a rule is called otherwise',
    at: /rule\('[^']*'\)/g,
    becomes: (found) => found.replace("')", " today')"),
  },
  { what: 'a comment', at: /^/gm, becomes: (_, pick) => pick(['// Text.\n', '/* rule(1) */ ', '\n', '  ']) },
  {
    what: 'only the first of a list',
    at: /\.\.\.(?:common|made\(\))/g,
    becomes: (found) => `${found}.slice(0, 1)`,
  },
  { what: 'a spread is gone', at: /^ *\.\.\..*\n/gm, becomes: () => '' },
  {
    what: 'flags change',
    at: /'KF_\w+'/g,
    becomes: (_, pick) => pick(["'KF_RET_NULL'", "'KF_ACQUIRE'", "'KF_SLEEPABLE'", "'KF_RCU'"]),
  },
  {
    what: 'a type changes',
    at: /\b(?:u64|struct bpf_thing \*)/g,
    becomes: (_, pick) => pick(['u32 ', 'struct bpf_thing *', 'struct task_struct *', 'void ']),
  },
];

/** The kinds of edit, in words. */
export const EDIT_KINDS: readonly string[] = KINDS.map(({ what }) => what);

/** A rule set, the same with up to three edits, and which kinds these are. */
export interface Edited {
  readonly then: RuleFiles;
  readonly now: RuleFiles;
  readonly kinds: readonly string[];
}

interface Stroke {
  readonly file: number;
  readonly kind: number;
  readonly place: number;
  readonly word: number;
}

function applied(
  files: RuleFiles,
  { file, kind, place, word }: Stroke,
): { files: RuleFiles; what: string } | undefined {
  const edit = KINDS[kind % KINDS.length]!;
  // A file in which the edit is possible, from the drawn one on.
  const names = Object.keys(files);
  for (let i = 0; i < names.length; i++) {
    const name = names[(file + i) % names.length]!;
    const text = files[name]!;
    const found = [...text.matchAll(edit.at)];
    if (found.length === 0) continue;
    const match = found[place % found.length]!;
    const to = edit.becomes(match[0], (words) => words[word % words.length]!);
    const changed = text.slice(0, match.index) + to + text.slice(match.index + match[0].length);
    return { files: { ...files, [name]: changed }, what: edit.what };
  }
  return undefined;
}

const stroke: fc.Arbitrary<Stroke> = fc.record({
  file: fc.nat({ max: 7 }),
  kind: fc.nat({ max: KINDS.length - 1 }),
  place: fc.nat({ max: 59 }),
  word: fc.nat({ max: 23 }),
});

/** Rule sets that are right, with one to three random edits. */
export const editedRules: fc.Arbitrary<Edited> = fc
  .tuple(fc.constantFrom(...RIGHT), fc.array(stroke, { minLength: 1, maxLength: 3 }))
  .map(([then, strokes]) => {
    let now = then;
    const kinds: string[] = [];
    for (const one of strokes) {
      const made = applied(now, one);
      if (made === undefined) continue;
      now = made.files;
      kinds.push(made.what);
    }
    return { then, now, kinds };
  });
