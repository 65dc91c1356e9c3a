/** Results as JUnit XML, which most CI systems read: a suite for each file or rule set, a test case for each thing. */

import type { Judged } from '../compare/judged.js';
import type { Trouble } from '../document.js';
import type { FormatContext } from './form.js';

/** Text as XML has it, without characters that XML 1.0 cannot hold. */
export function xml(text: string): string {
  let result = '';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const allowed =
      code === 0x9 ||
      code === 0xa ||
      code === 0xd ||
      (code >= 0x20 && code < 0xd800) ||
      (code > 0xdfff && code < 0xfffe) ||
      code > 0xffff;
    // Line ends in attributes would become blanks.
    result += !allowed
      ? '\ufffd'
      : char === '\t' || char === '\n' || char === '\r'
        ? `&#${code};`
        : (NAMED[char] ?? char);
  }
  return result;
}

const NAMED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  inside = '',
): string {
  const told = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${xml(String(value))}"`)
    .join('');
  return inside === '' ? `<${name}${told}/>\n` : `<${name}${told}>${inside}</${name}>\n`;
}

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const seconds = (ms: number): string => (ms / 1000).toFixed(3);

/** A failure that the base had as well is skipped, so that only what is new is red. Unknown is an error, unless the base had it. */
function testCase(one: Judged, { command, isNew }: FormatContext): string {
  const { of, name, standing, what, message, place, ms = 0 } = one;
  const body = (): string => {
    const [first = ''] = message.split('\n');
    if (standing === 'holds') return '';
    if (standing === 'warned') return `\n${element('system-out', {}, xml(message))}`;
    if (standing === 'left out') return `\n${element('skipped', { message: first })}`;
    if (!isNew(one)) return `\n${element('skipped', { message: `known: ${what}: ${first}` })}`;
    return `\n${element(standing === 'failed' ? 'failure' : 'error', { message: first, type: what }, xml(message))}`;
  };
  const { file, line } = place ?? {};
  return element(
    'testcase',
    { classname: `swansong ${command}.${of}`, name: name === '' ? of : name, time: seconds(ms), file, line },
    body(),
  );
}

/** The whole document; a suite for each `of`, in order. */
export function junit(all: readonly Judged[], context: FormatContext): string {
  const groups = new Map<string, Judged[]>();
  for (const one of all) groups.set(one.of, [...(groups.get(one.of) ?? []), one]);
  const counted = (some: readonly Judged[]) => {
    const open = some.filter(context.isNew);
    const failures = open.filter(({ standing }) => standing === 'failed').length;
    const quiet = some.filter((one) => one.standing === 'left out' || (isOpen(one) && !context.isNew(one)));
    return {
      tests: some.length,
      failures,
      errors: open.length - failures,
      skipped: quiet.length,
      time: seconds(some.reduce((sum, { ms = 0 }) => sum + ms, 0)),
    };
  };
  const suites = [...groups].map(([name, some]) =>
    element(
      'testsuite',
      { name, ...counted(some) },
      `\n${some.map((one) => testCase(one, context)).join('')}`,
    ),
  );
  const { skipped: _, ...totals } = counted(all);
  return (
    HEAD + element('testsuites', { name: `swansong ${context.command}`, ...totals }, `\n${suites.join('')}`)
  );
}

const isOpen = ({ standing }: Judged): boolean => standing === 'failed' || standing === 'unknown';

/** Where there is no answer: one test case with an error. */
export function junitTrouble({ error, file, line }: Trouble, command: string): string {
  const one = element(
    'testcase',
    { classname: `swansong ${command}`, name: 'usage and input', time: seconds(0), file, line },
    `\n${element('error', { message: error, type: 'input' }, xml(error))}`,
  );
  const counts = { tests: 1, failures: 0, errors: 1 };
  const suite = element('testsuite', { name: command, ...counts, skipped: 0, time: seconds(0) }, `\n${one}`);
  return (
    HEAD + element('testsuites', { name: `swansong ${command}`, ...counts, time: seconds(0) }, `\n${suite}`)
  );
}
