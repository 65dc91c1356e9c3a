/**
 * The part of a kernel's types that a program uses. `Asked` records questions and answers. `ToldTypes` answers from such a record, so
 * that a text means the same without the kernel that it was made for. A question that is not in the record is refused, not guessed.
 */
import type { Attachment, KernelArgument, KernelTypes, ProgType, StructAccess } from '../program.js';

type Variable = NonNullable<ReturnType<KernelTypes['variable']>>;
type Place = NonNullable<ReturnType<KernelTypes['member']>>;

/** Questions and their answers; keys as the functions below make them. */
export interface Told {
  readonly has: Map<string, boolean>;
  readonly names: Map<number, string>;
  readonly variables: Map<number, Variable>;
  /** By `struct offset inner`. */
  readonly holds: Map<string, boolean>;
  /** By `struct member`. */
  readonly members: Map<string, Place>;
  /** By `struct offset size`. */
  readonly accesses: Map<string, StructAccess>;
  /** Of what the program attaches to. */
  args?: readonly KernelArgument[];
}

/** An empty record of questions and answers, to be filled by `Asked` or by the directives of a text. */
export const nothingTold = (): Told => ({
  has: new Map(),
  names: new Map(),
  variables: new Map(),
  holds: new Map(),
  members: new Map(),
  accesses: new Map(),
});

/** Answers as `types` does, and writes every answer down in `told`. */
export class Asked implements KernelTypes {
  readonly told: Told = nothingTold();

  constructor(private readonly types: KernelTypes) {}

  has(struct: string): boolean {
    const answer = this.types.has(struct);
    this.told.has.set(struct, answer);
    return answer;
  }

  nameOf(id: number): string | undefined {
    const answer = this.types.nameOf(id);
    if (answer !== undefined) this.told.names.set(id, answer);
    return answer;
  }

  variable(id: number): Variable | undefined {
    const answer = this.types.variable(id);
    if (answer !== undefined) this.told.variables.set(id, answer);
    return answer;
  }

  holds(struct: string, offset: number, inner: string): boolean {
    const answer = this.types.holds(struct, offset, inner);
    this.told.holds.set(`${struct}\n${offset}\n${inner}`, answer);
    return answer;
  }

  member(struct: string, name: string): Place | undefined {
    const answer = this.types.member(struct, name);
    if (answer !== undefined) this.told.members.set(`${struct}\n${name}`, answer);
    return answer;
  }

  access(struct: string, offset: number, size: number): StructAccess {
    const answer = this.types.access(struct, offset, size);
    this.told.accesses.set(`${struct}\n${offset}\n${size}`, answer);
    return answer;
  }

  arguments(type: ProgType, attach: Attachment): readonly KernelArgument[] | undefined {
    const answer = this.types.arguments(type, attach);
    if (answer !== undefined) this.told.args = answer;
    return answer;
  }
}

/** Types of a kernel out of a text. */
export class ToldTypes implements KernelTypes {
  constructor(readonly told: Told) {}

  /** A struct without a record counts as a kernel struct, so every load from it is refused. */
  has(struct: string): boolean {
    return this.told.has.get(struct) ?? true;
  }

  nameOf(id: number): string | undefined {
    return this.told.names.get(id);
  }

  variable(id: number): Variable | undefined {
    return this.told.variables.get(id);
  }

  holds(struct: string, offset: number, inner: string): boolean {
    return this.told.holds.get(`${struct}\n${offset}\n${inner}`) ?? (offset === 0 && struct === inner);
  }

  member(struct: string, name: string): Place | undefined {
    return this.told.members.get(`${struct}\n${name}`);
  }

  access(struct: string, offset: number, size: number): StructAccess {
    const message = `the text does not say what ${size} bytes at ${offset} of struct ${struct} are: write it again from its source`;
    return this.told.accesses.get(`${struct}\n${offset}\n${size}`) ?? { kind: 'refused', message };
  }

  arguments(): readonly KernelArgument[] | undefined {
    return this.told.args;
  }
}
