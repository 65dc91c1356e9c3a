/** Puts the data of a page together: cases, programs of objects, a campaign, documents of other commands. */
import type { NamedRules } from '../../campaign/naming/rules.js';
import type { KernelProfile } from '../../kernel/profile.js';
import type { Program } from '../../object/program.js';
import type { Profile } from '../../verifier/state/profile.js';
import { type AboutCase, CaseViewer } from './case-view.js';
import { leftOutView, objectView } from './object-view.js';
import type { PageCase, PageData, PageDocument, PageNight, PageObject } from './shape.js';

/** Collects what a page shows, in the order in which it is added. Ids are unique on the page. */
export class PageMaker {
  readonly cases: PageCase[] = [];
  private readonly objects: PageObject[] = [];
  private readonly documents: PageDocument[] = [];
  private readonly ids = new Set<string>();
  private readonly viewer = new CaseViewer();
  night: PageNight | null = null;

  /** Adds a case and answers its data. `path`: where it is, so that its rule file is found. */
  async addCase(text: string, path: string, about: Omit<AboutCase, 'id'>): Promise<PageCase> {
    const view = await this.viewer.view(text, path, { id: this.idOf(path), ...about });
    this.cases.push(view);
    return view;
  }

  /** Proves a program and adds it; where it is refuted its witness is added as a case. */
  async addObject(
    program: Program,
    file: string,
    rules: NamedRules,
    options: { readonly profile?: Profile; readonly kernel?: KernelProfile },
  ): Promise<PageObject> {
    const id = this.idOf(`${file.replace(/\.\w+$/, '')}-${program.name}`);
    const { view, witness } = await objectView(program, { id, file }, rules, options);
    const shown =
      witness === undefined
        ? undefined
        : await this.addCase(witness, `${id}-witness.bpf`, { file: `${id}-witness.bpf` });
    const object = { ...view, witness: shown?.id ?? null };
    this.objects.push(object);
    return object;
  }

  /** Adds a program that is not modelled. */
  addLeftOut(file: string, name: string, reason: string): void {
    this.objects.push(leftOutView(this.idOf(`${file}-${name}`), file, name, reason));
  }

  addDocument(document: PageDocument): void {
    this.documents.push(document);
  }

  data(title: string): PageData {
    const { cases, objects, night, documents } = this;
    return { title, cases, objects, night, documents };
  }

  private idOf(path: string): string {
    const name = path
      .replace(/^.*\//, '')
      .replace(/\.bpf$/, '')
      .replace(/[^\w.+-]+/g, '_');
    for (let n = 1; ; n++) {
      const id = n === 1 ? name : `${name}-${n}`;
      if (this.ids.has(id)) continue;
      this.ids.add(id);
      return id;
    }
  }
}
