/** A map as an object has it: where it is, and what it is. */
import type { MapDef } from './program.js';

/** A map of the object, or the reason why programs that use it are skipped. */
export type ObjectMap = { readonly name: string; readonly section: number; readonly offset: number } & (
  | { readonly def: MapDef }
  | { readonly problem: string }
);
