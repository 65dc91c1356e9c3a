/** What plain data must look like, and where it does not: files are read back by other builds, and after accidents. */

/** Says where a value is not what it must be: `coverage.types: expected an object`; undefined where it is. */
export type Shape = (value: unknown, at: string) => string | undefined;

const must =
  (what: string, is: (value: unknown) => boolean): Shape =>
  (value, at) =>
    is(value) ? undefined : `${at === '' ? '' : `${at}: `}expected ${what}`;

export const aCount = must(
  'a whole number from 0',
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
);
export const aNumber = must('a whole number', Number.isSafeInteger);
export const aText = must('a text', (value) => typeof value === 'string');
export const aFlag = must('true or false', (value) => typeof value === 'boolean');
/** One that passes a test; `what` says in words which. */
export const such = must;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A list of such things. */
export const listOf =
  (shape: Shape): Shape =>
  (value, at) =>
    Array.isArray(value)
      ? firstOf(value.map((one, i) => () => shape(one, `${at}[${i}]`)))
      : `${at}: expected a list`;

/** An object whose values are such things, whatever they are called. */
export const valuesOf =
  (shape: Shape): Shape =>
  (value, at) =>
    isObject(value)
      ? firstOf(
          Object.entries(value).map(
            ([key, one]) =>
              () =>
                shape(one, below(at, key)),
          ),
        )
      : `${at}: expected an object`;

/** An object that has at least these; a `?` behind the name of one that may be missing. */
export const having =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value, at) => {
    if (!isObject(value)) return `${at === '' ? '' : `${at}: `}expected an object`;
    return firstOf(
      Object.entries(fields).map(([name, shape]) => () => {
        const key = name.replace(/\?$/, '');
        if (value[key] === undefined) return key === name ? `${below(at, key)} is missing` : undefined;
        return shape(value[key], below(at, key));
      }),
    );
  };

const below = (at: string, key: string): string => (at === '' ? key : `${at}.${key}`);

function firstOf(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const wrong = check();
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}
