/**
 * The ledger as lanes: one lane for each thing that is held, from where it is taken to where it is given back, or to the red end where it never is.
 * The runs of a case lie above each other on one scale, so that one sees where they part.
 */
import type { ComponentChildren, JSX } from 'preact';
import type { PageLane, PageNeverTaken, PageRun } from '../../report/page/shape.js';
import { indexOfStep } from '../steps.js';
import { Badge } from '../words.js';

/** What the lanes of a case are drawn from. */
export interface LanesProps {
  readonly runs: readonly PageRun[];
  readonly active: PageRun;
  /** Index of the step that is shown. */
  readonly at: number;
  readonly lit: readonly number[];
  readonly onLight: (slots: readonly number[]) => void;
  readonly onGo: (run: PageRun, index: number) => void;
}

/** What a run is called. */
export function runTitle({ kind, rules }: PageRun): string {
  if (kind === 'unkilled') return 'Not killed';
  return kind === 'sound' ? 'Same kill, under sound' : `Killed, under ${rules}`;
}

/** All runs with their lanes. */
export function Lanes({ runs, active, at, lit, onLight, onGo }: LanesProps): JSX.Element {
  const width = Math.max(1, ...runs.map(({ steps }) => steps.length));
  return (
    <section class="lanes" aria-label="Ledger: what is held, over the steps of each run">
      {runs.map((run) => (
        <RunLanes
          key={run.kind}
          {...{ run, width, lit, onLight, onGo }}
          at={run === active ? at : undefined}
        />
      ))}
    </section>
  );
}

interface RunProps extends Pick<LanesProps, 'lit' | 'onLight' | 'onGo'> {
  readonly run: PageRun;
  readonly width: number;
  readonly at: number | undefined;
}

/** Steps from which on they are not numbered one by one. */
const FEW = 40;

function RunLanes({ run, width, at, lit, onLight, onGo }: RunProps): JSX.Element {
  const { steps, lanes, neverTaken, broken, kind } = run;
  const x = (index: number): string => `${(index / width) * 100}%`;
  const middle = (index: number): string => x(index + 0.5);
  const kill = steps.findIndex(({ killed }) => killed === true);
  const first = run.about === null ? undefined : broken[run.about];
  const go = (event: MouseEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const index = Math.floor(((event.clientX - box.left) / box.width) * width);
    onGo(run, Math.max(0, Math.min(index, steps.length - 1)));
  };
  const end = steps.length;
  return (
    <div class={`run ${at === undefined ? '' : 'active'}`} data-run={kind}>
      <div class="run-head">
        <button
          type="button"
          aria-pressed={at !== undefined}
          onClick={() => onGo(run, at ?? Math.max(0, kill))}
        >
          {runTitle(run)}
        </button>
        {first === undefined ? (
          <Badge tone="good">holds</Badge>
        ) : (
          <Badge tone="bad">
            {first.check} at insn {first.slot}
          </Badge>
        )}
        <span class="muted">{run.length} insns</span>
      </div>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the arrow keys step, see finding.tsx */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a picture; every step has its keys and buttons */}
      <div class="tracks" onClick={go} data-tracks={kind}>
        {width <= FEW ? (
          <div class="track ticks" aria-hidden="true">
            {steps.map((one, i) => (
              <span key={one.step} style={{ left: x(i), width: x(1) }}>
                {one.slot}
              </span>
            ))}
          </div>
        ) : null}
        {lanes.map((lane) => (
          <Lane key={lane.id} {...{ run, lane, lit, onLight, onGo, middle, end: x(end) }} />
        ))}
        {neverTaken.map((one) => (
          <Never
            key={`never ${one.step}`}
            {...{ run, one, lit, onLight, onGo }}
            left={middle(indexOfStep(run, one.step))}
            right={
              first !== undefined && first.step >= one.step ? middle(indexOfStep(run, first.step)) : x(end)
            }
          />
        ))}
        {lanes.length + neverTaken.length === 0 ? (
          <div class="track">
            <span class="lane-name muted">nothing is taken</span>
          </div>
        ) : null}
        {broken.length === 0 ? null : (
          <div class="track marks">
            {broken.map(({ check, step, after }, i) => (
              <span
                key={`${check} ${i}`}
                class={`mark ${after ? 'after' : ''}`}
                style={{ left: middle(indexOfStep(run, step)) }}
                title={check}
              >
                ✕{i === run.about ? ` ${check}` : ''}
              </span>
            ))}
          </div>
        )}
        {kill < 0 ? null : (
          <div class="kill-line" style={{ left: x(kill) }}>
            <span>kill</span>
          </div>
        )}
        {at === undefined ? null : <div class="playhead" style={{ left: x(at), width: x(1) }} />}
      </div>
    </div>
  );
}

/** A line of its own over all steps. What it is of lights up while the pointer or the focus is on it. */
function Track({
  className,
  slots,
  onLight,
  onOpen,
  name,
  children,
}: {
  readonly className: string;
  readonly slots: readonly number[];
  readonly onLight: LanesProps['onLight'];
  readonly onOpen: () => void;
  readonly name: ComponentChildren;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its button does the same for those who have no pointer
    <div class={`track ${className}`} onMouseEnter={() => onLight(slots)} onMouseLeave={() => onLight([])}>
      <button
        type="button"
        class="lane-name"
        onFocus={() => onLight(slots)}
        onBlur={() => onLight([])}
        onClick={(event) => {
          event.stopPropagation();
          onOpen();
        }}
      >
        {name}
      </button>
      {children}
    </div>
  );
}

function Never({
  run,
  one: { step, slot, by },
  lit,
  onLight,
  onGo,
  left,
  right,
}: Pick<LanesProps, 'lit' | 'onLight' | 'onGo'> & {
  readonly run: PageRun;
  readonly one: PageNeverTaken;
  readonly left: string;
  readonly right: string;
}): JSX.Element {
  return (
    <Track
      className={lit.includes(slot) ? 'lit' : ''}
      slots={[slot]}
      onLight={onLight}
      onOpen={() => onGo(run, indexOfStep(run, step))}
      name={
        <>
          {by}: <span class="never-word">not taken, its call was replaced</span>
        </>
      }
    >
      <span class="bar never" style={{ left, right: `calc(100% - ${right})` }} />
    </Track>
  );
}

interface LaneProps extends Pick<LanesProps, 'lit' | 'onLight' | 'onGo'> {
  readonly run: PageRun;
  readonly lane: PageLane;
  readonly middle: (index: number) => string;
  readonly end: string;
}

function Lane({ run, lane, lit, onLight, onGo, middle, end }: LaneProps): JSX.Element {
  const { what, by, from, slot, to, toSlot } = lane;
  const slots = toSlot === null ? [slot] : [slot, toSlot];
  const left = middle(indexOfStep(run, from));
  const right = to === null ? end : middle(indexOfStep(run, to));
  const isLit = lit.some((one) => slots.includes(one));
  return (
    <Track
      className={`lane ${to === null ? 'leaked' : ''} ${isLit ? 'lit' : ''}`}
      slots={slots}
      onLight={onLight}
      onOpen={() => onGo(run, indexOfStep(run, from))}
      name={
        <>
          {what} <span class="muted">{by}</span>
          <span class={to === null ? 'never-word' : 'sr'}>
            {to === null ? ' never given back' : `, taken at step ${from}, given back at step ${to}`}
          </span>
        </>
      }
    >
      <span class="bar" style={{ left, right: `calc(100% - ${right})` }}>
        <i class="cap from" />
        <i class="cap to">{to === null ? '✕' : ''}</i>
      </span>
    </Track>
  );
}
