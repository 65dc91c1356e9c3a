/** Heads of tables. */
import type { JSX } from 'preact';

/** A column of numbers, whose head stands on the right as they do. */
export interface CountColumn {
  readonly count: string;
}

/** The head of a column of numbers. */
export const count = (name: string): CountColumn => ({ count: name });

/** One row of column heads, from left to right. `hidden`: only screen readers are told. */
export function Head({
  columns,
  hidden,
}: {
  readonly columns: readonly (string | CountColumn)[];
  readonly hidden?: boolean;
}): JSX.Element {
  return (
    <thead class={hidden === true ? 'sr' : ''}>
      <tr>
        {columns.map((column) =>
          typeof column === 'string' ? (
            <th scope="col" key={column}>
              {column}
            </th>
          ) : (
            <th scope="col" class="number" key={column.count}>
              {column.count}
            </th>
          ),
        )}
      </tr>
    </thead>
  );
}
