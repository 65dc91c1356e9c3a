/** Families of calls: what is passed for each argument, and where the call is made. */
import { wrongArguments } from './arguments.js';
import { dynptrs, slices } from './dynptrs.js';
import type { Family } from './family.js';
import { places } from './places-of-calls.js';
import { sizes } from './sizes.js';

export const CALLING: readonly Family[] = [wrongArguments, sizes, dynptrs, slices, places];
