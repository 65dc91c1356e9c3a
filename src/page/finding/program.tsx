/** The program of a case: its insns with the lines of C, folded to what matters, with jumps drawn beside it and what the rules did in it. */
import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PageBroken, PageListing, PageRun } from '../../report/page/shape.js';
import { foldedRows, type Row, slotsThatMatter } from '../steps.js';

/** What the listing is drawn from. */
export interface ProgramProps {
  readonly listing: PageListing;
  readonly run: PageRun;
  /** Index of the step that is shown. */
  readonly at: number;
  readonly lit: readonly number[];
  readonly onSlot: (slot: number) => void;
}

/** The pane of insns and C lines, which follows the step that is shown. */
export function Program({ listing, run, at, lit, onSlot }: ProgramProps): JSX.Element {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const current = run.steps[at]?.slot;
  const matters = useMemo(() => slotsThatMatter(run, listing), [run, listing]);
  const rows = foldedRows(listing, current === undefined ? matters : new Set([...matters, current]), open);
  const list = useRef<HTMLOListElement>(null);
  useLayoutEffect(() => {
    // Only the pane is scrolled, never the page.
    const box = list.current;
    const row = box?.querySelector<HTMLElement>('.current');
    if (box == null || row == null) return;
    const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight];
    if (top < box.scrollTop + 48) box.scrollTop = top - 48;
    else if (bottom > box.scrollTop + box.clientHeight - 48) box.scrollTop = bottom - box.clientHeight + 48;
  }, [current, at]);
  const folds = rows.filter(({ kind }) => kind === 'fold').length;
  return (
    <section class="pane program" aria-labelledby="program-title">
      <h2 id="program-title">
        Program
        {folds === 0 ? null : (
          <button
            type="button"
            class="small"
            onClick={() => setOpen(new Set(rows.flatMap((row) => (row.kind === 'fold' ? [row.from] : []))))}
          >
            unfold all
          </button>
        )}
      </h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that it must be reached by keys */}
      <ol class="insns" ref={list} tabIndex={0} aria-label="Insns">
        <Arcs {...{ listing, rows, list }} />
        {rows.map((row, i) =>
          row.kind === 'fold' ? (
            <li class="fold" key={`fold ${row.from}`} data-from={row.from} data-to={row.to}>
              <button type="button" onClick={() => setOpen(new Set([...open, row.from]))}>
                ⋯ {row.count} insns
              </button>
            </li>
          ) : (
            <InsnRows key={row.slot} {...{ listing, run, lit, onSlot, row }} previous={rows[i - 1]} at={at} />
          ),
        )}
      </ol>
    </section>
  );
}

interface InsnProps extends ProgramProps {
  readonly row: Extract<Row, { kind: 'insn' }>;
  readonly previous: Row | undefined;
}

