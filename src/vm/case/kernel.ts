/**
 * The `.kernel_...` directives of a case: what the kernel's own types say of the structs, arguments and variables that the program uses.
 *
 *     .kernel_args scalar trusted:task_struct trusted:task_struct,nullable
 *     .kernel_struct task_struct @1268/4 cpus_ptr@800/8:cpumask parent@1480/8:task_struct,rcu
 *     .kernel_refused task_struct @1269/8 cannot access ptr member ...
 *     .kernel_var 4711 size=4 struct=rq percpu
 */
import { InputError } from '../../isa/errors.js';
import { BUILT_IN, type KernelProfile } from '../../kernel/profile.js';
import { nameWord, wordName } from '../../object/btf/text.js';
import { Asked, type Told, ToldTypes } from '../../object/kernel/told.js';
import type { KernelArgument, Program, StructAccess } from '../../object/program.js';
import { verify } from '../../verifier/verify.js';
import { count, type Line, type Word } from './words.js';

/** What a program asks of the kernel's types on any of its paths, for this kernel; undefined for a program that has none. */
function toldBy(program: Program, kernel: KernelProfile): Told | undefined {
  const { kernelTypes, type, attach } = program;
  if (kernelTypes === undefined) return undefined;
  if (kernelTypes instanceof ToldTypes) return kernelTypes.told;
  const asked = new Asked(kernelTypes);
  if (attach !== undefined) asked.arguments(type, attach);
  for (const profile of ['privileged', 'strict'] as const)
    verify({ ...program, kernelTypes: asked }, { profile, kernel, facts: false });
  return asked.told;
}

