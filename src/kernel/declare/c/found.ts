/** What the readers of C hand on. */
import type { JsonObject } from '../fields.js';

/** A function that was found, as far as the source tells. */
export interface FoundFunction {
  readonly kind: 'helper' | 'kfunc';
  readonly name: string;
  /** Fields of its declaration. */
  readonly fields: JsonObject;
  /** What the source says and no field can. */
  readonly remark?: string;
}
