/** Two paths meet with registers that differ in one thing: a bound, the kind of a pointer, an offset, an id. Linux judged each pair. */
import { judged } from '../../support/pruning/judge.js';

judged('registers', 'registers that differ are compared as by Linux');
