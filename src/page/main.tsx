/** The page: reads its document, and shows the view that the URL asks for. */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { JSX } from 'preact/jsx-runtime';
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { type Loaded, loadData } from './data.js';
import { Documents, titleOf } from './documents.js';
import { Finding } from './finding/finding.js';
import { FindingList } from './list.js';
import { Night } from './night.js';
import { ObjectList, ObjectView } from './object.js';
import { linkTo, type Route, useRoute } from './route.js';

/** Follow the system, or one of both. */
type Theme = 'auto' | 'light' | 'dark';
const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

interface Tab {
  readonly path: string;
  readonly label: string;
}

function tabsOf({ data }: Loaded): readonly Tab[] {
  const { night, cases, objects, documents } = data;
  return [
    ...(night === null ? [] : [{ path: 'night', label: 'Night' }]),
    ...(cases.length === 0 ? [] : [{ path: 'findings', label: `Findings ${cases.length}` }]),
    ...(objects.length === 0 ? [] : [{ path: 'objects', label: `Programs ${objects.length}` }]),
    ...(documents.length === 0
      ? []
      : [{ path: 'documents', label: [...new Set(documents.map(titleOf))].join(', ') }]),
  ];
}

/** Where one begins: at the only thing there is, else at the first tab. */
function home({ data }: Loaded, tabs: readonly Tab[]): Route {
  const { night, cases, objects, documents } = data;
  const alone = night === null && documents.length === 0;
  const path =
    alone && cases.length === 1 && objects.length === 0
      ? ['case', cases[0]!.id]
      : alone && objects.length === 1 && cases.length <= 1
        ? ['object', objects[0]!.id]
        : [tabs[0]?.path ?? 'findings'];
  return { path, query: new Map() };
}

function App({ loaded }: { readonly loaded: Loaded }): JSX.Element {
  const asked = useRoute();
  const tabs = tabsOf(loaded);
  const route = asked.path.length === 0 ? { ...home(loaded, tabs), query: asked.query } : asked;
  const [theme, setTheme] = useState<Theme>('auto');
  const look = useLook(theme);
  const key = route.path.join('/');
  // another view begins at its top
  useEffect(() => window.scrollTo(0, 0), [key]);
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        to the content
      </button>
      <header class="top">
        <a class="name" href="#/">
          swansong
        </a>
        <nav aria-label="Views">
          {tabs.map(({ path, label }) => (
            <a key={path} href={linkTo([path])} aria-current={sectionOf(route) === path ? 'page' : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <button
          type="button"
          class="small"
          data-theme-switch
          onClick={() => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!)}
        >
          {theme === 'auto' ? 'light and dark' : theme}
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <View loaded={loaded} route={route} theme={look} />
      </main>
      <footer class="muted">
        {loaded.data.title}
        <Keys />
      </footer>
    </>
  );
}

function Keys(): JSX.Element {
  return (
    <p class="keys">
      On a finding: <kbd>←</kbd> <kbd>→</kbd> step, <kbd>Home</kbd> <kbd>End</kbd> first and last,{' '}
      <kbd>a</kbd> acquire, <kbd>k</kbd> kill, <kbd>b</kbd> break, <kbd>1</kbd> <kbd>2</kbd> <kbd>3</kbd> run.
    </p>
  );
}

/** Sets the theme, and answers what it comes to: `light` or `dark`. */
function useLook(theme: Theme): string {
  const [system, setSystem] = useState(matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const changed = (): void => setSystem(query.matches);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, []);
  const look = theme === 'auto' ? (system ? 'dark' : 'light') : theme;
  document.documentElement.dataset.theme = look;
  return look;
}

const SECTIONS: Readonly<Record<string, string>> = { case: 'findings', object: 'objects' };
const sectionOf = ({ path: [first = ''] }: Route): string => SECTIONS[first] ?? first;

function View({
  loaded,
  route,
  theme,
}: {
  readonly loaded: Loaded;
  readonly route: Route;
  readonly theme: string;
}): JSX.Element {
  const { data, caseOf, objectOf } = loaded;
  const [first, id = ''] = route.path;
  const { night } = data;
  const one = caseOf.get(id);
  const object = objectOf.get(id);
  if (first === 'case' && one !== undefined)
    return <Finding key={id} one={one} route={{ ...route, path: [first, id] }} />;
  if (first === 'object' && object !== undefined) return <ObjectView one={object} />;
  if (first === 'night' && night !== null)
    return <Night night={night} cases={data.cases} route={route} theme={theme} />;
  if (first === 'findings')
    return (
      <>
        <h1 class="sr">{data.title}</h1>
        <FindingList cases={data.cases} route={route} />
      </>
    );
  if (first === 'objects')
    return (
      <>
        <h1 class="sr">{data.title}</h1>
        <ObjectList objects={data.objects} />
      </>
    );
  if (first === 'documents') return <Documents documents={data.documents} theme={theme} />;
  return (
    <>
      <h1>Not here</h1>
      <p>
        This page has no <code>{route.path.join('/')}</code>. <a href="#/">To its beginning.</a>
      </p>
    </>
  );
}

const place = document.getElementById('page')!;
loadData().then(
  (loaded) => {
    place.replaceChildren();
    render(<App loaded={loaded} />, place);
    document.documentElement.dataset.ready = '';
  },
  (error: Error) => {
    place.textContent = `The data of this page cannot be read: ${error.message}`;
  },
);
