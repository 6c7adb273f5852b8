// The load test: the same worker gated by Portcullis, by Hono's `jwk` and by jose, each in a
// workerd of its own, under the same requests, good and hostile, in turns. Ours may make no
// mistake and keep no memory; how long it takes is printed and judged by nobody.
//   node tests/load/load.mjs [--requests 100000] [--theirs 30000]
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

import { main, Plain, ROOT } from '../../src/build/steps.mjs';
import { startWorker } from '../support/workerd.mjs';
import { drive } from './client.mjs';
import { ALG, AUDIENCE, ISSUER, JWK, makeStock } from './requests.mjs';

// The last one lets everything pass: what a request costs in any case.
const NAMES = ['portcullis', 'hono/jwk', 'jose', 'no gate'];
const ROUNDS = 10;
const CONNECTIONS = 16;
const TIMEOUT_MS = 60_000;
const MEGABYTE = 1024 * 1024;
/** What a heap may swing by. A leak of 1 KiB a request would be more. */
const MOST_GROWTH = 32 * MEGABYTE;

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    theirs: { type: 'string', default: '30000' },
  },
});

await main(async () => {
  const perRound = ({ name }) =>
    Math.ceil(Number(name === 'portcullis' ? options.requests : options.theirs) / ROUNDS);
  const workers = [];
  try {
    for (const name of NAMES) workers.push(await startGated(name));
    // Once for warming up, then in rounds whose order turns.
    for (const worker of workers) await round(worker, perRound(worker));
    for (const worker of workers) worker.reset();
    for (let turn = 0; turn < ROUNDS; turn++) {
      for (let place = 0; place < workers.length; place++) {
        const worker = workers[(turn + place) % workers.length];
        await round(worker, perRound(worker));
      }
    }
    report(workers);
    judge(workers[0]);
  } finally {
    for (const { stop } of workers) await stop();
  }
});

async function startGated(name) {
  const before = workerds();
  const bindings = { GATE: name, POLICY: { ISSUER, AUDIENCE, ALG, JWK } };
  const { origin, stop } = await startWorker(join(ROOT, 'tests', 'load', 'worker.mjs'), { bindings });
  const pid = workerds().find((one) => !before.includes(one));
  const { port, host } = new URL(origin);
  const worker = {
    name,
    pid,
    port,
    stop,
    next: makeStock({ host, fresh: 12_000, callers: 200, hostile: 1500 }),
  };
  worker.reset = () => Object.assign(worker, { times: [], statuses: {}, memory: [], seconds: 0, cpu: 0 });
  worker.reset();
  return worker;
}

async function round(worker, count) {
  const { port, next, times, statuses } = worker;
  const note = (expected, status, milliseconds) => {
    const kind = `${expected} ${status}`;
    statuses[kind] = (statuses[kind] ?? 0) + 1;
    times.push(milliseconds);
  };
  const [started, before] = [performance.now(), cpuSeconds(worker.pid)];
  await drive({ port, connections: CONNECTIONS, count, next, note, timeoutMs: TIMEOUT_MS });
  worker.seconds += (performance.now() - started) / 1000;
  worker.cpu += cpuSeconds(worker.pid) - before;
  worker.memory.push(residentBytes(worker.pid));
}

/** The workerd processes that this one has started. */
function workerds() {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const [, command, parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'));
      return command === 'workerd' && Number(parent) === process.pid;
    } catch {
      return false;
    }
  });
}

function residentBytes(pid) {
  if (pid === undefined) return undefined;
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

/**
 * What the process has computed for so far: unlike the answers a second, it does not depend on
 * what else this machine does.
 */
function cpuSeconds(pid) {
  if (pid === undefined) return Number.NaN;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  // Fields 14 and 15 of proc(5), in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function report(workers) {
  console.log(
    '\n             requests  answers/s  CPU µs each   p50 ms   p99 ms   memory MB, round by round',
  );
  for (const worker of workers) {
    const { name, times, seconds, memory } = worker;
    times.sort((a, b) => a - b);
    const at = (share) =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(2).padStart(8);
    const mb = (bytes) => (bytes === undefined ? '–' : (bytes / MEGABYTE).toFixed(0));
    const cpu = ((worker.cpu * 1e6) / times.length).toFixed(0).padStart(9);
    const rate = (times.length / seconds).toFixed(0).padStart(10);
    const count = String(times.length).padStart(9);
    console.log(
      `${name.padEnd(12)} ${count} ${rate}    ${cpu} ${at(0.5)} ${at(0.99)}   ${memory.map(mb).join(' ')}`,
    );
  }
  for (const { name, statuses } of workers) {
    const counted = Object.entries(statuses)
      .sort()
      .map(([kind, count]) => `${kind}: ${count}`);
    console.log(`${name.padEnd(12)} ${counted.join(', ')}`);
  }
}

function judge({ statuses, memory }) {
  const wrong = Object.keys(statuses).filter((kind) => kind !== 'good 200' && !/^hostile 40[01]$/.test(kind));
  if (wrong.length > 0) throw new Plain(`answers that should not be: ${wrong.join(', ')}`);
  if (memory.some((bytes) => bytes === undefined))
    return console.log('memory is not looked at on this system');
  // The heap settles in the first rounds; from there on it may not climb.
  const settled = Math.max(...memory.slice(0, ROUNDS / 2));
  const last = Math.min(...memory.slice(-2));
  if (last - settled > MOST_GROWTH) {
    throw new Plain(`memory grew from ${settled} to ${last} bytes over ${ROUNDS / 2} rounds`);
  }
  console.log('no error, no mistake, memory flat');
}
