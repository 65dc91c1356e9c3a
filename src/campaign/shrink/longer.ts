/** Shrinks a case for as long as there is time: each round may ask twice as many questions as the one before. */
import { type Case, parseCase } from '../../vm/case/case.js';
import { causeKey } from '../kill/cause.js';
import { QUESTIONS } from './insns.js';
import { sizeMark } from './marks.js';
import type { ShrinkTarget } from './reproduce.js';
import { type SmallCase, shrinkCase } from './shrink.js';

/**
 * The smallest case that is found until nothing smaller is left to try, or `timeIsOver` says so between two rounds: which that is depends on the
 * time, and on nothing else of the clock. There is one round at least.
 */
export function shrinkLonger(one: Case, target: ShrinkTarget, timeIsOver: () => boolean): SmallCase {
  let best = shrinkCase(one, target);
  for (let questions = 2 * QUESTIONS; sizeMark(best.text) !== 'minimal' && !timeIsOver(); questions *= 2) {
    // Another cause would need another target.
    if (causeKey(best.cause) !== causeKey(target.cause)) break;
    const more = shrinkCase(parseCase(best.text), { ...target, questions });
    if (more.text === best.text && questions > MOST_QUESTIONS) break;
    best = more;
  }
  return best;
}

/** Beyond this many questions a round without progress is the last. */
const MOST_QUESTIONS = 1 << 24;
