/** The `.env` directives of a case, gathered line by line. */
import { contracts } from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import { progType } from '../../kernel/progtypes.js';
import type { DeclaredFunction, MapDef, ProgType } from '../../object/program.js';
import { type Environment, parseChoice, parseHex, parseNumber, toHex } from '../state/environment.js';
import type { Line, Word } from './words.js';

/**
 * Reads `.env` lines one at a time, in any order. Map names and context members are checked at the end, when maps and program type are
 * known.
 */
export class EnvironmentReader {
  private packet: Uint8Array | undefined;
  private ctx: Uint8Array | undefined;
  private readonly ctxFields = new Map<string, bigint>();
  private readonly contents = new Map<string, Map<string, string>>();
  private readonly choices = new Map<string, string>();
  /** What can be checked only when maps, program type and declared functions are known. */
  private readonly later: ((
    maps: readonly MapDef[],
    type: ProgType,
    declared: readonly DeclaredFunction[],
  ) => void)[] = [];

  /** Takes one line. Throws InputError at the word that is wrong. */
  read(line: Line): void {
    const first = line.need(
      1,
      'what the environment has: name#n=choice, packet=HEX, ctx=HEX, map NAME[KEY]=VALUE',
    );
    if (first.text === 'map') {
      this.readContents(line);
      return;
    }
    line.end(2);
    const equals = first.text.indexOf('=');
    if (equals < 0) line.fail(`expected ${first.text}=...`, first, first.text.length);
    const [key, value] = [first.text.slice(0, equals), first.text.slice(equals + 1)];
    const read = <T>(parse: (text: string) => T): T => line.at(first, () => parse(value), equals + 1);
    if (key === 'packet') this.packet = read(parseHex);
    else if (key === 'ctx') this.ctx = read(parseHex);
    else if (key.startsWith('ctx.')) this.readField(line, first, key.slice(4), read(parseNumber));
    else this.readChoice(line, first, key, value);
  }

  /** `.env ctx.FIELD=NUMBER` */
  private readField(line: Line, word: Word, name: string, value: bigint): void {
    this.ctxFields.set(name, value);
    this.later.push((_maps, type) => {
      const known = progType(type).members.some((member) => member.name === name);
      if (!known) line.fail(`the context of a ${type} program has no ${name}`, word);
    });
  }

  /** `.env map NAME[KEYHEX]=VALUEHEX` */
  private readContents(line: Line): void {
    const word = line.need(2, 'NAME[KEY]=VALUE');
    line.end(3);
    const match = /^(?<name>[^[\]]+)\[(?<key>[^\]]*)\]=(?<value>.*)$/.exec(word.text);
    const { name = '', key: keyText = '', value: valueText = '' } = match?.groups ?? {};
    if (match === null) line.fail(`'${word.text}' is not NAME[KEY]=VALUE`, word);
    const key = line.at(word, () => parseHex(keyText), name.length + 1);
    const value = line.at(word, () => parseHex(valueText), word.text.length - valueText.length);
    const entries = this.contents.get(name) ?? new Map<string, string>();
    this.contents.set(name, entries.set(toHex(key), toHex(value)));
    this.later.push((maps) => {
      const map = maps.find((one) => one.name === name);
      if (map === undefined) return line.fail(`no map is called ${name}`, word);
      if (key.length !== map.keySize) {
        line.fail(
          `the key has ${key.length} bytes, of map ${name} it has ${map.keySize}`,
          word,
          name.length + 1,
        );
      }
      if (value.length > map.valueSize) {
        line.fail(`the value has ${value.length} bytes, of map ${name} it has ${map.valueSize}`, word);
      }
    });
  }

  /** `.env FUNCTION#N=CHOICE`; the function by its full name, or by a part that only one modelled function has. */
  private readChoice(line: Line, word: Word, key: string, value: string): void {
    const match = /^(?<short>[a-z_]\w*)#(?<number>[1-9][0-9]*)$/i.exec(key);
    const { short = '', number = '' } = match?.groups ?? {};
    if (match === null) line.fail(`'${key}' is not FUNCTION#N, packet, ctx, ctx.FIELD or map`, word);
    const { outcome } = line.at(word, () => parseChoice(value), key.length + 1);
    this.later.push((_maps, _type, declared) => {
      const all = contracts(declared);
      const name = fullName(short, all) ?? line.fail(`no function is called ${short}`, word);
      const contract = all.find((one) => one.name === name);
      const outcomes = contract?.outcomes.map((one) => one.name) ?? [];
      if (contract?.steady === true && number !== '1') {
        line.fail(`${name} answers the same at every call of one run; expected ${short}#1`, word);
      }
      if (outcome !== undefined && !outcomes.includes(outcome)) {
        line.fail(`${name} has no outcome '${outcome}'; it has ${outcomes.join(', ')}`, word, key.length + 1);
      }
      this.choices.set(`${name}#${number}`, value);
    });
  }

  /** The environment, checked against the case's maps, program type and declared functions. */
  finish(maps: readonly MapDef[], type: ProgType, declared: readonly DeclaredFunction[] = []): Environment {
    for (const check of this.later) check(maps, type, declared);
    return {
      choices: this.choices,
      ...(this.packet === undefined ? {} : { packet: this.packet }),
      ...(this.ctx === undefined ? {} : { ctx: this.ctx }),
      ...(this.ctxFields.size === 0 ? {} : { ctxFields: this.ctxFields }),
      ...(this.contents.size === 0 ? {} : { maps: this.contents }),
    };
  }
}

function fullName(short: string, all: readonly Contract[]): string | undefined {
  const names = ['may_goto', 'later', ...all.map((contract) => contract.name)];
  if (short === 'addresses') return short;
  for (const name of [short, `bpf_${short}`]) if (names.includes(name)) return name;
  // Short name for the most frequent helper.
  if (short === 'lookup') return 'bpf_map_lookup_elem';
  const like = names.filter((name) => name.includes(short));
  return like.length === 1 ? like[0] : undefined;
}
