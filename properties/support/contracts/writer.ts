/** Puts a program together: items in order, what must be undone at the end, the maps and kfuncs that they name. */
import {
  add,
  callHelper,
  callKfunc,
  exit,
  ldMapValue,
  mov,
  type Reg,
  r0,
  r1,
  r6,
  r10,
  st,
} from '../../../src/isa/build.js';
import { type Item, label, link } from '../../../src/isa/label.js';
import type { Contract } from '../../../src/kernel/contract.js';
import type { LocalType, MapDef, Program, ProgType } from '../../../src/object/program.js';
import { attachFor } from '../kernel/programs.js';
import { NoWay } from './things.js';

/** A step of the end, and the label after it: a jump there leaves the step out. */
export interface Step {
  items: Item[];
  readonly skip: string;
}

export class Writer {
  protected readonly items: Item[] = [mov(r6, r1)];
  /** Done at the end, last first. */
  protected readonly cleanup: Step[] = [];
  protected readonly maps: MapDef[] = [];
  protected readonly kfuncs: string[] = [];
  protected localType: LocalType | undefined;
  protected calledBack = false;
  /** What a callback returns. */
  protected returned = 0;
  private depth = 0;
  private labels = 0;

  constructor(protected readonly type: ProgType) {}

  /** The program: what was written, the steps of the end, and the callback if one was named. */
  protected finish(): Program {
    for (const { items, skip } of this.cleanup.reverse()) this.items.push(...items, label(skip));
    this.items.push(mov(r0, 0), exit());
    if (this.calledBack) this.items.push(label('callback'), mov(r0, this.returned), exit());
    const { insns, labels } = link(this.items);
    const start = labels.get('callback');
    return {
      name: 'call',
      type: this.type,
      insns,
      maps: this.maps,
      kfuncs: this.kfuncs,
      subprogs: [
        { name: 'main', start: 0, linkage: 'global' },
        ...(start === undefined ? [] : [{ name: 'callback', start, linkage: 'static' as const }]),
      ],
      localTypes: this.localType === undefined ? [] : [this.localType],
      ...attachFor(this.type),
    };
  }

  /** A label that is not in use. */
  protected name(): string {
    return `label${this.labels++}`;
  }

  /** Registers what must be done at the end, before all that was registered before. Returns the label that leaves it out. */
  protected undo(items: Item[]): string {
    const skip = this.name();
    this.cleanup.push({ items, skip });
    return skip;
  }

  protected insn(c: Contract): Item {
    return c.kind === 'helper' ? callHelper(c.id) : callKfunc(index(this.kfuncs, c.name));
  }

  /** `reg = ` the value of this map, which is made if there is none of its name. */
  protected value(reg: Reg<64>, map: MapDef): Item {
    const found = this.maps.find((m) => m.name === map.name) ?? map;
    return ldMapValue(reg, index(this.maps, found));
  }

  /** `reg = fp - n`, with `bytes` bytes there. */
  protected stack(reg: Reg<64>, bytes: number, written: boolean): Item[] {
    const from = this.room(bytes);
    if (written) for (let off = from; off < from + bytes; off += 8) this.items.push(st(8, r10, off, 0));
    return [mov(reg, r10), add(reg, from)];
  }

  /** Room for `bytes` on the stack: the offset from the frame pointer. */
  protected room(bytes: number): number {
    this.depth -= Math.ceil(bytes / 8) * 8;
    if (this.depth < -512) throw new NoWay('the stack is full');
    return this.depth;
  }
}

/** The place of `wanted` in `list`, where it is put if it is not there. */
export function index<T>(list: T[], wanted: T): number {
  const found = list.indexOf(wanted);
  return found >= 0 ? found : list.push(wanted) - 1;
}
