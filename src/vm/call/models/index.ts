/** All models of kernel functions, by name. */
import { LATER_MODELS } from '../later.js';
import { DYNPTR_MODELS } from './dynptrs.js';
import { GRAPH_MODELS } from './graphs.js';
import { HEADER_MODELS } from './headers.js';
import { ITERATOR_MODELS } from './iterators.js';
import { MAP_MODELS } from './maps.js';
import type { Model } from './model.js';
import { OTHER_MODELS } from './others.js';
import { PACKET_MODELS } from './packets.js';
import { RINGBUF_MODELS } from './ringbuf.js';
import { STORAGE_MODELS } from './storage.js';

const MODELS: ReadonlyMap<string, Model> = new Map(
  [
    MAP_MODELS,
    STORAGE_MODELS,
    ITERATOR_MODELS,
    DYNPTR_MODELS,
    GRAPH_MODELS,
    PACKET_MODELS,
    HEADER_MODELS,
    RINGBUF_MODELS,
    LATER_MODELS,
    OTHER_MODELS,
  ].flatMap((models) => Object.entries(models)),
);

/** The model of a function; undefined where its contract is enough. */
export function modelOf(name: string): Model | undefined {
  return MODELS.get(name);
}
