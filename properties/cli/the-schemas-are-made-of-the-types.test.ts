/**
 * Each file in docs/schema is what the type of its document says today. `npm run schemas` writes them anew. That documents are what the schemas say
 * is held where documents are made: by every property that reads one.
 */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { schemaFile } from '../support/report/documents.js';
import { schemasOfDocuments } from '../support/report/schemas.js';

const FOLDER = resolve(import.meta.dirname, '../../docs/schema');

it('each type has its file, and each file its type', async () => {
  const schemas = schemasOfDocuments();
  for (const [command, schema] of schemas)
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(
      join(FOLDER, schemaFile(command)),
    );
  expect(readdirSync(FOLDER).sort()).toEqual([...schemas.keys()].map(schemaFile).sort());
});
