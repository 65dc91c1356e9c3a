/** A finding: what happened in sentences, the runs as lanes, and program and state at the step that is shown. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { PageCase, PageRun, PageStory } from '../../report/page/shape.js';
import { linkTo, parseRoute, type Route, replaceRoute } from '../route.js';
import { indexOfStep, type Moments, momentsOf, nextOf } from '../steps.js';
import { Badge, Copy, moment, Sentence } from '../words.js';
import { Lanes } from './lanes.js';
import { Program } from './program.js';
import { State } from './state.js';

/** The view of a case. */
export function Finding({ one, route }: { readonly one: PageCase; readonly route: Route }): JSX.Element {
  return (
    <article class="finding">
      <Head one={one} />
      {one.story === null ? (
        <p class="trouble">There is no run to show: {one.trouble}</p>
      ) : (
        <Runs one={one} route={route} story={one.story} />
      )}
      <details class="case-text">
        <summary>The case as text</summary>
        <pre>{one.text}</pre>
      </details>
    </article>
  );
}

function Head({ one }: { readonly one: PageCase }): JSX.Element {
  const { title, check, rules, rule, type, insns, minimal, status, firstSeen, goneSince, hits, file } = one;
  const facts: readonly (readonly [string, string | null])[] = [
    ['rules', rules],
    ['to blame', one.function === null ? null : `${one.function}, rule ‘${rule}’`],
    [
      'program',
      `${type}, ${insns} insns${minimal === null ? '' : minimal ? ', minimal' : ', still shrinking'}`,
    ],
    ['shown by', hits === null ? null : `${hits} program${hits === 1 ? '' : 's'}`],
    [
      'first seen',
      firstSeen === null
        ? null
        : `${moment(firstSeen.at)}${firstSeen.program === null ? '' : `, program ${firstSeen.program}`}`,
    ],
    ['gone since', goneSince === null ? null : moment(goneSince.at)],
    ['file', file],
  ];
  return (
    <header class="finding-head">
      <h1>
        {check === null ? (
          <Badge tone={one.trouble === null ? 'good' : 'open'}>
            {one.trouble === null ? 'holds' : 'not run'}
          </Badge>
        ) : (
          <Badge tone="bad">{check}</Badge>
        )}{' '}
        {title}
        {status === null ? null : (
          <>
            {' '}
            <Badge tone={status === 'new' || status === 'back' ? 'new' : 'plain'}>{status}</Badge>
          </>
        )}
        {one.ok ? null : (
          <span class="note">
            expected {one.expected}, got {one.got}
          </span>
        )}
      </h1>
      <dl class="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
        )}
      </dl>
      <p class="muted about">
        A BPF program that runs too long is killed: from then on its calls are patched by a rule set, and it
        runs on to its exit, where nothing may be left behind. Linux accepts this program
        {one.check === null ? '.' : '; the rules break it.'}
      </p>
      <div class="copies">
        <Copy what="case" text={one.text} />
        <Copy what="mail" text={one.mail} />
        <Copy what="command" text={one.command} />
      </div>
    </header>
  );
}

function Story({
  story,
  onStep,
}: {
  readonly story: PageStory;
  readonly onStep: (step: number) => void;
}): JSX.Element {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['Held at the kill', story.held],
    ['Killed', [story.killed]],
    ['Patched calls', story.patched],
    ['What broke', story.broke],
    ['Why that is wrong', story.wrong],
    ['What is right', story.right],
  ];
  return (
    <dl class="story" aria-label="What happened">
      {rows.map(([name, sentences]) =>
        sentences.length === 0 ? null : (
          <div key={name} data-story={name}>
            <dt>{name}</dt>
            <dd>
              {sentences.map((text) => (
                <p key={text}>
                  <Sentence text={text} onStep={onStep} />
                </p>
              ))}
            </dd>
          </div>
        ),
      )}
    </dl>
  );
}

/** The run and the step that the URL asks for; else the run of the case, where it breaks. */
function placeOf({ runs }: PageCase, { query }: Route): Place {
  const run = runs.find(({ kind }) => kind === query.get('run')) ?? runs[0]!;
  const step = query.get('step');
  if (step !== undefined && /^\d+$/.test(step)) return { run, at: indexOfStep(run, Number(step)) };
  const { breaks, kill } = momentsOf(run);
  const about = run.about === null ? undefined : run.broken[run.about];
  return { run, at: about === undefined ? (breaks[0] ?? kill ?? 0) : indexOfStep(run, about.step) };
}

