/** A finding as plain text of 72 columns, to be pasted into a mail. */
import { wrap } from '../text/wrap.js';
import type { PageStory } from './shape.js';

/** What a mail is made of. */
export interface Mailed {
  readonly title: string;
  readonly check: string | null;
  readonly rules: string;
  readonly rule: string | null;
  readonly function: string | null;
  readonly text: string;
  readonly command: string;
  readonly story: PageStory | null;
}

/** The mail, ending in a newline. Lines of the case are never broken: they are there to be pasted. */
export function mailOf(one: Mailed): string {
  const { title, check, rules, rule, function: name, text, command, story } = one;
  const subject = check === null ? title : `${check} under ${rules}: ${title}`;
  const lines = [...wrap(`Subject: ${subject}`, '', '  ')];
  if (name !== null)
    lines.push('', ...wrap(`To blame: ${name}, by the rule '${rule ?? 'no rule'}' of ${rules}.`));
  if (story !== null) {
    const { held, killed, patched, broke, wrong, right } = story;
    lines.push(...section('Held at the kill', held), ...section('Killed', [killed]));
    lines.push(...section('Patched calls', patched), ...section('What broke', broke));
    lines.push(...section('Why that is wrong', wrong), ...section('Right', right));
  }
  lines.push('', 'The case, which replays with', '', `    ${command}`, '');
  lines.push(
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => (line === '' ? '' : `    ${line}`)),
  );
  return `${lines.map((line) => plain(line)).join('\n')}\n`;
}

function section(name: string, sentences: readonly string[]): readonly string[] {
  if (sentences.length === 0) return [];
  return ['', `${name}:`, ...sentences.flatMap((one) => wrap(one, '  ', '  '))];
}

/** Quotes as every mail program shows them. */
const plain = (line: string): string => line.replace(/[‘’]/g, "'");
