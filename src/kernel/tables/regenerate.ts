/**
 * Makes the tables of another kernel out of those that are there: prototypes from its BTF, flags and program types from its sources where they
 * are given, and all else as it was. What neither says is not guessed: such a function gets no row, and a note says what is missing.
 */
import { comparable, type Prototype, prototypeOf } from '../../object/btf/declare.js';
import type { Btf } from '../../object/btf/read.js';
import type { ProgType } from '../../object/program.js';
import type { KfuncFlags } from '../declare/c/kfuncs.js';
import { LETTERS } from './rows.js';

/** The lines of helpers.ts and kfuncs.ts; rows.ts has the columns. */
export interface Tables {
  readonly helpers: readonly string[];
  readonly kfuncs: readonly string[];
}

/** Tables, and a sentence for each change and for each thing that is still to be said. */
export interface Regenerated extends Tables {
  readonly notes: readonly string[];
}

/** The tables of the kernel with this BTF, whose sources have these lines of flags. Throws InputError for BTF that makes no sense. */
export function regenerate(
  base: Tables,
  btf: Btf,
  flags: ReadonlyMap<string, KfuncFlags> = new Map(),
): Regenerated {
  const notes: string[] = [];
  const known = new Map(base.kfuncs.map((line) => [nameOf(line), line]));
  const kfuncs = base.kfuncs.map((line) => refreshed(line, btf, flags, notes));
  for (const name of namesIn(btf, flags)) {
    if (known.has(name)) continue;
    const line = added(name, btf, flags, notes);
    if (line === undefined) continue;
    const at = kfuncs.findIndex((other) => nameOf(other) > name);
    kfuncs.splice(at < 0 ? kfuncs.length : at, 0, line);
  }
  compareHelpers(base, btf, notes);
  return { helpers: base.helpers, kfuncs, notes };
}

const nameOf = (line: string): string => line.slice(0, line.indexOf('|'));

/** Kfuncs that pahole has marked in the BTF (a tag `bpf_kfunc`), and those that have flags and a prototype. */
function namesIn(btf: Btf, flags: ReadonlyMap<string, KfuncFlags>): readonly string[] {
  const marked = btf.idsByPrefix('bpf_kfunc', ['decl_tag']).flatMap((id) => {
    const tag = btf.type(id);
    return tag.kind === 'decl_tag' && tag.name === 'bpf_kfunc' ? [btf.name(tag.type)] : [];
  });
  const flagged = [...flags.keys()].filter((name) => btf.find(name, 'func') !== undefined);
  return [...new Set([...marked, ...flagged])].sort();
}

/** A row as this kernel has it. One that is not in the BTF may be of a module or left out of the build: it stays. */
function refreshed(line: string, btf: Btf, flags: ReadonlyMap<string, KfuncFlags>, notes: string[]): string {
  const [name = '', ret = '', params = '', had = '', letters = '', ...release] = line.split('|');
  const proto = prototypeOf(btf, name);
  const theirs = proto === undefined ? undefined : cellsOf(proto);
  const same =
    theirs === undefined || (comparable(theirs.ret) === comparable(ret) && sameParams(theirs.params, params));
  const now = flags.get(name);
  const flagCell = now === undefined ? had : now.flags.join(' ');
  if (!same) notes.push(`${name}: its prototype is now ${theirs.ret} (${theirs.params})`);
  if (flagCell !== had) notes.push(`${name}: its flags are now ${flagCell || 'none'}, not ${had || 'none'}`);
  const cells = same ? [ret, params] : [theirs.ret, theirs.params];
  return [name, ...cells, flagCell, letters, ...release].join('|');
}

function added(
  name: string,
  btf: Btf,
  flags: ReadonlyMap<string, KfuncFlags>,
  notes: string[],
): string | undefined {
  const proto = prototypeOf(btf, name);
  const said = flags.get(name);
  if (proto === undefined || said === undefined) {
    notes.push(`${name} is new and gets no row: BTF has no flags, and no source that is given has them`);
    return undefined;
  }
  const { ret, params } = cellsOf(proto);
  const types = said.types.length === 0 ? 'its program types are not known' : said.types.join(' ');
  notes.push(`${name} is new: ${types}`);
  return [name, ret, params, said.flags.join(' '), lettersOf(said.types)].join('|');
}

const cellsOf = ({ returns, params }: Prototype): { readonly ret: string; readonly params: string } => ({
  ret: returns,
  params: params.join('; '),
});

const sameParams = (a: string, b: string): boolean =>
  a.split('; ').map(comparable).join('; ') === b.split('; ').map(comparable).join('; ');

/** Letters in the order in which cells have them: the keys of LETTERS come out with the digit first. */
const ORDER = 'xtfpskrwebIagcAGdyiom6SMOLRDnlFT';

/** The cell of these program types. Where tp_btf or iter is among them, fentry and lsm are implied (rows.ts). */
function lettersOf(types: readonly ProgType[]): string {
  const implied = types.some((type) => type === 'tp_btf' || type === 'iter');
  return [...ORDER]
    .filter((letter) => {
      const type = LETTERS[letter]!;
      return types.includes(type) && !(implied && (type === 'fentry' || type === 'lsm'));
    })
    .join('');
}

/** Numbers and names of helpers are fixed for ever: enum bpf_func_id tells whether the table has them all, and has them right. */
function compareHelpers({ helpers }: Tables, btf: Btf, notes: string[]): void {
  const id = btf.find('bpf_func_id', 'enum');
  const numbers = id === undefined ? undefined : btf.type(id);
  if (numbers?.kind !== 'enum') {
    notes.push('enum bpf_func_id is not in the BTF: helpers are not compared');
    return;
  }
  const table = new Map(helpers.map((line) => [line.split('|')[0], line.split('|')[1]]));
  for (const { name, value } of numbers.values) {
    const called = name.replace(/^BPF_FUNC_/, 'bpf_');
    if (value === 0 || name.startsWith('__BPF_FUNC')) continue;
    const here = table.get(`${value}`);
    if (here === undefined)
      notes.push(
        `${called} is new and gets no row: declare it by its struct bpf_func_proto (rules new --from-c)`,
      );
    else if (here !== called) notes.push(`helper ${value} is ${called} there, and ${here} in the table`);
  }
}

/** The text of helpers.ts or kfuncs.ts. */
export function tableText(which: keyof Tables, lines: readonly string[]): string {
  const [name, comment] = HEADS[which];
  const quoted = lines.map((line) => `  '${line}',\n`).join('');
  return `/** ${comment} Written by \`npm run tables\`; see rows.ts for the columns. */\nexport const ${name}: readonly string[] = [\n${quoted}];\n`;
}

const HEADS: Readonly<Record<keyof Tables, readonly [name: string, comment: string]>> = {
  helpers: ['HELPER_LINES', 'All helpers of Linux 6.18.'],
  kfuncs: [
    'KFUNC_LINES',
    'Kfuncs of Linux 6.18 and of its neighbours, so that one which is not there can be named.',
  ],
};
