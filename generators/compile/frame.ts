/**
 * Where values live while other code runs: the callee-saved registers r6 to r9 and the 8-byte slots of one stack frame.
 * A fragment asks for a home, keeps its value there while nested fragments run, and gives the home back.
 */

/** A place for a 64-bit value: a callee-saved register, or the stack slot at this (negative) offset from r10. */
export type Home = { readonly reg: number } | { readonly slot: number };

/**
 * Thrown when a fragment cannot be compiled where it stands; whoever compiles its parent leaves it out. Not an Error: many are thrown for
 * each program, and an Error walks the stack when it is made.
 */
export class Elided {
  constructor(readonly message: string) {}
}

const SAVED = [6, 7, 8, 9] as const;
const WORD = 8;

/**
 * Bytes of stack that one function may use, by how many callers it has. The kernel adds up whole chains of calls, each frame rounded up to
 * 32 bytes, and allows 512 (check_max_stack_depth); a callback counts as a call.
 */
export const STACK_BUDGET: readonly number[] = [224, 128, 96, 64];

type Use = 'home' | 'memory';

/** Registers and slots of one function while it is compiled. */
export class Allocator {
  private free: number[] = [...SAVED];
  /** Index 0 is the slot at r10 - 8. */
  private busy: boolean[] = [];
  private uses: (Use | undefined)[] = [];

  constructor(private readonly limit: number) {}

  /** A free register, or undefined. */
  register(): Home | undefined {
    const reg = this.free.shift();
    return reg === undefined ? undefined : { reg };
  }

  /**
   * Offset from r10 of the lowest byte of `bytes` (rounded up to words) of free stack, aligned to 8. Throws Elided when
   * the frame is full. A slot is either for homes or for memory, from its first use on: a pointer may still be in an old home, also in that of a later
   * insn of the same loop, and writing over a part of one is refused to loaders without all capabilities.
   */
  stack(bytes: number): number {
    return this.reserve(bytes, 'memory');
  }

  private reserve(bytes: number, use: Use): number {
    const words = Math.max(1, Math.ceil(bytes / WORD));
    const slots = this.limit / WORD;
    for (let top = 0; top + words <= slots; top++) {
      let run = 0;
      while (run < words && this.busy[top + run] !== true && (this.uses[top + run] ?? use) === use) run++;
      if (run === words) {
        for (let i = 0; i < words; i++) {
          this.busy[top + i] = true;
          this.uses[top + i] = use;
        }
        return -WORD * (top + words);
      }
      top += run;
    }
    throw new Elided(`no ${bytes} bytes of stack left`);
  }

  /** A register if there is one and none is refused, else a slot. */
  home(spill: boolean): Home {
    const register = spill ? undefined : this.register();
    if (register !== undefined) return register;
    return { slot: this.reserve(WORD, 'home') };
  }

  release(home: Home): void {
    if ('reg' in home) {
      this.free.push(home.reg);
      this.free.sort((a, b) => a - b);
    } else this.releaseStack(home.slot, WORD);
  }

  releaseStack(offset: number, bytes: number): void {
    const words = Math.max(1, Math.ceil(bytes / WORD));
    const top = -offset / WORD - words;
    for (let i = 0; i < words; i++) this.busy[top + i] = false;
  }

  /** What `restore` brings back. */
  save(): () => void {
    const free = this.free.slice();
    const busy = this.busy.slice();
    const uses = this.uses.slice();
    return () => {
      this.uses = uses.slice();
      this.free = free.slice();
      this.busy = busy.slice();
    };
  }
}
