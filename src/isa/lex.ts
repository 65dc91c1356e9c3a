/** One line of assembly as tokens with columns, and a cursor over them that says what it expected where. */
import { InputError, type Place } from './errors.js';

/** A word, a number or a mark of a line. `end` follows the last one, so that errors at the end of the line have a column. */
export interface Token {
  readonly type: 'word' | 'number' | 'mark' | 'end';
  readonly text: string;
  /** Counts from 1. */
  readonly column: number;
}

/** Longest first: operators with an `s` before them are signed. A word never swallows that `s`, since words are tried later. */
const TOKEN =
  /\s+|(?<mark>s>>=|s\/=|s%=|s>=|s<=|s>|s<|<<=|>>=|[-+*/%|&^=!<>]=|[-+*&<>()[\],:#=])|(?<number>0[xX][0-9a-fA-F]+(?![\w.$])|\d+(?![\w.$]))|(?<word>[A-Za-z_.$][\w.$]*)/y;

/** Everything from `;` or `//` on, or a whole line that starts with `#`, is a comment. */
const COMMENT = /^\s*#.*$|;.*$|\/\/.*$/;

/**
 * Line prefixes of the kernel's verifier log (`12: (b7) `) and of llvm-objdump (`12:<tab>b7 00 .. `): the number
 * of the insn, and its opcode or all its bytes.
 */
const LISTING =
  /^\s*(?<slot>\d+):(?:\s*\((?<opcode>[0-9a-fA-F]{2})\)|\s+(?<first>[0-9a-fA-F]{2})(?:\s[0-9a-fA-F]{2}){7}(?:(?:\s[0-9a-fA-F]{2}){8})?(?=\s))?/;

/** Tokens of one line, without comments, closed by an `end` token. Throws InputError at a character that starts none. */
export function lex(line: string, place: Place, from = 0): Token[] {
  const code = line.replace(COMMENT, '');
  const tokens: Token[] = [];
  TOKEN.lastIndex = from;
  while (TOKEN.lastIndex < code.length) {
    const column = TOKEN.lastIndex + 1;
    const match = TOKEN.exec(code);
    if (match === null) {
      throw new InputError(`unexpected '${code.slice(column - 1).split(/\s/)[0]}'`, { ...place, column });
    }
    const { mark, number, word } = match.groups ?? {};
    if (mark !== undefined) tokens.push({ type: 'mark', text: mark, column });
    else if (number !== undefined) tokens.push({ type: 'number', text: number, column });
    else if (word !== undefined) tokens.push({ type: 'word', text: word, column });
  }
  tokens.push({ type: 'end', text: '', column: code.trimEnd().length + 1 });
  return tokens;
}

/** The insn number, and perhaps the opcode, that a listing prints before an insn: `12: (b7)`. */
export interface ListingPrefix {
  readonly slot: number;
  /** The first byte of the insn, where the listing tells. */
  readonly opcode?: number;
  /** Characters that the prefix takes. */
  readonly length: number;
}

/** What stands before the insn in a line of a listing, if the line is one. */
export function listingPrefix(line: string): ListingPrefix | undefined {
  const match = LISTING.exec(line);
  if (match === null) return undefined;
  const { slot, opcode, first } = match.groups ?? {};
  const byte = opcode ?? first;
  return {
    slot: Number(slot),
    length: match[0].length,
    ...(byte === undefined ? {} : { opcode: Number.parseInt(byte, 16) }),
  };
}

/** Reads the tokens of one line from left to right. Every failure is an InputError with file, line and column. */
export class Cursor {
  private at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly line: Place,
  ) {}

  get token(): Token {
    return this.tokens[this.at] as Token;
  }

  /** The token after the present one, or the end. */
  get following(): Token {
    return this.ahead(1);
  }

  /** The token `count` places further, or the end. */
  ahead(count: number): Token {
    return this.tokens[Math.min(this.at + count, this.tokens.length - 1)] as Token;
  }

  get atEnd(): boolean {
    return this.token.type === 'end';
  }

  place(token: Token = this.token): Place {
    return { ...this.line, column: token.column };
  }

  take(): Token {
    const token = this.token;
    if (token.type !== 'end') this.at++;
    return token;
  }

  /** Takes the token if it is this mark or word. */
  accept(text: string): boolean {
    if (this.token.type === 'end' || this.token.text !== text) return false;
    this.at++;
    return true;
  }

  expect(...texts: readonly string[]): void {
    for (const text of texts) if (!this.accept(text)) this.expected(`'${text}'`);
  }

  expected(what: string, token: Token = this.token): never {
    const found = token.type === 'end' ? 'the end of the line' : `'${token.text}'`;
    this.fail(`expected ${what}, found ${found}`, token);
  }

  fail(message: string, token: Token = this.token): never {
    throw new InputError(message, this.place(token));
  }
}
