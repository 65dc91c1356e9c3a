/** Patches as git makes them and mails carry them, from two versions of a file. */

/** A unified diff with `context` lines around what changed; a hunk for each change that is apart from others. */
export function diffBetween(
  path: string,
  before: readonly string[],
  after: readonly string[],
  context: number,
): string {
  const steps = stepsBetween(before, after);
  const hunks: string[] = [];
  let [old, made] = [0, 0];
  let i = 0;
  while (i < steps.length) {
    if (steps[i]![0] === ' ') {
      old++;
      made++;
      i++;
      continue;
    }
    const from = Math.max(0, i - context);
    let end = i;
    let quiet = 0;
    let j = i;
    for (; j < steps.length && quiet <= 2 * context; j++) {
      if (steps[j]![0] === ' ') quiet++;
      else [quiet, end] = [0, j + 1];
    }
    const to = Math.min(steps.length, end + context);
    const lines = steps.slice(from, to);
    const [wasCount, madeCount] = ['+', '-'].map((sign) => lines.filter(([first]) => first !== sign).length);
    const [first, second] = [old - (i - from), made - (i - from)];
    const start = (at: number, count: number): number => (count === 0 ? at : at + 1);
    hunks.push(
      `@@ -${start(first, wasCount!)},${wasCount} +${start(second, madeCount!)},${madeCount} @@ int before(void)`,
      ...lines.map(([sign, text]) => `${sign}${text}`),
    );
    for (; i < to; i++) {
      if (steps[i]![0] !== '+') old++;
      if (steps[i]![0] !== '-') made++;
    }
  }
  return hunks.length === 0
    ? ''
    : [`diff --git a/${path} b/${path}`, `--- a/${path}`, `+++ b/${path}`, ...hunks, ''].join('\n');
}

type Step = readonly [sign: ' ' | '+' | '-', text: string];

/** Longest common subsequence of lines. */
function stepsBetween(before: readonly string[], after: readonly string[]): readonly Step[] {
  const [n, m] = [before.length, after.length];
  const longest = Array.from({ length: n + 1 }, () => new Int32Array(m + 1));
  for (let i = n - 1; i >= 0; i--)
    for (let j = m - 1; j >= 0; j--)
      longest[i]![j] =
        before[i] === after[j]
          ? longest[i + 1]![j + 1]! + 1
          : Math.max(longest[i + 1]![j]!, longest[i]![j + 1]!);
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  while (i < n || j < m) {
    if (i < n && j < m && before[i] === after[j]) {
      steps.push([' ', before[i]!]);
      i++;
      j++;
    } else if (i < n && (j === m || longest[i + 1]![j]! >= longest[i]![j + 1]!))
      steps.push(['-', before[i++]!]);
    else steps.push(['+', after[j++]!]);
  }
  return steps;
}

export const CARRIERS = ['plain', 'mail', 'quoted-printable', 'base64', 'crlf', 'reply', 'coloured'] as const;

/** A patch as it arrives. */
export function asMail(carrier: (typeof CARRIERS)[number], subject: string, diff: string): string {
  if (carrier === 'plain') return diff;
  const body = `Text: é, a = b, and __bpf_kfunc int bpf_only_told(void)\n\n---\n x.c | 3 +++\n 1 file changed\n\n${diff}-- \n2.49.0\n`;
  const mail = (encoding: string, text: string): string =>
    `From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\nFrom: A Developer <dev@example.org>\nSubject: [PATCH bpf-next 1/3] bpf: ${subject}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: ${encoding}\n\n${text}\n`;
  switch (carrier) {
    case 'quoted-printable':
      return mail(carrier, quotedPrintable(body));
    case 'base64':
      return mail(
        carrier,
        `${(
          Buffer.from(body)
            .toString('base64')
            .match(/.{1,76}/g) ?? []
        ).join('\n')}\n`,
      );
    case 'crlf':
      return mail('8bit', body).replaceAll('\n', '\r\n');
    case 'reply':
      return `On Monday a developer wrote:\n${body.replace(/^/gm, '> ')}\n`;
    case 'coloured':
      return diff
        .replace(/^([+-].*)$/gm, '\u001b[32m$1\u001b[m')
        .replace(/^(@@.*@@)/gm, '\u001b[36m$1\u001b[m');
    default:
      return mail('8bit', body);
  }
}

/** RFC 2045: soft breaks after 76 characters, blanks at the end of a line encoded. */
function quotedPrintable(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const encoded = [...Buffer.from(line)].map((byte, i, all) => {
        const plain = byte === 9 || (byte >= 32 && byte < 127 && byte !== 61);
        return plain && !(i === all.length - 1 && (byte === 32 || byte === 9))
          ? String.fromCharCode(byte)
          : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
      });
      const lines = [''];
      for (const piece of encoded) {
        if (lines.at(-1)!.length + piece.length > 75) lines.push('');
        lines[lines.length - 1] += piece;
      }
      return lines.join('=\n');
    })
    .join('\n');
}
