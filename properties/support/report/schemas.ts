/** JSON Schemas of the types of `src/report/documents.ts`: what `JSON.stringify` makes of a value of the type. */
import { resolve } from 'node:path';
import { Node, Project, type Symbol as TsSymbol, type Type, TypeFormatFlags, type ts } from 'ts-morph';
import { schemaName } from '../../../src/report/document.js';

const ROOT = resolve(import.meta.dirname, '../../..');

/** A JSON Schema, draft-07. */
export type Schema = { [key: string]: unknown };

/** The schema of each document, by the command's name. Takes some seconds: the whole program is type-checked. */
export function schemasOfDocuments(): ReadonlyMap<string, Schema> {
  const project = new Project({
    tsConfigFilePath: resolve(ROOT, 'tsconfig.json'),
    skipAddingFilesFromTsConfig: true,
  });
  const file = project.addSourceFileAtPath(resolve(ROOT, 'src/report/documents.ts'));
  const documents = file.getInterfaceOrThrow('Documents').getType();
  return new Map(
    documents.getProperties().map((property) => {
      const command = property.getName();
      const type = property.getTypeAtLocation(file);
      return [command, documentSchema(command, new Reader(file, command), type)];
    }),
  );
}

/** The head that every document has, and the members of its own. */
function documentSchema(command: string, reader: Reader, type: Type): Schema {
  const body = reader.document(type);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: schemaName(command),
    title: command === 'error' ? 'where a command has no answer' : `swansong ${command} --json`,
    ...body,
    ...(reader.definitions.size === 0 ? {} : { definitions: Object.fromEntries(reader.definitions) }),
  };
}

const headOf = (command: string) => ({
  schema: { description: 'What this document is.', const: schemaName(command) },
  version: { description: 'The version of swansong that wrote it.', type: 'string' },
});

class Reader {
  readonly definitions = new Map<string, Schema>();
  private readonly names = new Map<ts.Type, string>();

  constructor(
    private readonly at: Node,
    private readonly command: string,
  ) {}

  document(type: Type): Schema {
    if (!type.isUnion()) return this.withHead(this.object(type));
    return { anyOf: type.getUnionTypes().map((one) => this.withHead(this.object(one))) };
  }

  private withHead({ properties, required, ...rest }: Schema): Schema {
    return {
      ...rest,
      properties: { ...headOf(this.command), ...(properties as object) },
      required: [...new Set(['schema', 'version', ...((required as string[] | undefined) ?? [])])],
    };
  }

  private schema(type: Type): Schema {
    const text = type.getText(undefined, TypeFormatFlags.NoTruncation);
    if (type.isString()) return { type: 'string' };
    if (type.isNumber()) return { type: 'number' };
    if (type.isBoolean()) return { type: 'boolean' };
    if (type.isNull()) return { type: 'null' };
    // Whatever another document holds.
    if (type.isUnknown()) return {};
    // As toJson writes them.
    if (text === 'bigint') return { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?[0-9]+$' }] };
    if (type.isLiteral()) return { const: type.isBooleanLiteral() ? text === 'true' : literalOf(type) };
    if (type.isUnion()) return this.union(type);
    if (type.isTemplateLiteral()) return { type: 'string' };
    if (type.isTuple())
      return { type: 'array', items: { anyOf: type.getTupleElements().map((one) => this.schema(one)) } };
    if (type.isArray() || type.isReadonlyArray())
      return { type: 'array', items: this.schema(type.getArrayElementTypeOrThrow()) };
    const name = (type.getAliasSymbol() ?? type.getSymbol())?.getName();
    const args = type.getTypeArguments();
    if (name === 'ReadonlyMap' || name === 'Map')
      return { type: 'object', additionalProperties: this.schema(args[1]!) };
    if (name === 'ReadonlySet' || name === 'Set') return { type: 'array', items: this.schema(args[0]!) };
    if (type.isObject() || type.isIntersection()) return this.named(type);
    throw new Error(`no schema for ${text}`);
  }

  private union(type: Type): Schema {
    const parts = type.getUnionTypes().filter((one) => !one.isUndefined());
    const literals = parts.filter(isWord);
    const isBoolean = parts.filter((one) => one.isBooleanLiteral()).length === 2;
    const others = parts.filter((one) => !literals.includes(one) && !(isBoolean && one.isBooleanLiteral()));
    const all = [
      ...(literals.length === 0 ? [] : [{ enum: literals.map(literalOf) }]),
      ...(isBoolean ? [{ type: 'boolean' }] : []),
      ...others.map((one) => this.schema(one)),
    ];
    return all.length === 1 ? all[0]! : { anyOf: all };
  }

  /** An interface is written once, so that types may hold themselves. */
  private named(type: Type): Schema {
    const symbol = type.getAliasSymbol() ?? type.getSymbol();
    const name = symbol?.getName() ?? '__type';
    const isPlain = name.startsWith('__') || type.getAliasTypeArguments().length > 0;
    if (isPlain) return this.object(type);
    const known = this.names.get(type.compilerType);
    if (known !== undefined) return { $ref: `#/definitions/${known}` };
    let free = name;
    for (let n = 2; this.definitions.has(free); n++) free = `${name}${n}`;
    this.names.set(type.compilerType, free);
    this.definitions.set(free, {});
    this.definitions.set(free, { ...describe(symbol), ...this.object(type) });
    return { $ref: `#/definitions/${free}` };
  }

  private object(type: Type): Schema {
    const index = type.getStringIndexType();
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    for (const property of type.getProperties()) {
      const own = property.getTypeAtLocation(this.at);
      if (own.getCallSignatures().length > 0) continue;
      const name = property.getName();
      const optional =
        property.isOptional() || own.isUndefined() || own.getUnionTypes().some((one) => one.isUndefined());
      if (!optional) required.push(name);
      properties[name] = { ...describe(property), ...this.schema(own) };
    }
    return {
      type: 'object',
      properties,
      ...(required.length === 0 ? {} : { required }),
      ...(index === undefined ? {} : { additionalProperties: this.schema(index) }),
    };
  }
}

const literalOf = (type: Type): unknown => (type as Type<ts.LiteralType>).getLiteralValue();
const isWord = (type: Type): boolean => type.isStringLiteral() || type.isNumberLiteral();

/** The doc comment, in one line. */
function describe(symbol: TsSymbol | undefined): Schema {
  const [declaration] = symbol?.getDeclarations() ?? [];
  if (declaration === undefined) return {};
  const documented = Node.isJSDocable(declaration) ? declaration : undefined;
  const text = documented
    ?.getJsDocs()
    .at(-1)
    ?.getDescription()
    .trim()
    .replace(/\s*\n\s*/g, ' ');
  return text === undefined || text === '' ? {} : { description: text };
}
