/** Registers, stack and ledger at one step: what was there, what is there now, and what changed lit. */
import type { JSX } from 'preact';
import type { PageListing, PageRun } from '../../report/page/shape.js';
import { heldAfter, stateBefore } from '../steps.js';
import { Head } from '../table.js';
import { Scroll } from '../words.js';

/** The pane of registers, stack words and what is held, each with its value before and after the step. */
export function State({
  run,
  at,
  listing,
}: {
  readonly run: PageRun;
  readonly at: number;
  readonly listing: PageListing;
}): JSX.Element {
  const step = run.steps[at];
  const before = stateBefore(run, at);
  const changes = step?.changes ?? {};
  const places = [...new Set([...before.keys(), ...Object.keys(changes)])];
  const registers = places.filter(isRegister).sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
  const stack = places.filter((place) => !isRegister(place)).sort(byPlace);
  const held = heldAfter(run, at);
  const text = listing.insns.find(({ slot }) => slot === step?.slot)?.text ?? '';
  const rows = (names: readonly string[]): JSX.Element[] =>
    names.map((place) => <Row key={place} place={place} before={before.get(place)} after={changes[place]} />);
  return (
    <section class="pane state" aria-labelledby="state-title">
      <h2 id="state-title">State</h2>
      <p class="now">
        <span class="muted">
          step {step?.step ?? 0}
          {step?.count === undefined ? '' : ` and ${step.count - 1} more`}
          {step?.killed === true ? ', after the kill' : ''}
        </span>
        <code>{text}</code>
      </p>
      <Scroll name="Registers and stack">
        <table>
          <caption class="sr">Registers and stack words after this step</caption>
          <Head columns={['place', 'before', 'after']} hidden />
          <tbody>{rows(registers)}</tbody>
          {stack.length === 0 ? null : <tbody class="stack">{rows(stack)}</tbody>}
        </table>
      </Scroll>
      <h3>Held after this step</h3>
      {held.length === 0 ? (
        <p class="muted">nothing</p>
      ) : (
        <ul class="held">
          {held.map(({ id, what, by, slot, to }) => (
            <li key={id} class={to === null ? 'leaked' : ''}>
              {what}{' '}
              <span class="muted">
                by {by} at insn {slot}
              </span>
              {to === null ? <b> never given back</b> : null}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const isRegister = (place: string): boolean => /^r\d+$/.test(place);

/** Stacks by frame, each from its top. */
function byPlace(a: string, b: string): number {
  const parse = (place: string): readonly [number, number] => {
    const [, frame, offset] = /^fp(?:\[(\d+)\])?-(\d+)$/.exec(place) ?? [];
    return [Number(frame ?? 0), Number(offset ?? 0)];
  };
  const [[frameA, offsetA], [frameB, offsetB]] = [parse(a), parse(b)];
  return frameA - frameB || offsetA - offsetB;
}

function Row({
  place,
  before,
  after,
}: {
  readonly place: string;
  readonly before: string | undefined;
  readonly after: string | null | undefined;
}): JSX.Element {
  const changed = after !== undefined;
  return (
    <tr class={changed ? 'changed' : ''}>
      <th scope="row">
        {changed ? <span aria-hidden="true">• </span> : null}
        {place}
      </th>
      <td class="old">{changed ? (before ?? '–') : ''}</td>
      <td>
        {changed ? <span aria-hidden="true">→ </span> : null}
        {changed ? (after ?? <span class="muted">may not be read</span>) : before}
      </td>
    </tr>
  );
}
