/** The names that text may use for numbers. They come from outside, so that the instruction set knows no tables of the kernel. */

export interface Symbols {
  /** Id of a helper (`enum bpf_func_id`) by its full name, `bpf_map_lookup_elem`. */
  helperId(name: string): number | undefined;
  helperName(id: number): string | undefined;
  /** `Program.maps`, by name. */
  readonly maps: readonly string[];
  /** `Program.kfuncs`. The assembler starts from these and adds names that it meets. */
  readonly kfuncs: readonly string[];
  /** Whether a kfunc of this name exists. Without it, any name that is neither label nor helper is taken for a kfunc. */
  isKfunc?(name: string): boolean;
}

/** No names at all: helpers, maps and kfuncs by number. */
export const NO_SYMBOLS: Symbols = {
  helperId: () => undefined,
  helperName: () => undefined,
  maps: [],
  kfuncs: [],
};

/** A name as the text can hold it: letters, digits, `_`, `.` and `$`, not starting with a digit. */
export const NAME = /^[A-Za-z_.$][\w.$]*$/;

/** Names that mean something else where a label, a map or a function may stand. */
export function isReserved(name: string): boolean {
  return /^([rw]\d+|pc|kfunc|unknown|skb)$/.test(name);
}
