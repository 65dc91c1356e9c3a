/** The page as one HTML file: it opens from disk, loads nothing, and carries its data, its script and its style. */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { InputError } from '../../isa/errors.js';

/** The bundled script and style of the page. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** Where `npm run build` puts the bundle: beside this file's built form, or in the tree's `dist` where the source itself runs. */
const PLACES = ['../../page/', '../../../dist/src/page/'];

/** Reads the bundle. Throws InputError where it was not built. */
export function pageAssets(): PageAssets {
  const folder = PLACES.map((place) => new URL(place, import.meta.url)).find((place) =>
    existsSync(new URL('page.js', place)),
  );
  if (folder === undefined) throw new InputError('the page is not built: npm run build');
  const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
  return { script: read('page.js'), style: read('page.css') };
}

/** Nothing may be loaded, whatever a document says. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const html = (text: string): string => text.replace(/[&<>"]/g, (char) => ENTITIES[char]!);

/** Text between `<script>` tags must not end them. */
const inScript = (text: string): string => text.replace(/<\/(?=script)/gi, '<\\/').replace(/<!--/g, '<\\!--');

const BEGIN = '<script type="application/gzip" id="data">';
const END = '</script>';

/**
 * The whole file. `json` is the document, which the page embeds compressed: `documentIn` gives it back. `title`: of the browser's window. Without
 * scripts the page says what it would show, in one sentence.
 */
export function pageHtml(title: string, json: string, { script, style }: PageAssets): string {
  const data = gzipSync(json, { level: 9 }).toString('base64');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="color-scheme" content="light dark">
<title>${html(title)}</title>
<style>
${style}
</style>
</head>
<body>
<div id="page"><noscript><p>${html(title)}: this page needs JavaScript. <code>swansong show CASE</code> shows a case in the terminal.</p></noscript></div>
${BEGIN}${data}${END}
<script type="module">
${inScript(script)}
</script>
</body>
</html>
`;
}

/** The document that a page carries, as JSON text. Throws InputError for a file that is no page. */
export function documentIn(page: string, file?: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END, from);
  if (from < 0 || to < 0)
    throw new InputError('this is no page of swansong', file === undefined ? {} : { file });
  return gunzipSync(Buffer.from(page.slice(from + BEGIN.length, to), 'base64')).toString('utf8');
}
