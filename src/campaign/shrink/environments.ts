/** Plainer maps and worlds for a program that keeps its insns. */
import type { MapDef, Program } from '../../object/program.js';
import type { Environment } from '../../vm/environment.js';
import type { Shown } from './measure.js';

/** What is simpler about maps, types and environment, a little at a time. The step is that of the original. */
export function* plainerEnvironments(shown: Shown): Iterable<Shown> {
  const { program, env } = shown;
  for (const plainer of plainerWorlds(env)) yield { ...shown, env: plainer };
  for (const [index, map] of program.maps.entries()) {
    for (const plainer of plainerMaps(map)) {
      const maps = program.maps.map((one, i) => (i === index ? plainer : one));
      yield { ...shown, program: { ...program, maps } };
    }
  }
  yield* plainerPrograms(shown);
}

function* plainerPrograms(shown: Shown): Iterable<Shown> {
  const { program } = shown;
  const { section: _section, license: _license, ...rest } = program;
  if (program.section !== undefined || program.license !== undefined) yield { ...shown, program: rest };
  const { name, subprogs } = program;
  const local = subprogs.map((one) => (one.start === 0 ? { ...one, linkage: 'static' as const } : one));
  if (name !== 'case') yield { ...shown, program: { ...program, name: 'case', subprogs: local } };
  // Ids of local types go by their place in the list, so only the last one can go.
  if (program.localTypes.length > 0) {
    yield { ...shown, program: { ...program, localTypes: program.localTypes.slice(0, -1) } };
  }
}

function* plainerMaps(map: MapDef): Iterable<MapDef> {
  if (map.type !== 'ringbuf' && map.maxEntries > 1) yield { ...map, maxEntries: 1 };
  if (map.type === 'lru_hash' || map.type === 'percpu_array')
    yield { ...map, type: map.type === 'lru_hash' ? 'hash' : 'array' };
  for (const [index] of map.fields.entries())
    yield { ...map, fields: map.fields.filter((_, i) => i !== index) };
  if (map.type !== 'ringbuf' && map.fields.length === 0 && map.valueSize > 8) yield { ...map, valueSize: 8 };
}

function* plainerWorlds(env: Environment): Iterable<Environment> {
  const { packet, ctx, ctxFields, maps, choices } = env;
  if (packet !== undefined || ctx !== undefined || ctxFields !== undefined || maps !== undefined)
    yield { choices };
  if (packet !== undefined) yield dropping(env, 'packet');
  if (ctx !== undefined) yield dropping(env, 'ctx');
  if (ctxFields !== undefined) yield dropping(env, 'ctxFields');
  if (maps !== undefined) yield dropping(env, 'maps');
  for (const [name, entries] of maps ?? []) {
    for (const key of entries.keys()) {
      const fewer = new Map([...entries].filter(([other]) => other !== key));
      yield {
        ...env,
        maps: new Map([...maps!].map(([other, all]) => [other, other === name ? fewer : all])),
      };
    }
  }
  for (const [key, choice] of choices) {
    yield { ...env, choices: new Map([...choices].filter(([other]) => other !== key)) };
    // The outcome without the number or bytes that came with it.
    const [outcome = ''] = choice.split(':');
    if (outcome !== choice && outcome !== '') {
      yield {
        ...env,
        choices: new Map([...choices].map(([other, one]) => [other, other === key ? outcome : one])),
      };
    }
  }
}

function dropping(env: Environment, part: 'packet' | 'ctx' | 'ctxFields' | 'maps'): Environment {
  const { [part]: _gone, ...rest } = env;
  return rest;
}

/** Without contents of maps that the program has not, and choices of calls that it does not make any more. */
export function fitting(env: Environment, program: Program, made: Environment['choices']): Environment {
  const { maps, ...rest } = env;
  const names = new Set(program.maps.map((map) => map.name));
  const kept = new Map([...(maps ?? [])].filter(([name, entries]) => names.has(name) && entries.size > 0));
  const choices = new Map([...env.choices].filter(([key]) => made.has(key)));
  return { ...rest, choices, ...(kept.size > 0 ? { maps: kept } : {}) };
}
