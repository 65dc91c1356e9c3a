/** Checked little-endian reads: whatever a file says about offsets and sizes, a read outside it is one InputError. */
import { InputError } from '../isa/errors.js';

/** Longest name that is read out of a string table, in bytes; the kernel's own limits are far below. */
const NAME_MAX = 4096;

const decoder = new TextDecoder('utf-8');

/** Text out of a file, fit for a message of one line: control characters as `\\xNN`. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** A view of some bytes of a file. Offsets count bytes from its start; `what` names it in errors. */
export class Bytes {
  private readonly view: DataView;

  constructor(
    readonly data: Uint8Array,
    readonly file: string,
    readonly what: string,
  ) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  get length(): number {
    return this.data.length;
  }

  /** Throws the InputError of this file. */
  fail(message: string): never {
    throw new InputError(printable(message), { file: this.file });
  }

  private check(offset: number, size: number): void {
    if (!(offset >= 0 && size >= 0 && offset + size <= this.data.length)) {
      this.fail(
        `${this.what} ends at byte ${this.data.length}, expected ${size} bytes at ${offset} (cut or corrupt file)`,
      );
    }
  }

  u8(offset: number): number {
    this.check(offset, 1);
    return this.view.getUint8(offset);
  }

  u16(offset: number): number {
    this.check(offset, 2);
    return this.view.getUint16(offset, true);
  }

  u32(offset: number): number {
    this.check(offset, 4);
    return this.view.getUint32(offset, true);
  }

  i32(offset: number): number {
    this.check(offset, 4);
    return this.view.getInt32(offset, true);
  }

  /** A 64-bit word that must be an offset or a size: refused where a JavaScript number cannot hold it. */
  u64(offset: number): number {
    this.check(offset, 8);
    const value = this.view.getBigUint64(offset, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      this.fail(`${this.what} has the impossible size or offset 0x${value.toString(16)} at byte ${offset}`);
    return Number(value);
  }

  /** A part, not copied. */
  part(offset: number, size: number, what = this.what): Bytes {
    this.check(offset, size);
    return new Bytes(this.data.subarray(offset, offset + size), this.file, what);
  }

  /** The NUL-terminated string at an offset; one without an end, or longer than any real name, is refused. */
  string(offset: number): string {
    this.check(offset, 1);
    const window = this.data.subarray(offset, offset + NAME_MAX + 1);
    const size = window.indexOf(0);
    if (size < 0)
      this.fail(
        `${this.what} has a string without an end at byte ${offset}, expected at most ${NAME_MAX} bytes`,
      );
    return decoder.decode(window.subarray(0, size));
  }
}
