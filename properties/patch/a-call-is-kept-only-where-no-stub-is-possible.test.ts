/**
 * Why no stub is possible is said just where none is: an outcome that needs nothing a stub cannot do is one that a stub may imitate. And
 * the strength of rule sets is what the docs say.
 */
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { contracts } from '../../src/kernel/catalog.js';
import { imitableOutcomes } from '../../src/kernel/describe.js';
import { needs, whyNoStub } from '../../src/patch/no-stub.js';
import sound from '../../src/patch/sets/sound.js';
import { decideIn, situationsOf } from '../../src/patch/situations.js';
import { CORPUS, here } from '../support/cli.js';

test('an outcome needs something exactly where no stub can imitate it', () => {
  for (const contract of contracts()) {
    const imitable = imitableOutcomes(contract);
    for (const outcome of contract.outcomes)
      expect([contract.name, outcome.name, needs(outcome).length === 0]).toEqual([
        contract.name,
        outcome.name,
        imitable.includes(outcome),
      ]);
  }
});

test('sound keeps a call just where it is said why', () => {
  for (const contract of contracts()) {
    for (const situation of situationsOf(contract)) {
      const { action } = decideIn(sound, contract, situation);
      const why = whyNoStub(contract, situation.enabled);
      expect([contract.name, why !== undefined]).toEqual([contract.name, action.kind === 'keep']);
      // Every outcome that is possible is named, with what it needs.
      for (const { name } of situation.enabled) if (why !== undefined) expect(why).toContain(`${name} `);
    }
  }
});

test('the words are those of the outcome', () => {
  const why = (name: string) => whyNoStub(contracts().find((one) => one.name === name)!);
  expect(why('bpf_spin_lock')).toMatch(/: taken takes the spin_lock in argument 1 and takes long$/);
  expect(why('bpf_rcu_read_lock')).toMatch(/: entered enters the rcu section$/);
  expect(why('bpf_ringbuf_reserve')).toBeUndefined();
});

const docs = readFileSync(resolve(import.meta.dirname, '../../docs/strength.md'), 'utf8');

/** Why objects cannot be relocated here; undefined where they can. */
const noBtf = ((): string | undefined => {
  try {
    accessSync('/sys/kernel/btf/vmlinux', constants.R_OK);
    return undefined;
  } catch {
    return 'the sample objects need the BTF of the kernel';
  }
})();

test('the strength of the shipped rule sets is what the docs say', async (context) => {
  if (noBtf !== undefined) return context.skip(noBtf);
  const objects = readdirSync(`${CORPUS}/objects`).filter((name) => name.endsWith('.o'));
  const { exit, out } = await here([
    'rules',
    'strength',
    ...objects.map((name) => `${CORPUS}/objects/${name}`),
  ]);
  expect(exit).toBe(0);
  expect(docs).toContain(out);
});
