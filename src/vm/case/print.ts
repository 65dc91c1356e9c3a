/** A case as text: what parseCase reads, one directive a line, so that files diff well. */

import { decodeAll } from '../../isa/decode.js';
import { disassemble } from '../../isa/disassemble.js';
import { InputError } from '../../isa/errors.js';
import { isReserved, NAME } from '../../isa/symbols.js';
import { symbolsWith } from '../../kernel/catalog.js';
import { neededTypes } from '../../object/btf/prune.js';
import { typeWords } from '../../object/btf/text.js';
import { exceptionCallbackOf, type MapDef, type Program } from '../../object/program.js';
import { type Environment, toHex } from '../state/environment.js';
import { type Case, symbolsOf } from './case.js';
import { printExpectation } from './expectation.js';
import { printMap, printPointer, printStruct } from './fields.js';
import { printKernel } from './kernel.js';
import { printLine } from './lines.js';
import { printProfile } from './profile.js';

/** Writes a case. Throws InputError for a program that text cannot hold (undefined encodings). */
export function printCase(one: Case): string {
  const { program, profile, kernel, rules, strategy, invariants, kill, expect } = one;
  const lines = one.comments.map((comment) => (comment === '' ? '#' : `# ${comment}`));
  lines.push(`.type ${program.type}`);
  if (program.name !== 'case') lines.push(`.name ${program.name}`);
  if (program.section !== undefined) lines.push(`.section ${program.section}`);
  if (program.license !== undefined) lines.push(`.license ${program.license}`);
  if (program.sleepable) lines.push('.sleepable');
  if (program.attach !== undefined) {
    const { type, target, returns } = program.attach;
    lines.push(
      [
        '.attach',
        type,
        ...(target === undefined ? [] : [target]),
        ...(returns === undefined ? [] : [`returns=${returns}`]),
      ].join(' '),
    );
  }
  if (program.replaces !== undefined) lines.push(`.replaces ${program.replaces.function}`);
  if (profile !== 'privileged') lines.push(`.profile ${profile}`);
  if (kernel !== undefined) lines.push(...printProfile(kernel));
  lines.push(...(program.declared ?? []).map(({ kind, text }) => `.declare ${kind} ${text}`));
  lines.push(...printMaps(program), ...program.localTypes.map(printStruct));
  lines.push(...(program.kernelPointers ?? []).map(printPointer), ...printKernel(program, kernel));
  if (!inOrderOfUse(program)) lines.push(`.kfuncs ${program.kfuncs.join(' ')}`);
  for (const { name, btfId } of program.weakKfuncs ?? [])
    lines.push(`.weak ${name}${btfId === undefined ? '' : ` btf=${btfId}`}`);
  const names = functionNames(program);
  const globals = program.subprogs.filter((subprog) => subprog.linkage === 'global');
  lines.push(...globals.map((subprog) => `.global ${names.get(subprog.start)}`));
  for (const [id, type] of neededTypes(program)) lines.push(`.btf ${id} ${typeWords(type)}`);
  for (const { start, btfId } of program.subprogs)
    if (btfId !== undefined && program.btf !== undefined)
      lines.push(`.func ${names.get(start)} btf=${btfId}`);
  const onThrow = exceptionCallbackOf(program);
  if (onThrow !== undefined) lines.push(`.exception_callback ${names.get(onThrow.start)}`);
  if (rules !== undefined) lines.push(`.rules ${rules}`);
  if (strategy !== undefined) lines.push(`.strategy ${strategy}`);
  if (invariants !== undefined) lines.push(`.invariants ${invariants}`);
  if (kill !== undefined) lines.push(`.kill step=${kill}`);
  if (one.bound !== undefined) lines.push(`.bound ${one.bound}`);
  lines.push(...printEnvironment(one.env));
  if (expect !== undefined) lines.push(`.expect ${printExpectation(expect)}`);
  if (lines.some((line) => line.includes('\n')))
    throw new InputError('a name or comment of the case has a line break');
  return `${lines.join('\n')}\n\n${one.body ?? body(program, names)}`;
}

/** All maps. The template of a map of maps comes before it, if it is no map of the program. */
function printMaps({ maps, btf }: Program): string[] {
  const names = new Set(maps.map(({ name }) => name));
  const print = (map: MapDef, directive: '.map' | '.inner_map'): string[] => {
    const { btfKey: _key, btfValue: _value, ...untyped } = map;
    const one = btf === undefined ? untyped : map;
    const { inner } = map;
    if (inner === undefined) return [printMap(one, directive)];
    if (maps.includes(inner)) return [printMap(one, directive)];
    // The template's name may be taken by another map.
    let name = inner.name;
    while (names.has(name)) name += '_';
    names.add(name);
    return [
      ...print({ ...inner, name }, '.inner_map'),
      printMap({ ...one, inner: { ...inner, name } }, directive),
    ];
  };
  return maps.flatMap((map) => print(map, '.map'));
}

/** Names of functions by slot, each one that text can hold: not the name of a helper or kfunc, and no other function's. */
function functionNames({ subprogs, kfuncs, declared }: Program): ReadonlyMap<number, string> {
  const symbols = symbolsWith(declared);
  const taken = new Set(kfuncs);
  const names = new Map<number, string>();
  for (const { name, start } of subprogs) {
    let free = NAME.test(name) && !isReserved(name) ? name : `sub_${start}`;
    while (taken.has(free) || symbols.helperId(free) !== undefined || symbols.isKfunc(free)) free += '_';
    taken.add(free);
    names.set(start, free);
  }
  return names;
}

function body(program: Program, names: ReadonlyMap<number, string>): string {
  return disassemble(program.insns, {
    symbols: symbolsOf(program),
    labels: true,
    names,
    above: linesAbove(program),
  });
}

/** The source lines of a program as comments, by slot. */
function linesAbove({ lines = [] }: Program): ReadonlyMap<number, readonly string[]> {
  const above = new Map<number, readonly string[]>();
  for (const one of lines) above.set(one.slot, [...(above.get(one.slot) ?? []), printLine(one)]);
  return above;
}

/** The assembler numbers kfuncs as it meets them. */
function inOrderOfUse(program: Program): boolean {
  const used = new Set<number>();
  for (const op of decodeAll(program.insns))
    if (op?.kind === 'call' && op.target === 'kfunc') used.add(op.imm);
  return [...used].every((index, order) => index === order) && used.size === program.kfuncs.length;
}

/** The `.env` lines of an environment. */
export function printEnvironment(env: Environment): string[] {
  const lines: string[] = [];
  if (env.packet !== undefined) lines.push(`packet=${toHex(env.packet)}`);
  if (env.ctx !== undefined) lines.push(`ctx=${toHex(env.ctx)}`);
  for (const [name, value] of env.ctxFields ?? []) lines.push(`ctx.${name}=${value}`);
  for (const [name, entries] of env.maps ?? []) {
    for (const [key, value] of entries) lines.push(`map ${name}[${key}]=${value}`);
  }
  for (const [key, value] of env.choices) lines.push(`${key}=${value}`);
  return lines.map((line) => `.env ${line}`);
}
