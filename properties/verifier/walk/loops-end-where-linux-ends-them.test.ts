/** Loops of every kind, and callbacks: where they are found to come round to what was walked, and what changes in them is forgotten, as Linux does. */
import { judged } from '../../support/pruning/judge.js';

judged('loops', 'loops end where Linux ends them');
