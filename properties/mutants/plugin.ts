/** The vitest plugin that puts a mutant in a file's place: SWANSONG_MUTANT names it. Without the variable nothing is changed. */
import { resolve } from 'node:path';
import type { Plugin } from 'vitest/config';
import { apply } from './apply.js';
import { mutantNamed } from './registry.js';

const ROOT = resolve(import.meta.dirname, '../..');

export function mutantPlugin(name: string): Plugin {
  const mutant = mutantNamed(name);
  const file = resolve(ROOT, mutant.file);
  return {
    name: 'swansong-mutant',
    enforce: 'pre',
    transform: (code, id) => (id === file ? { code: apply(mutant, code), map: null } : null),
  };
}
