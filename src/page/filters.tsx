/** Filters over a list: each says how much it hides, all can be cleared, and they are in the URL. */
import type { JSX } from 'preact';
import { linkTo, type Route, replaceRoute } from './route.js';

/** One thing to choose by. */
export interface Facet<T> {
  /** Its name in the URL. */
  readonly name: string;
  readonly label: string;
  readonly of: (item: T) => string;
}

/** What is left of a list, and how many each filter hides by itself. */
export interface Filtered<T> {
  readonly shown: readonly T[];
  readonly hidden: number;
  readonly by: readonly { readonly label: string; readonly value: string; readonly hides: number }[];
}

/** Applies the filters of a route. `q` is looked for in all that `text` says. */
export function filtered<T>(
  items: readonly T[],
  facets: readonly Facet<T>[],
  text: (item: T) => string,
  { query }: Pick<Route, 'query'>,
): Filtered<T> {
  const tests: { label: string; value: string; passes: (item: T) => boolean }[] = [];
  for (const { name, label, of } of facets) {
    const value = query.get(name);
    if (value !== undefined) tests.push({ label, value, passes: (item) => of(item) === value });
  }
  const q = query.get('q')?.toLowerCase();
  if (q !== undefined)
    tests.push({ label: 'text', value: q, passes: (item) => text(item).toLowerCase().includes(q) });
  const shown = items.filter((item) => tests.every(({ passes }) => passes(item)));
  const by = tests.map(({ label, value, passes }) => ({
    label,
    value,
    hides: items.filter((item) => !passes(item)).length,
  }));
  return { shown, hidden: items.length - shown.length, by };
}

/** The controls of the filters of a view. */
export function Filters<T>({
  items,
  facets,
  route,
  what,
  result,
}: {
  readonly items: readonly T[];
  readonly facets: readonly Facet<T>[];
  readonly route: Route;
  /** What the list is of, for the count: `findings`. */
  readonly what: string;
  readonly result: Filtered<T>;
}): JSX.Element {
  const set = (name: string, value: string): void =>
    replaceRoute(linkTo(route.path, { ...Object.fromEntries(route.query), [name]: value }));
  const keep = Object.fromEntries(
    [...route.query].filter(([name]) => name !== 'q' && !facets.some((one) => one.name === name)),
  );
  return (
    <search class="filters">
      <label>
        <span>search</span>
        <input
          type="search"
          value={route.query.get('q') ?? ''}
          onInput={(event) => set('q', event.currentTarget.value)}
        />
      </label>
      {facets.map(({ name, label, of }) => {
        const counts = new Map<string, number>();
        for (const item of items) counts.set(of(item), (counts.get(of(item)) ?? 0) + 1);
        if (counts.size < 2) return null;
        return (
          <label key={name}>
            <span>{label}</span>
            <select
              name={name}
              value={route.query.get(name) ?? ''}
              onChange={(event) => set(name, event.currentTarget.value)}
            >
              <option value="">all</option>
              {[...counts]
                .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
                .map(([value, count]) => (
                  <option key={value} value={value}>
                    {value} ({count})
                  </option>
                ))}
            </select>
          </label>
        );
      })}
      <output class="counted" aria-live="polite">
        {result.hidden === 0
          ? `${items.length} ${what}`
          : `${result.shown.length} of ${items.length} ${what}; hidden: ${result.by
              .filter(({ hides }) => hides > 0)
              .map(({ label, value, hides }) => `${hides} by ${label} ‘${value}’`)
              .join(', ')}`}
      </output>
      {result.by.length === 0 ? null : (
        <button type="button" class="clear" onClick={() => replaceRoute(linkTo(route.path, keep))}>
          clear filters
        </button>
      )}
    </search>
  );
}