function Runs({
  one,
  route,
  story,
}: {
  readonly one: PageCase;
  readonly route: Route;
  readonly story: PageStory;
}): JSX.Element {
  const { run, at } = placeOf(one, route);
  const [lit, setLit] = useState<readonly number[]>([]);
  const moments = useMemo(() => momentsOf(run), [run]);
  const go = (to: PageRun, index: number): void => replaceRoute(linkOf(one, { run: to, at: index }));
  const goStep = (step: number): void => go(run, indexOfStep(run, step));
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      // The URL is ahead of what is drawn where keys come quickly.
      const target = targetOf(event.key, placeOf(one, parseRoute(location.hash)), one.runs);
      if (target === undefined) return;
      event.preventDefault();
      replaceRoute(linkOf(one, target));
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [one]);
  const atSlot = (slot: number): void => {
    const next = run.steps.findIndex((step, i) => i > at && step.slot === slot);
    const first = next >= 0 ? next : run.steps.findIndex((step) => step.slot === slot);
    if (first >= 0) go(run, first);
  };
  return (
    <>
      <Story story={story} onStep={goStep} />
      <Lanes runs={one.runs} active={run} at={at} lit={lit} onLight={setLit} onGo={go} />
      <Controls {...{ run, at, moments, go }} />
      <div class="panes">
        <Program listing={one.listing!} run={run} at={at} lit={lit} onSlot={atSlot} />
        <State run={run} at={at} listing={one.listing!} />
      </div>
    </>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
}

/** A run, and the index of one of its steps. */
interface Place {
  readonly run: PageRun;
  readonly at: number;
}

function linkOf({ id }: PageCase, { run, at }: Place): string {
  const step = run.steps[Math.max(0, Math.min(at, run.steps.length - 1))]?.step;
  return linkTo(['case', id], { run: run.kind === 'killed' ? undefined : run.kind, step });
}

function targetOf(key: string, { run, at }: Place, runs: readonly PageRun[]): Place | undefined {
  const { acquires, kill, breaks } = momentsOf(run);
  const here = (index: number | undefined) => (index === undefined ? undefined : { run, at: index });
  switch (key) {
    case 'ArrowRight':
      return here(Math.min(at + 1, run.steps.length - 1));
    case 'ArrowLeft':
      return here(Math.max(0, at - 1));
    case 'Home':
      return here(0);
    case 'End':
      return here(run.steps.length - 1);
    case 'a':
      return here(nextOf(acquires, at));
    case 'k':
      return here(kill);
    case 'b':
      return here(nextOf(breaks, at));
    case '1':
    case '2':
    case '3': {
      const other = runs[Number(key) - 1];
      return other && { run: other, at: indexOfStep(other, run.steps[at]?.step ?? 0) };
    }
    default:
      return undefined;
  }
}

function Controls({
  run,
  at,
  moments,
  go,
}: {
  readonly run: PageRun;
  readonly at: number;
  readonly moments: Moments;
  readonly go: (run: PageRun, index: number) => void;
}): JSX.Element {
  const last = run.steps.length - 1;
  const button = (word: string, rest: string, key: string, index: number | undefined): JSX.Element => (
    <button
      type="button"
      disabled={index === undefined || index === at}
      onClick={() => index !== undefined && go(run, index)}
      data-go={word}
    >
      {word}
      <span class="sr">{rest}; key:</span> <kbd>{key}</kbd>
    </button>
  );
  return (
    <div class="controls" role="toolbar" aria-label="Steps">
      {button('first', ' step', 'Home', 0)}
      {button('back', ' one step', '←', Math.max(0, at - 1))}
      <output>
        step <b>{run.steps[at]?.step ?? 0}</b> of {run.length}
      </output>
      {button('forward', ' one step', '→', Math.min(last, at + 1))}
      {button('last', ' step', 'End', last)}
      <span class="gap" />
      {button('acquire', ', the next one', 'a', nextOf(moments.acquires, at))}
      {button('kill', ', where it is', 'k', moments.kill)}
      {button('break', ', the next one', 'b', nextOf(moments.breaks, at))}
    </div>
  );
}
