/** Who imports whom in a source tree, and what of it goes against the layers of the house. */
import { dirname, join, normalize } from 'node:path/posix';
import { type Project, type SourceFile, SyntaxKind } from 'ts-morph';

/**
 * The folders, lowest first. A folder imports only from itself and from those before it. The wings of the verifier, of
 * the VM and of campaigns are folders of their own; `src/verifier`, `src/vm` and `src/campaign` themselves are their faces.
 */
export const LAYERS = [
  'src/isa',
  'src/object',
  'src/kernel',
  'src/semantics',
  'src/verifier/scalar',
  'src/verifier/text',
  'src/verifier/state',
  'src/verifier/insn',
  'src/verifier/call',
  'src/verifier/walk',
  'src/verifier',
  'src/patch',
  'src/vm/state',
  'src/vm/call',
  'src/vm/insn',
  'src/vm/case',
  'src/vm',
  'src/strategies',
  'src/smt',
  'src/oracle',
  'src/live',
  'generators',
  'src/cost',
  'src/policy',
  'src/campaign/naming',
  'src/campaign/kill',
  'src/campaign/shrink',
  'src/campaign/witness',
  'src/campaign/check',
  'src/campaign/threads',
  'src/campaign/shards',
  'src/campaign/storage',
  'src/campaign/queue',
  'src/campaign/rule-check',
  'src/campaign/guidance',
  'src/campaign/agreement',
  'src/campaign',
  'src/design',
  'src/report',
  'src/cli',
] as const;

/** The page: it runs in a browser, as one bundle. Nobody imports it, and of the product it imports the types of its data alone. */
const PAGE = 'src/page/';
const PAGE_DATA = 'src/report/page/shape';

/** One import. Paths are relative to the tree's root, without extension; `to` is a package where `external` says so. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly external: boolean;
}

const withoutExtension = (path: string): string => path.replace(/\.(m?[jt]sx?|d\.ts)$/, '');

function specifiers(file: SourceFile): string[] {
  const declared = [...file.getImportDeclarations(), ...file.getExportDeclarations()].flatMap((one) => {
    const specifier = one.getModuleSpecifierValue();
    return specifier === undefined ? [] : [specifier];
  });
  const called = file.getDescendantsOfKind(SyntaxKind.CallExpression).flatMap((call) => {
    if (call.getExpression().getKind() !== SyntaxKind.ImportKeyword) return [];
    const argument = call.getArguments()[0];
    return argument?.isKind(SyntaxKind.StringLiteral) ? [argument.getLiteralValue()] : [];
  });
  const types = file
    .getDescendantsOfKind(SyntaxKind.ImportType)
    .map((type) => type.getArgument().getText().slice(1, -1));
  return [...declared, ...called, ...types];
}

/** All imports of the files of a project below `root`: declarations, re-exports, dynamic imports and import types. */
export function importsOf(project: Project, root: string): Edge[] {
  return project.getSourceFiles().flatMap((file) => {
    const path = file.getFilePath().slice(root.length + 1);
    const from = withoutExtension(path);
    return specifiers(file).map((specifier): Edge => {
      if (!specifier.startsWith('.')) return { from, to: specifier, external: true };
      return { from, to: withoutExtension(normalize(join(dirname(path), specifier))), external: false };
    });
  });
}

/** The folder that a file lies in: the deepest one that the house knows. */
function layerOf(path: string): number {
  let found = -1;
  LAYERS.forEach((layer, index) => {
    if (path.startsWith(`${layer}/`) && layer.length > (LAYERS[found]?.length ?? 0)) found = index;
  });
  return found;
}

/** Imports that go upwards, or from or to a place that is no layer, one sentence each. */
export function upwards(edges: readonly Edge[]): string[] {
  return edges.flatMap(({ from, to, external }) => {
    if (from.startsWith(PAGE))
      return external || to.startsWith(PAGE) || to === PAGE_DATA
        ? []
        : [`${from} imports ${to}, which is not the page's`];
    if (to.startsWith(PAGE) && !external) return [`${from} imports ${to}, which runs in a browser`];
    const importer = layerOf(from);
    if (importer < 0) return [`${from} lies in no folder of the house`];
    if (external) return importer === 0 ? [`${from} imports ${to}, and src/isa imports nothing`] : [];
    const imported = layerOf(to);
    if (imported < 0) return [`${from} imports ${to}, which lies in no folder of the house`];
    if (imported > importer) return [`${from} imports ${to}, which lies above it`];
    return [];
  });
}

/** Circles of imports, each once, as the files along it. */
export function circles(edges: readonly Edge[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { from, to, external } of edges) {
    if (!external) targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push([...path.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    path.push(file);
    for (const target of targets.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of targets.keys()) visit(file);
  return found;
}

/**
 * Imports of packages that are not in `allowed`; `bundled` are those that the page may import, whose bundle carries them. Modules of Node itself
 * (`node:fs`) are allowed everywhere but in the page.
 */
export function strangers(
  edges: readonly Edge[],
  allowed: ReadonlySet<string>,
  bundled: ReadonlySet<string> = new Set(),
): string[] {
  return edges.flatMap(({ from, to, external }) => {
    const isPage = from.startsWith(PAGE);
    if (!external || (to.startsWith('node:') && !isPage)) return [];
    const name = to
      .split('/')
      .slice(0, to.startsWith('@') ? 2 : 1)
      .join('/');
    return (isPage ? bundled : allowed).has(name) ? [] : [`${from} imports ${name}, which is no dependency`];
  });
}
