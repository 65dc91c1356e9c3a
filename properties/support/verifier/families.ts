/** All families of small programs. */
import type { Family } from './family.js';
import { givenWrongly, held, heldTogether, threeHeld } from './resources.js';

export const FAMILIES: readonly Family[] = [held, givenWrongly, heldTogether, threeHeld];
