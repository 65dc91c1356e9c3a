/** Every JSON document says first what it is: its schema, which is a file in docs/schema, and the version of swansong that wrote it. */
import { version } from '../campaign/shards/version.js';

/** The form of documents. It grows by one when a member is renamed or taken out; members that are only added leave it. */
const FORM = 1;

/** `swansong/rules-check/1`: what documents of a command (`rules check`) are called. Their schema is `docs/schema/rules-check.json`. */
export const schemaName = (command: string): string => `swansong/${command.replaceAll(' ', '-')}/${FORM}`;

/** The document of a command, with its head. What the command says of its own version is kept. */
export function documentOf(command: string, body: object): object {
  return { schema: schemaName(command), version: version(), ...body };
}

/** What could not be done, and where the fault is, as far as that is known. */
export interface Trouble {
  /** One line, as it is on standard error. */
  readonly error: string;
  readonly file?: string;
  /** Counts from 1. */
  readonly line?: number;
  /** Counts from 1. */
  readonly column?: number;
}

/** The document where there is no answer: bad usage or input (exit 2), or a bug of swansong's own (exit 3). */
export const errorDocument = (trouble: Trouble): object => documentOf('error', trouble);

/** JSON text, two blanks a level, with a newline at its end. Big integers are numbers where they are safe, else decimal strings. */
export function toJson(value: unknown): string {
  const plain = (_key: string, one: unknown): unknown => {
    if (typeof one === 'bigint') return Number.isSafeInteger(Number(one)) ? Number(one) : one.toString();
    if (one instanceof Map) return Object.fromEntries(one);
    if (one instanceof Set) return [...one];
    return one;
  };
  return `${JSON.stringify(value, plain, 2)}\n`;
}
