/**
 * A case that is written into another folder than the one that its rule file was named from still names the same file. Rule sets that come with
 * swansong, files that are not there, and paths with a blank, which would end the name, stay as they are.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withRulesFrom } from '../../../src/campaign/naming/rules.js';
import { seeded } from '../../support/seed.js';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'swansong-'));
});
afterAll(() => rmSync(root, { recursive: true }));

const names = fc.constantFrom('a', 'b', 'c', '..');
const folders = fc.array(names, { maxLength: 4 }).map((parts) => join('x', 'y', 'z', 'w', ...parts));
const text = (name: string): string => `.type xdp\n  .rules ${name}\n.kill 1\n r0 = 0\n exit\n`;
const nameIn = (of: string): string => /^ {2}\.rules (.*)$/m.exec(of)![1]!;

it('whatever the three folders are', () => {
  fc.assert(
    fc.property(folders, folders, folders, fc.boolean(), (file, from, to, whole) => {
      const rules = join(root, file, 'rules.ts');
      mkdirSync(dirname(rules), { recursive: true });
      writeFileSync(rules, '');
      const base = join(root, from);
      // From the base to the root of the file system and down again, however deep the base is.
      const named = whole ? rules : join(...Array.from(base.split('/').slice(1), () => '..'), rules);
      expect(resolve(base, named)).toBe(rules);
      const after = withRulesFrom(text(named), join(root, to), base);
      expect(resolve(join(root, to), nameIn(after))).toBe(rules);
      expect(after.replace(nameIn(after), named)).toBe(text(named));
    }),
    seeded(100),
  );
});

it('or leaves it as it is', () => {
  mkdirSync(join(root, 'with blank'), { recursive: true });
  writeFileSync(join(root, 'with blank', 'rules.ts'), '');
  writeFileSync(join(root, 'rules.ts'), '');
  for (const name of ['rfc-v1', 'sound', 'missing.ts'])
    expect(withRulesFrom(text(name), join(root, 'out'), root)).toBe(text(name));
  expect(withRulesFrom(text('rules.ts'), join(root, 'out'), join(root, 'with blank'))).toBe(text('rules.ts'));
});
