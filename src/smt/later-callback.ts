/** Callbacks that the kernel calls later, when the program that armed them has ended: timers, work queues. */
import type { VisitGraph } from '../verifier/walk/visit-graph.js';

/** First slot of the callback that a visit belongs to; undefined for the program itself and for functions that are verified by themselves. */
export function laterCallbackOf(graph: VisitGraph, node: number): number | undefined {
  const { outerCallback, outermost } = graph.chain(node);
  return outerCallback?.async === true ? outermost : undefined;
}