function InsnRows({ listing, run, at, lit, onSlot, row, previous }: InsnProps): JSX.Element {
  const { slot } = row;
  const insn = listing.insns.find((one) => one.slot === slot)!;
  const before =
    previous?.kind === 'insn' ? listing.insns.find((one) => one.slot === previous.slot) : undefined;
  const line = insn.line === undefined || insn.line === before?.line ? undefined : listing.lines[insn.line];
  const name = listing.functions.find(({ start }) => start === slot)?.name;
  const kill = run.steps.find(({ killed }) => killed === true);
  const ran = run.steps.filter((one) => one.slot === slot);
  const broken = run.broken.filter((one) => one.slot === slot);
  const step = run.steps[at];
  const isCurrent = step?.slot === slot;
  const classes = [
    'insn',
    isCurrent ? 'current' : '',
    ran.length === 0 ? 'unreached' : '',
    ran.some(({ killed }) => killed === true) ? 'after-kill' : '',
    broken.length > 0 ? 'breaks' : '',
    lit.includes(slot) ? 'lit' : '',
  ];
  return (
    <>
      {name === undefined ? null : <li class="function">{name}:</li>}
      {line === undefined ? null : (
        <li class="source">
          <span class="where">
            {line.file.replace(/^.*\//, '')}:{line.line}
          </span>{' '}
          {line.text}
        </li>
      )}
      {kill?.slot === slot ? (
        <li class="kill" data-kill={kill.step}>
          killed here, before step {kill.step}
        </li>
      ) : null}
      <li
        class={classes.join(' ').replace(/ +/g, ' ')}
        data-slot={slot}
        aria-current={isCurrent ? 'step' : undefined}
      >
        <button type="button" onClick={() => onSlot(slot)} disabled={ran.length === 0}>
          <span class="slot">{slot}</span>
          <span class="text">{insn.text}</span>
        </button>
        <CallTag run={run} slot={slot} />
      </li>
      {broken.map((one) => (
        <Broken key={`${one.check} ${one.step}`} one={one} />
      ))}
    </>
  );
}

function Broken({ one: { check, message, after } }: { readonly one: PageBroken }): JSX.Element {
  return (
    <li class={`broken ${after ? 'after' : ''}`}>
      ✕ <b>{check}</b>: {message}
      {after ? ' (follows from what broke before)' : ''}
    </li>
  );
}

const DID: Readonly<Record<string, string>> = {
  stubbed: 'replaced',
  kept: 'kept',
  unwound: 'to its pad',
  stopped: 'stopped',
};

/** What the rules make of a call, and whether that really ran after the kill. */
function CallTag({ run, slot }: { readonly run: PageRun; readonly slot: number }): JSX.Element | null {
  const call = run.calls.find((one) => one.slot === slot);
  const patched = run.steps.find((one) => one.slot === slot && one.patched !== undefined)?.patched;
  if (call === undefined || run.kind === 'unkilled') return null;
  const does = call.action === 'stub' ? `: ${call.does}` : '';
  const rule = call.rule === null ? 'no rule' : `rule ‘${call.rule}’`;
  if (patched === undefined)
    return <span class="tag idle">would be {call.action === 'stub' ? 'replaced' : 'kept'}</span>;
  return (
    <span class={`tag ${patched}`}>
      <b>{DID[patched]}</b>
      {does} <span class="rule">· {rule}</span>
    </span>
  );
}

interface Arc {
  readonly from: number;
  readonly to: number;
  readonly lane: number;
  readonly back: boolean;
}

/** Jumps that are drawn beside the insns at the most; more would be a grey wall. */
const MOST_ARCS = 60;
const STEP = 6;

/** Arrows from each jump to where it leads. */
function Arcs({
  listing,
  rows,
  list,
}: {
  readonly listing: PageListing;
  readonly rows: readonly Row[];
  readonly list: { readonly current: HTMLOListElement | null };
}): JSX.Element {
  const [places, setPlaces] = useState<ReadonlyMap<number, number>>(new Map());
  const [height, setHeight] = useState(0);
  const key = rows.map((row) => (row.kind === 'insn' ? row.slot : `f${row.from}`)).join();
  // the rows are measured, and `key` tells when they change
  useLayoutEffect(() => {
    const measure = (): void => {
      const box = list.current;
      if (box == null) return;
      const found = new Map<number, number>();
      for (const row of box.querySelectorAll<HTMLElement>('[data-slot], .fold')) {
        const middle = row.offsetTop + row.offsetHeight / 2;
        if (row.dataset.slot !== undefined) found.set(Number(row.dataset.slot), middle);
        else
          for (let slot = Number(row.dataset.from); slot <= Number(row.dataset.to); slot++)
            found.set(slot, middle);
      }
      setPlaces(found);
      setHeight(box.scrollHeight);
    };
    measure();
    window.addEventListener('resize', measure);
    return () => window.removeEventListener('resize', measure);
  }, [key]);
  const arcs = useMemo(() => arcsOf(listing, places), [listing, places]);
  const lanes = Math.max(0, ...arcs.map(({ lane }) => lane + 1));
  const width = 10 + lanes * STEP;
  return (
    <li class="arcs" aria-hidden="true" style={{ '--arcs': `${width}px` }}>
      <svg width={width} height={height}>
        <title>jumps</title>
        {arcs.map(({ from, to, lane, back }) => {
          const x = width - 8 - lane * STEP;
          return (
            <path
              key={`${from} ${to}`}
              class={back ? 'back' : ''}
              d={`M${width - 2} ${from}H${x}V${to}H${width - 4}m-3 -3l3 3l-3 3`}
            />
          );
        })}
      </svg>
    </li>
  );
}

/** Arcs in lanes, the shortest nearest to the insns. */
function arcsOf({ insns }: PageListing, places: ReadonlyMap<number, number>): readonly Arc[] {
  const all = insns.flatMap(({ slot, to }) => {
    const [from, end] = [places.get(slot), to === undefined ? undefined : places.get(to)];
    return from === undefined || end === undefined || from === end
      ? []
      : [{ from, to: end, back: (to ?? 0) <= slot }];
  });
  if (all.length > MOST_ARCS) return [];
  const taken: [number, number][][] = [];
  const sorted = all.sort((a, b) => Math.abs(a.to - a.from) - Math.abs(b.to - b.from));
  return sorted.map((arc) => {
    const [low, high] = [Math.min(arc.from, arc.to), Math.max(arc.from, arc.to)];
    let lane = taken.findIndex((others) => others.every(([from, to]) => high < from || low > to));
    if (lane < 0) lane = taken.push([]) - 1;
    taken[lane]!.push([low, high]);
    return { ...arc, lane };
  });
}
