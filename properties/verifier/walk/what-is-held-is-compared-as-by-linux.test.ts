/** Two paths meet that hold different things: references, locks, sections, saved interrupts, iterators, dynptrs; or came by different calls. */
import { judged } from '../../support/pruning/judge.js';

judged('held', 'what is held is compared as by Linux');
