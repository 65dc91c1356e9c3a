/** Each case of a folder stands alone: one that is no case is a failed case with its file, and the others are replayed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { replayFiles } from '../../../src/campaign/check/replay.js';

test('the good cases of a folder replay beside the bad ones', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'swansong-'));
  try {
    const good = '.type xdp\n\nw0 = 0\nexit\n';
    const texts: Readonly<Record<string, string | Uint8Array>> = {
      'a-good.bpf': good,
      'b-directive.bpf': '.what\n',
      'c-empty.bpf': '',
      'd-insn.bpf': '.expect leak\n\nno insn\n',
      'e-rules.bpf': `.rules no-such-rules\n${good}`,
      'f-bytes.bpf': new Uint8Array([0xff, 0xfe, 0]),
      'g-type.bpf': `.btf 1 ptr 7\n${good}`,
      'h-good.bpf': good,
    };
    const files = Object.keys(texts).map((name) => join(folder, name));
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
    files.push(join(folder, 'z-not-there.bpf'));
    const answers = await replayFiles(files);
    expect(answers.map(({ file }) => file)).toEqual(files);
    expect(answers.filter(({ ok }) => ok).map(({ file }) => file)).toEqual([files[0], files[7]]);
    for (const { ok, got } of answers) {
      expect(got).not.toBe('');
      expect(got).not.toContain('\n');
      if (!ok) expect(got).not.toBe('holds');
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
