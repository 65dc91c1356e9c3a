/**
 * Patches as mails and terminals carry them, made plain: a mailbox of several mails, bodies in quoted-printable or base64 (RFC 2045), carriage
 * returns, colours of a terminal, and a patch that a reply quotes.
 */

/** The text of all mails in order, decoded; a text that is no mail is returned with plain line ends. */
export function plainText(text: string): string {
  const lines = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
    .replace(/\u001b\[[0-9;]*[mK]/g, '')
    .replace(/\r\n?/g, '\n')
    .split('\n');
  return unquoted(decoded(lines)).join('\n');
}

/** `From 1234abcd Mon Sep 17 00:00:00 2001`, between mails of a mailbox. */
const FROM = /^From \S+ .*\d\d:\d\d/;
const HEADER = /^[A-Za-z][A-Za-z0-9-]*:/;

function decoded(lines: readonly string[]): readonly string[] {
  const out: string[] = [];
  let body: string[] = [];
  let encoding = '';
  const flush = (): void => {
    for (const line of decodeBody(body, encoding)) out.push(line);
    [body, encoding] = [[], ''];
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    // Headers follow at the begin of a text, behind a From line, and behind the boundary of a part.
    const begins = FROM.test(line) || (line.startsWith('--') && HEADER.test(lines[at + 1] ?? ''));
    if (begins) flush();
    if (!begins && !(at === 0 && HEADER.test(line))) {
      body.push(line);
      continue;
    }
    if (begins) out.push(line);
    for (at += begins ? 1 : 0; at < lines.length && lines[at] !== ''; at++) {
      const found = /^Content-Transfer-Encoding:\s*(\S+)/i.exec(lines[at]!)?.[1];
      if (found !== undefined) encoding = found.toLowerCase();
      out.push(lines[at]!);
    }
    out.push('');
  }
  flush();
  return out;
}

function decodeBody(body: readonly string[], encoding: string): readonly string[] {
  if (encoding === 'base64') {
    const bytes = Buffer.from(body.filter((line) => /^[A-Za-z0-9+/]+=*$/.test(line)).join(''), 'base64');
    return bytes.toString('utf8').replace(/\r\n?/g, '\n').split('\n');
  }
  if (encoding !== 'quoted-printable') return body;
  const joined = body.join('\n').replace(/=[ \t]*\n/g, '');
  const bytes = joined.replace(/(?:=[0-9A-Fa-f]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('=', ''), 'hex').toString('utf8'),
  );
  return bytes.replace(/\r\n?/g, '\n').split('\n');
}

/** Without the marks of a reply, where every hunk is quoted. */
function unquoted(lines: readonly string[]): readonly string[] {
  const quoted = lines.some((line) => /^> ?@@ -\d/.test(line)) && !lines.some((line) => /^@@ -\d/.test(line));
  return quoted
    ? lines.filter((line) => line.startsWith('>')).map((line) => line.replace(/^> ?/, ''))
    : lines;
}
