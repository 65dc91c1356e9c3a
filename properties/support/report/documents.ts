/** Holds JSON documents against the files in docs/schema, strictly: a member that no schema knows is wrong, too. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { schemaName } from '../../../src/report/document.js';

const FOLDER = resolve(import.meta.dirname, '../../../docs/schema');

/** `rules-check.json` of `rules check`. */
export const schemaFile = (command: string): string => `${command.replaceAll(' ', '-')}.json`;

const validators = new Map<string, ValidateFunction>();

/** The same schema, in which no object has members that are not described. */
export function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(
    // Names of members are not words of the schema.
    Object.entries(schema).map(([key, value]) => [
      key,
      key === 'properties' || key === 'definitions'
        ? Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, strict(one)]))
        : strict(value),
    ]),
  );
  return 'properties' in schema && !('additionalProperties' in schema)
    ? { ...inner, additionalProperties: false }
    : inner;
}

/** What is wrong with a document, as its schema has it; undefined: nothing. */
export function troubleWith(text: string): string | undefined {
  const document = JSON.parse(text) as { schema?: unknown; version?: unknown };
  const { schema } = document;
  const command = /^swansong\/([a-z-]+)\/\d+$/.exec(String(schema))?.[1];
  if (command === undefined || schema !== schemaName(command))
    return `its schema is ${JSON.stringify(schema)}`;
  const file = join(FOLDER, schemaFile(command));
  if (!existsSync(file))
    return `there is no ${file}: add the document's type to src/report/documents.ts, then npm run schemas`;
  const validate =
    validators.get(command) ??
    new Ajv({ strict: true, allErrors: false, allowUnionTypes: true }).compile(
      strict(JSON.parse(readFileSync(file, 'utf8'))) as object,
    );
  validators.set(command, validate);
  if (validate(document)) return undefined;
  const told = validate.errors?.map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
  return `${told?.join('; ')} (src/report/documents.ts has the type; npm run schemas)`;
}
