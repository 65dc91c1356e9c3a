/** Plainer maps and worlds for a program that keeps its insns. */
import type { MapDef, Program } from '../../object/program.js';
import type { Environment } from '../../vm/state/environment.js';
import type { Scenario } from './size.js';

/** What is simpler about maps, types and environment, a little at a time. The step is that of the original. */
export function* simplerScenarios(scenario: Scenario): Iterable<Scenario> {
  const { program, env } = scenario;
  for (const plainer of simplerEnvironments(env)) yield { ...scenario, env: plainer };
  for (const [index, map] of program.maps.entries()) {
    for (const plainer of simplerMaps(map)) {
      const maps = program.maps.map((one, i) => (i === index ? plainer : one));
      yield { ...scenario, program: { ...program, maps } };
    }
  }
  yield* simplerPrograms(scenario);
}

function* simplerPrograms(scenario: Scenario): Iterable<Scenario> {
  const { program } = scenario;
  const { section: _section, license: _license, ...rest } = program;
  if (program.section !== undefined || program.license !== undefined) yield { ...scenario, program: rest };
  const { name, subprogs } = program;
  const local = subprogs.map((one) => (one.start === 0 ? { ...one, linkage: 'static' as const } : one));
  if (name !== 'case') yield { ...scenario, program: { ...program, name: 'case', subprogs: local } };
  // The ids of local types are their places in the list, so only the last one can be removed.
  if (program.localTypes.length > 0) {
    yield { ...scenario, program: { ...program, localTypes: program.localTypes.slice(0, -1) } };
  }
}

function* simplerMaps(map: MapDef): Iterable<MapDef> {
  if (map.type !== 'ringbuf' && map.maxEntries > 1) yield { ...map, maxEntries: 1 };
  if (map.type === 'lru_hash' || map.type === 'percpu_array')
    yield { ...map, type: map.type === 'lru_hash' ? 'hash' : 'array' };
  for (const [index] of map.fields.entries())
    yield { ...map, fields: map.fields.filter((_, i) => i !== index) };
  if (map.type !== 'ringbuf' && map.fields.length === 0 && map.valueSize > 8) yield { ...map, valueSize: 8 };
}

function* simplerEnvironments(env: Environment): Iterable<Environment> {
  const { packet, ctx, ctxFields, maps, choices } = env;
  if (packet !== undefined || ctx !== undefined || ctxFields !== undefined || maps !== undefined)
    yield { choices };
  if (packet !== undefined) yield withoutPart(env, 'packet');
  if (ctx !== undefined) yield withoutPart(env, 'ctx');
  if (ctxFields !== undefined) yield withoutPart(env, 'ctxFields');
  if (maps !== undefined) yield withoutPart(env, 'maps');
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

function withoutPart(env: Environment, part: 'packet' | 'ctx' | 'ctxFields' | 'maps'): Environment {
  const { [part]: _gone, ...rest } = env;
  return rest;
}

/** Removes contents of maps that the program no longer has, and choices of calls that it no longer makes. */
export function trimEnvironment(
  env: Environment,
  program: Program,
  recorded: Environment['choices'],
): Environment {
  const { maps, ...rest } = env;
  const names = new Set(program.maps.map((map) => map.name));
  const kept = new Map([...(maps ?? [])].filter(([name, entries]) => names.has(name) && entries.size > 0));
  const choices = new Map([...env.choices].filter(([key]) => recorded.has(key)));
  return { ...rest, choices, ...(kept.size > 0 ? { maps: kept } : {}) };
}
