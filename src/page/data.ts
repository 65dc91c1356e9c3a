/** The document that the page carries, unpacked in the browser. */
import type { PageCase, PageData, PageObject } from '../report/page/shape.js';

/** The page's data, with its cases and programs by id. */
export interface Loaded {
  readonly data: PageData;
  readonly caseOf: ReadonlyMap<string, PageCase>;
  readonly objectOf: ReadonlyMap<string, PageObject>;
}

/** Unpacks the document in the element `data`. Rejects where there is none, or where the browser cannot unpack it. */
export async function loadData(): Promise<Loaded> {
  const text = document.getElementById('data')?.textContent ?? '';
  const packed = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const data = (await new Response(stream).json()) as PageData;
  return {
    data,
    caseOf: new Map(data.cases.map((one) => [one.id, one])),
    objectOf: new Map(data.objects.map((one) => [one.id, one])),
  };
}
