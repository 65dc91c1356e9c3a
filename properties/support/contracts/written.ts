/** The tables of src/kernel as text, every field of them: to be compared with what was written down. */
import type { Op } from '../../../src/isa/insn.js';
import { contractOf, FAMILIES } from '../../../src/kernel/catalog.js';
import { ATTACH } from '../../../src/kernel/contexts/attach.js';
import type { Contract, Outcome } from '../../../src/kernel/contract.js';
import { mapType } from '../../../src/kernel/maptypes.js';
import { progType, returnRange } from '../../../src/kernel/progtypes.js';
import { MAP_TYPES, PROG_TYPES, type Program, type ProgType } from '../../../src/object/program.js';

const INT64_MIN = -(1n << 63n);
const INT64_MAX = (1n << 63n) - 1n;

/** Any plain value in a few words: `mem(access=read, size={arg=2})`. No field is left out, so that none changes unseen. */
export function words(value: unknown): string {
  if (value === INT64_MIN) return 'least';
  if (value === INT64_MAX) return 'most';
  if (Array.isArray(value)) return `[${value.map(words).join(' ')}]`;
  if (value instanceof Set) return `{${[...value].map(words).join(' ')}}`;
  if (value instanceof Map)
    return `{${[...value].map(([key, to]) => `${words(key)}: ${words(to)}`).join('; ')}}`;
  if (typeof value !== 'object' || value === null) return String(value);
  const { kind, ...rest } = value as Record<string, unknown>;
  const fields = Object.entries(rest)
    .filter(([, to]) => to !== undefined)
    .map(([key, to]) => (to === true ? key : `${key}=${words(to)}`));
  const said = typeof kind === 'string' ? kind : '';
  return fields.length === 0 && said !== '' ? said : `${said}(${fields.join(', ')})`;
}

/** Names of program types, or those that are missing where they are fewer. */
export function typesText(types: readonly ProgType[]): string {
  const missing = PROG_TYPES.filter((type) => !types.includes(type));
  if (missing.length === 0) return 'all';
  return missing.length < 8 ? `all but ${missing.join(' ')}` : types.join(' ');
}

function outcomeText({ name, r0, effects, guard, blocks, usual, ...rest }: Outcome): string {
  return [
    `  ${name}: r0 ${words(r0)}`,
    ...effects.map((effect) => words(effect)),
    ...(guard === undefined ? [] : [`if ${words(guard)}`]),
    ...(blocks === undefined ? [] : ['blocks']),
    ...(usual === undefined ? [] : [`usually ${words(usual)}`]),
    ...Object.entries(rest).map(([key, value]) => `${key} ${words(value)}`),
  ].join('; ');
}

/** A contract as some lines of text. */
export function contractText(c: Contract): string {
  const { name, kind, id, args, outcomes, types, flags, ret, ...rest } = c;
  const marks = Object.entries(rest).filter(([, value]) => value !== undefined);
  return [
    `${name}: ${kind} ${id}, ${ret}`,
    ...(flags.length > 0 ? [`  ${flags.join(' ')}`] : []),
    ...(marks.length > 0
      ? [`  ${marks.map(([key, value]) => (value === true ? key : `${key}=${words(value)}`)).join(' ')}`]
      : []),
    `  takes ${args.map(words).join(', ') || 'nothing'}`,
    ...outcomes.map(outcomeText),
    `  types: ${typesText(types)}`,
  ].join('\n');
}

/** The contracts of a helper that takes something else in some types of programs, beside its own. */
function variantsOf(c: Contract): readonly Contract[] {
  const call: Op = { kind: 'call', target: 'helper', imm: c.id };
  const found = PROG_TYPES.map((type) => contractOf({ type, kfuncs: [] } as unknown as Program, call));
  return [...new Set(found)].filter((one): one is Contract => one !== undefined && one !== c);
}

/** All contracts, family by family, variants after their own. */
export function catalogText(): string {
  const families = Object.entries(FAMILIES).map(([family, list]) =>
    [
      `# ${family}`,
      ...list.flatMap((c) => [
        contractText(c),
        ...(c.kind === 'helper' ? variantsOf(c).map((one) => `or ${contractText(one)}`) : []),
      ]),
    ].join('\n\n'),
  );
  return `${families.join('\n\n')}\n`;
}

/** Program types: everything but what hangs on how a program is attached, then the ranges of exit values that do. */
export function progTypesText(): string {
  const blocks = PROG_TYPES.map((type) => {
    const { members, ...info } = progType(type);
    const ranges = Object.entries(ATTACH)
      .filter(([, number]) => words(returnRange(type, { type: number })) !== words(info.returns))
      .map(
        ([name, number]) => `  attached as ${name}: returns ${words(returnRange(type, { type: number }))}`,
      );
    return [
      `${type}:`,
      ...Object.entries(info)
        .filter(([key, value]) => key !== 'type' && value !== undefined)
        .map(([key, value]) => `  ${key} ${words(value)}`),
      ...ranges,
      ...members.map((member) => `  - ${words(member)}`),
    ].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}

/** Map types, one a line. */
export function mapTypesText(): string {
  return `${MAP_TYPES.map((type) => {
    const { type: _, ...info } = mapType(type);
    return `${type}: ${words(info)}`;
  }).join('\n')}\n`;
}
