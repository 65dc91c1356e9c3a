/** A check relies on a number; what it was made from must be the same where another path is found covered. One program for every insn that is gone back over. */
import { judged } from '../../support/pruning/judge.js';

judged('precision', 'what a check relies on is found as by Linux');
