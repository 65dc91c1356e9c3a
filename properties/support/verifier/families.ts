/** All families of small programs. */
import { ACCESSING } from './accesses.js';
import { arenas } from './arenas.js';
import { CALLING } from './calling.js';
import { contextParameters } from './context-parameters.js';
import type { Family } from './family.js';
import { farMoves, metPointers } from './far-moves.js';
import { graphPlaces } from './graph-places.js';
import { handed } from './handed.js';
import { kptrs } from './kptrs.js';
import { limits } from './limits.js';
import { mapUses } from './map-uses.js';
import { movedSockets } from './moved-sockets.js';
import { MOVING } from './moves.js';
import { overlaps } from './overlaps.js';
import { PACKETS } from './packets.js';
import { globalResults, parameterTags } from './parameter-tags.js';
import { passed } from './passed.js';
import { HOLDING } from './resources.js';
import { sequences } from './sequences.js';
import { severalParameters } from './several-parameters.js';
import { SITES } from './sites.js';

export const FAMILIES: readonly Family[] = [
  ...HOLDING,
  sequences,
  kptrs,
  limits,
  overlaps,
  graphPlaces,
  severalParameters,
  ...ACCESSING,
  mapUses,
  arenas,
  ...CALLING,
  ...MOVING,
  ...PACKETS,
  ...SITES,
  contextParameters,
  movedSockets,
  passed,
  handed,
  farMoves,
  metPointers,
  parameterTags,
  globalResults,
];
