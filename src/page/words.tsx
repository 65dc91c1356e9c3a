/** Small pieces that all views use: sentences with code in them, badges, times, copying. */
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';

/** A sentence in which names of functions, registers and quoted words are set as code, and `step N` leads to that step. */
export function Sentence({
  text,
  onStep,
}: {
  readonly text: string;
  readonly onStep?: (step: number) => void;
}): JSX.Element {
  const parts = text.split(/(\bbpf_\w+|\br\d{1,2}\b(?! =)|‘[^’]*’|\bstep \d+)/g);
  return (
    <>
      {parts.map((part, i) => {
        if (i % 2 === 0) return part;
        if (part.startsWith('step ') && onStep !== undefined)
          return (
            <button type="button" class="inline" key={i} onClick={() => onStep(Number(part.slice(5)))}>
              {part}
            </button>
          );
        if (part.startsWith('step ')) return part;
        return <code key={i}>{part.replace(/[‘’]/g, '')}</code>;
      })}
    </>
  );
}

/** A cell with a number. `label`: its column, which stands beside it where the window is too narrow for a table. */
export function NumberCell({
  label,
  children,
}: {
  readonly label: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return (
    <td class="number" data-label={label}>
      {children}
    </td>
  );
}

/** Signs beside the words, so that colour is not the only sign. */
const SIGNS: Readonly<Record<string, string>> = { bad: '✕', good: '✓', open: '?', new: '●', plain: '' };

/** A word in a box. `tone`: what it means. */
export function Badge({
  tone,
  children,
}: {
  readonly tone: 'bad' | 'good' | 'open' | 'new' | 'plain';
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <span class={`badge ${tone}`}>
      {SIGNS[tone] === '' ? null : <span aria-hidden="true">{SIGNS[tone]} </span>}
      {children}
    </span>
  );
}

/** `2026-11-30 14:05`: a moment in the reader's own time. */
export function moment(iso: string): string {
  const at = new Date(iso);
  const two = (n: number): string => `${n}`.padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** `45 s`, `12 min`, `8.5 h`. */
export function span(seconds: number): string {
  if (seconds < 100) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 360) / 10} h`;
}

/** `1,234,567`. */
export const number = (value: number): string => value.toLocaleString('en-US');

async function toClipboard(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Browsers that give pages from disk no clipboard still copy what is selected.
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
}

/** Milliseconds for which a button says that it has copied. */
const SAYS = 1600;

/** A button that copies a text. */
export function Copy({ what, text }: { readonly what: string; readonly text: string }): JSX.Element {
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await toClipboard(text);
    setDone(true);
    setTimeout(() => setDone(false), SAYS);
  };
  return (
    <button type="button" class="copy" data-copy={what} onClick={copy}>
      <span aria-live="polite">{done ? `${what} copied` : `Copy ${what}`}</span>
    </button>
  );
}

/** How a verdict is coloured: proven is good, refuted is bad, all else is open. */
export const toneOf = (verdict: string | null): 'bad' | 'good' | 'open' =>
  verdict === 'proven' ? 'good' : verdict === 'refuted' ? 'bad' : 'open';

/** A place that scrolls by itself, so that keys must reach it. `name`: for screen readers. */
export function Scroll({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keys would not scroll it
    <section class="scroll" tabIndex={0} aria-label={name}>
      {children}
    </section>
  );
}
