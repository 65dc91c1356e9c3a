/** Two paths meet with stack slots that differ in one thing: the kinds of bytes, what is spilled, in what width; and slots that are needed or not. */
import { judged } from '../../support/pruning/judge.js';

judged('stack', 'stack slots that differ are compared as by Linux');
