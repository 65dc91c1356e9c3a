/** Contents of maps in words: `u32 $work, u64 10` is 12 bytes, little-endian. */
import { InputError } from '../../isa/errors.js';

const BYTES: Readonly<Record<string, number>> = { u8: 1, u16: 2, u32: 4, u64: 8 };

/** The bytes as hex. `variables` are the numbers that `$name` stands for. Throws InputError for what are no such words. */
export function bytesOf(words: string, variables: ReadonlyMap<string, number>): string {
  return words
    .split(',')
    .map((word) => {
      const found = /^(u8|u16|u32|u64)\s+(\$?\w+)$/.exec(word.trim());
      if (found === null)
        throw new InputError(
          `'${words}': expected numbers such as u32 5 or u64 $name, between commas, found '${word.trim()}'`,
        );
      const [, type, text] = found as unknown as readonly [string, string, string];
      const value = numberOf(text, words, variables);
      const size = BYTES[type]!;
      if (value < 0n || value >= 1n << BigInt(8 * size))
        throw new InputError(`'${words}': ${value} does not fit into ${type}`);
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(value);
      return bytes.subarray(0, size).toString('hex');
    })
    .join('');
}

function numberOf(text: string, words: string, variables: ReadonlyMap<string, number>): bigint {
  if (!text.startsWith('$')) {
    if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return BigInt(text);
    throw new InputError(`'${words}': '${text}' is no number`);
  }
  const value = variables.get(text.slice(1));
  if (value === undefined) {
    const names = [...variables.keys()].map((name) => `$${name}`).join(', ');
    throw new InputError(
      `'${words}': there is no ${text}${names === '' ? ', for nothing is swept' : `; there are ${names}`}`,
    );
  }
  return BigInt(value);
}