/** The `.kernel_...` lines of a program. */
export function printKernel(program: Program, kernel: KernelProfile = BUILT_IN): string[] {
  const told = toldBy(program, kernel);
  if (told === undefined) return [];
  const lines: string[] = [];
  if (told.args !== undefined) lines.push(['.kernel_args', ...told.args.map(printArgument)].join(' '));
  const structs = new Map<string, string[]>();
  const refused: string[] = [];
  const wordsOf = (struct: string): string[] => {
    const words = structs.get(struct) ?? [];
    structs.set(struct, words);
    return words;
  };
  for (const [struct, is] of told.has) if (is) wordsOf(struct);
  for (const [key, access] of told.accesses) {
    const [struct = '', offset = '', size = ''] = key.split('\n');
    const where = `@${offset}/${size}`;
    if (access.kind === 'refused')
      refused.push(`.kernel_refused ${nameWord(struct)} ${where} ${access.message}`);
    else wordsOf(struct).push(access.kind === 'scalar' ? where : printPointer(access, where));
  }
  for (const [key, { offset, size }] of told.members) {
    const [struct = '', name = ''] = key.split('\n');
    wordsOf(struct).push(`has=${nameWord(name)}@${offset}/${size}`);
  }
  for (const [key, is] of told.holds) {
    const [struct = '', offset = '', inner = ''] = key.split('\n');
    wordsOf(struct).push(`${is ? 'holds' : 'lacks'}=${nameWord(inner)}@${offset}`);
  }
  for (const [struct, words] of [...structs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isStruct = told.has.get(struct) ?? true;
    lines.push(
      ['.kernel_struct', nameWord(struct), ...(isStruct ? [] : ['absent']), ...words.sort()].join(' '),
    );
  }
  for (const [struct, is] of told.has)
    if (!is && !structs.has(struct)) lines.push(`.kernel_struct ${nameWord(struct)} absent`);
  lines.push(...refused.sort());
  for (const [id, name] of told.names) lines.push(`.kernel_id ${id} ${nameWord(name)}`);
  for (const [id, { struct, size, percpu }] of told.variables) {
    const of = struct === undefined ? '' : ` struct=${nameWord(struct)}`;
    lines.push(`.kernel_var ${id} size=${size}${of}${percpu ? ' percpu' : ''}`);
  }
  return lines;
}

type Pointer = Extract<StructAccess, { kind: 'pointer' }>;

function printPointer({ to, member, viaUnion, tag }: Pointer, where: string): string {
  const more = [...(viaUnion ? ['union'] : []), ...(tag === undefined ? [] : [tag])];
  return `${nameWord(member)}${where}:${[nameWord(to), ...more].join(',')}`;
}

function printArgument(arg: KernelArgument): string {
  switch (arg.kind) {
    case 'scalar':
      return arg.size === 0 ? 'scalar' : `scalar/${arg.size}`;
    case 'buffer':
      return arg.readonly ? 'buffer,readonly' : 'buffer';
    case 'refused':
      return `refused:${nameWord(arg.message)}`;
    case 'pointer': {
      const more = [
        ...(arg.nullable ? ['nullable'] : []),
        ...(arg.held === true ? ['held'] : []),
        ...(arg.tag === undefined ? [] : [arg.tag]),
      ];
      return `${arg.trust === 'none' ? 'pointer' : arg.trust}:${[nameWord(arg.to), ...more].join(',')}`;
    }
  }
}

function parseArgument(text: string): KernelArgument {
  if (text === 'scalar' || text === 'scalar/8') return { kind: 'scalar', size: text === 'scalar' ? 0 : 8 };
  if (text === 'buffer' || text === 'buffer,readonly') return { kind: 'buffer', readonly: text !== 'buffer' };
  const refused = /^refused:(.*)$/.exec(text);
  if (refused !== null) return { kind: 'refused', message: wordName(refused[1]!) };
  const match = /^(trusted|pointer):([^,]+)(,nullable)?(,held)?(?:,(user|percpu))?$/.exec(text);
  if (match === null) throw new InputError(`'${text}' is no argument of a kernel function`);
  const tag = match[5] as 'user' | 'percpu' | undefined;
  return {
    kind: 'pointer',
    to: wordName(match[2]!),
    trust: match[1] === 'trusted' ? 'trusted' : 'none',
    nullable: match[3] !== undefined,
    ...(match[4] !== undefined && { held: true as const }),
    ...(tag === undefined ? {} : { tag }),
  };
}

/** Reads a `.kernel_...` directive. False where it is none of them. Throws InputError with line and column. */
export function kernelDirective(told: Told, line: Line): boolean {
  switch (line.words[0]?.text) {
    case '.kernel_args':
      told.args = line.words.slice(1).map((word) => line.at(word, () => parseArgument(word.text)));
      return true;
    case '.kernel_struct': {
      const word = line.need(1, 'the name of a struct');
      const struct = line.at(word, () => wordName(word.text));
      const absent = line.words[2]?.text === 'absent';
      told.has.set(struct, !absent);
      for (const one of line.words.slice(absent ? 3 : 2)) line.at(one, () => structWord(told, struct, one));
      return true;
    }
    case '.kernel_refused': {
      const word = line.need(1, 'the name of a struct');
      const struct = line.at(word, () => wordName(word.text));
      const where = line.need(2, '@OFFSET/SIZE');
      const match = /^@(-?\d+)\/(\d+)$/.exec(where.text);
      if (match === null) line.fail(`expected @OFFSET/SIZE, not '${where.text}'`, where);
      line.need(3, 'why it is refused');
      const message = line.words.slice(3).map(({ text }) => text);
      told.accesses.set(`${struct}\n${match[1]}\n${match[2]}`, {
        kind: 'refused',
        message: message.join(' '),
      });
      return true;
    }
    case '.kernel_id': {
      const [id, name] = [line.need(1, 'the id of a type'), line.need(2, 'a name')];
      line.end(3);
      told.names.set(
        line.at(id, () => count(id.text)),
        line.at(name, () => wordName(name.text)),
      );
      return true;
    }
    case '.kernel_var':
      variable(told, line);
      return true;
    default:
      return false;
  }
}

function variable(told: Told, line: Line): void {
  const id = line.need(1, 'the id of a variable');
  const size = line.need(2, 'size=N');
  if (!size.text.startsWith('size=')) line.fail(`expected size=N, not '${size.text}'`, size);
  let struct: string | undefined;
  let percpu = false;
  for (const word of line.words.slice(3)) {
    if (word.text === 'percpu') percpu = true;
    else if (word.text.startsWith('struct=')) struct = line.at(word, () => wordName(word.text.slice(7)));
    else line.fail(`unexpected '${word.text}'`, word);
  }
  told.variables.set(
    line.at(id, () => count(id.text)),
    { size: line.at(size, () => count(size.text.slice(5)), 5), struct, percpu },
  );
}

function structWord(told: Told, struct: string, { text }: Word): void {
  const inner = /^(holds|lacks)=([^@]+)@(-?\d+)$/.exec(text);
  if (inner !== null) {
    told.holds.set(`${struct}\n${inner[3]}\n${wordName(inner[2]!)}`, inner[1] === 'holds');
    return;
  }
  const member = /^has=([^@]+)@(\d+)\/(\d+)$/.exec(text);
  if (member !== null) {
    const place = { offset: count(member[2]!), size: count(member[3]!) };
    told.members.set(`${struct}\n${wordName(member[1]!)}`, place);
    return;
  }
  const access = /^([^@:]*)@(-?\d+)\/(\d+)(?::([^,]+)(,union)?(?:,(user|percpu|rcu))?)?$/.exec(text);
  if (access === null)
    throw new InputError(`expected NAME@OFFSET/SIZE:STRUCT or @OFFSET/SIZE, not '${text}'`);
  const [, name = '', offset, size, to, union, tag] = access;
  if ((name === '') !== (to === undefined)) throw new InputError(`a pointer is written NAME@OFFSET/8:STRUCT`);
  told.accesses.set(
    `${struct}\n${offset}\n${size}`,
    to === undefined
      ? { kind: 'scalar' }
      : {
          kind: 'pointer',
          to: wordName(to),
          member: wordName(name),
          viaUnion: union !== undefined,
          ...(tag === undefined ? {} : { tag: tag as 'user' | 'percpu' | 'rcu' }),
        },
  );
}
