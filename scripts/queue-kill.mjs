/**
 * `node scripts/queue-kill.mjs`: a campaign over a queue, while its workers are killed (kill -9) and its Redis is restarted, gives what one machine
 * gives. Prints a log, and ends with 1 if anything differs. Needs `redis-server` and a build.
 *
 *   --programs N        programs of the campaign (2000)
 *   --kill-every S      seconds between two kills of a worker (20)
 *   --kills N           kills at the most (no end)
 *   --lock D            see swansong worker --lock (5s)
 *   --port N            port of the Redis that is started (7977)
 *   the rest            options of swansong fuzz
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

const { values, positionals } = parseArgs({
  options: {
    programs: { type: 'string', default: '2000' },
    'kill-every': { type: 'string', default: '20' },
    kills: { type: 'string', default: 'Infinity' },
    lock: { type: 'string', default: '5s' },
    port: { type: 'string', default: '7977' },
  },
  allowPositionals: true,
});
const { programs, lock, port } = values;
const WORKERS = 3;
const MAIN = resolve(import.meta.dirname, '../dist/src/cli/main.js');
const folder = mkdtempSync(join(tmpdir(), 'swansong-queue-'));
const url = `redis://127.0.0.1:${port}`;
const campaign = ['fuzz', '--programs', programs, ...positionals, '--json'];

const begun = performance.now();
const log = (line) =>
  process.stdout.write(`${((performance.now() - begun) / 1000).toFixed(1).padStart(7)} s  ${line}\n`);
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Starts a program; `ended` resolves with its exit code, signal and output. */
function start(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err += text;
  });
  const ended = new Promise((done) =>
    child.on('close', (code, signal) => done({ code, signal, out, err })),
  );
  return { child, ended };
}

/** A Redis that writes what it is told to disk before it answers. */
async function startRedis() {
  const options = ['--port', port, '--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
  const redis = start('redis-server', [...options, '--bind', '127.0.0.1']);
  for (let tries = 0; tries < 200; tries++) {
    const { stdout } = spawnSync('redis-cli', ['-p', port, 'ping'], { encoding: 'utf8' });
    if (stdout.includes('PONG')) return redis;
    await wait(50);
  }
  throw new Error(`redis-server does not answer: ${(await redis.ended).out}`);
}

const startWorker = () =>
  start(process.execPath, [MAIN, 'worker', '--queue', url, '--workers', '1', '--lock', lock, '--json']);

/** What is left of the summary of a campaign without what differs from run to run. */
function plain(out) {
  // When something was met, and how often the campaign was started, is no part of what was found.
  const { ms: _, programsPerSecond: __, runs: ___, ...rest } = JSON.parse(out, (key, value) =>
    key === 'firstSeen' || key === 'status' ? undefined : value,
  );
  return JSON.stringify(rest, (key, value) => (key === 'file' ? value.split('/').at(-1) : value), 1);
}

/** The files of findings, by name. */
const files = (name) =>
  JSON.stringify(
    readdirSync(join(folder, name, 'findings'), { recursive: true })
      .filter((file) => file.endsWith('.bpf'))
      .sort()
      .map((file) => [file, readFileSync(join(folder, name, 'findings', file), 'utf8')]),
  );

let redis = await startRedis();
const client = new Redis(url, { maxRetriesPerRequest: null });
client.on('error', () => {});
const workers = Array.from({ length: WORKERS }, startWorker);
const publisher = start(process.execPath, [MAIN, ...campaign, '--out', join(folder, 'queue'), '--queue', url]);
let ended = false;
void publisher.ended.then(() => {
  ended = true;
});
log(`${programs} programs, ${WORKERS} workers, one killed every ${values['kill-every']} s: ${campaign.join(' ')}`);

let queue;
/** The shards that are under way and those that wait. */
async function counts() {
  if (queue === undefined) {
    const [code] = await client.zrange('swansong:builds', 0, 0);
    if (code === undefined) return { active: 0, waiting: 0 };
    queue = new Queue(`shards-${code}`, { connection: client, prefix: 'swansong', skipVersionCheck: true });
    queue.on('error', () => {});
  }
  return queue.getJobCounts('active', 'waiting');
}

let kills = 0;
let heldAtKills = 0;
let restarted = false;
while (!ended && kills < Number(values.kills)) {
  const until = performance.now() + 1000 * Number(values['kill-every']);
  while (!ended && performance.now() < until) await wait(50);
  // A kill is to hit a worker that computes.
  while (!ended && (await counts()).active === 0) await wait(20);
  if (ended) break;
  const { active, waiting } = await counts();
  const victim = workers.shift();
  victim.child.kill('SIGKILL');
  await victim.ended;
  const held = (await counts()).active;
  kills++;
  heldAtKills += held > 0 ? 1 : 0;
  log(`killed a worker (${active} shards under way, ${waiting} wait); ${held} shards are held now`);
  workers.push(startWorker());
  if (!restarted && kills === Math.min(2, Number(values.kills))) {
    redis.child.kill('SIGTERM');
    await redis.ended;
    log('Redis ended');
    await wait(300);
    redis = await startRedis();
    restarted = true;
    log('Redis is back');
  }
}

const published = await publisher.ended;
log(`the campaign has ended with ${published.code}${published.err === '' ? '' : `: ${published.err.trim()}`}`);
for (const { child } of workers) child.kill('SIGTERM');
let shards = 0;
for (const { ended: end } of workers) {
  const { code, out, err } = await end;
  const done = code === 0 ? JSON.parse(out) : undefined;
  shards += done?.shards ?? 0;
  log(`a worker has ended with ${code}: ${done === undefined ? err.trim() : `${done.shards} shards, ${done.programs} programs`}`);
}
const left = await counts().then(() => queue?.getRanges(['waiting', 'active', 'completed', 'failed', 'delayed'], 0, -1));
await queue?.close();
client.disconnect();
redis.child.kill('SIGTERM');
await redis.ended;

log('the same on one machine');
const alone = await start(process.execPath, [MAIN, ...campaign, '--out', join(folder, 'alone')]).ended;
log(`it has ended with ${alone.code}`);

const checks = {
  'both ended with a finding or without one': published.code === alone.code && [0, 1].includes(alone.code),
  'workers were killed while they held shards': heldAtKills > 0,
  'Redis was restarted': restarted,
  'no shard is left on the queue': left?.length === 0,
  'all programs are counted, none twice': JSON.parse(published.out || '{}').programs === Number(programs),
  'findings, coverage and all other figures are those of one machine':
    published.code === alone.code && plain(published.out) === plain(alone.out),
  'the files of findings are those of one machine': published.code === alone.code && files('queue') === files('alone'),
};
for (const [what, holds] of Object.entries(checks)) log(`${holds ? 'yes' : 'NO '}  ${what}`);
if (alone.code <= 1) {
  const { programs: done, accepted, points, findings } = JSON.parse(alone.out);
  log(`${done} programs, ${accepted} accepted, ${points} points, ${findings.length} findings, ${kills} kills`);
}
rmSync(folder, { recursive: true, force: true });
process.exit(Object.values(checks).every(Boolean) ? 0 : 1);
