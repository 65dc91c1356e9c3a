/** The rows of docs/stricter-than-linux.md. */
import { readFileSync } from 'node:fs';

const docs = readFileSync(new URL('../../../docs/stricter-than-linux.md', import.meta.url), 'utf8');

/** The tables of what we refuse and Linux accepts. */
const ours = docs.slice(docs.indexOf('## Stricter'), docs.indexOf('## Looser'));

/** The messages that the docs name, each as a pattern: an ellipsis stands for anything. */
const rows = [...ours.matchAll(/^\| `([^`]+)`/gm)].map(([, words]) => {
  const parts = words!.split('…').map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('.*'));
});

/** Is there a row for this message of ours? */
export const hasRow = (message: string): boolean => rows.some((row) => row.test(message));
