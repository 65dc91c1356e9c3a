/** Two counters of one value must stay equal: each event is counted in both. */
import type { MapsView } from 'swansong';

/** What must hold after every run, killed or not. */
export const invariants = ({ counters }: MapsView): boolean | string => {
  for (const key of counters?.keys ?? []) {
    const [received, answered] = [counters?.u64(key, 0), counters?.u64(key, 8)];
    if (received !== answered) return `${received} events were received, ${answered} were answered`;
  }
  return true;
};
