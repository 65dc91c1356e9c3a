/** Where the page is: the part of the URL behind `#`, so that every view, step and filter has a link. */
import { useEffect, useState } from 'preact/hooks';

/** `#/case/ID?step=3`: the words between slashes, and what stands behind the question mark. */
export interface Route {
  readonly path: readonly string[];
  readonly query: ReadonlyMap<string, string>;
}

/** Reads the part behind `#`. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  return {
    path: path
      .split('/')
      .filter((word) => word !== '')
      .map(decodeURIComponent),
    query: new Map(new URLSearchParams(query)),
  };
}

/** The link to a view; what is undefined or empty in `query` is left out. */
export function linkTo(
  path: readonly string[],
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== '') params.set(key, `${value}`);
  const text = params.toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

const CHANGED = 'swansong-route';

/** Goes to a view without a new entry in the browser's history: for steps and filters, of which there are many. */
export function replaceRoute(link: string): void {
  history.replaceState(null, '', link);
  window.dispatchEvent(new Event(CHANGED));
}

/** The current route; the component is drawn anew when it changes. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    window.addEventListener('hashchange', changed);
    window.addEventListener(CHANGED, changed);
    return () => {
      window.removeEventListener('hashchange', changed);
      window.removeEventListener(CHANGED, changed);
    };
  }, []);
  return parseRoute(hash);
}
