// `npm test`: every stage named and timed, each a pass or a failure, side by side where they can
// be. Node's own modules only.
//   node src/build/test.mjs [--all] [--only NAME]…
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { runInLanes } from './lanes.mjs';
import { stages } from './stages.mjs';
import { isMain, main, Plain, ROOT } from './steps.mjs';

/** So often a word of what is being done. */
const TICK_MS = 60_000;

const { values: options } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    // One stage in this process, and nothing else: how `npm test` runs each.
    stage: { type: 'string' },
  },
});

async function test() {
  const known = stages(options);
  if (options.stage) return known.find(({ name }) => name === options.stage).work();
  const unknown = options.only?.find((name) => !known.some((stage) => stage.name === name));
  if (unknown)
    throw new Plain(`no stage is named ${unknown}; there are ${known.map(({ name }) => name).join(', ')}`);
  const chosen = known.filter(({ name, needed }) => needed || !options.only || options.only.includes(name));
  const started = Date.now();
  const running = new Map();
  const tick = setInterval(() => console.log(sign(running)), TICK_MS);
  const perform = async (stage) => {
    running.set(stage.name, Date.now());
    try {
      return await runStage(stage);
    } finally {
      running.delete(stage.name);
    }
  };
  // What was asked for by name runs in turn, and is seen while it runs.
  const inTurn = options.only ? chosen.map((stage) => ({ ...stage, lane: 'one', nice: 0 })) : chosen;
  const results = await runInLanes(inTurn, perform);
  clearInterval(tick);
  report(chosen, results, (Date.now() - started) / 1000);
}

const sign = (running) => {
  const since = ([name, from]) => `${name} ${((Date.now() - from) / 1000).toFixed(0)} s`;
  return `  … ${[...running].map(since).join(' · ')}`;
};

/**
 * Runs it in a process of its own. What it prints is shown as it comes where nothing else is, and
 * whole at its end otherwise.
 */
async function runStage({ name, lane, nice }) {
  const isSeen = lane === 'setup' || lane === 'one';
  const args = [fileURLToPath(import.meta.url), '--stage', name, ...(options.all ? ['--all'] : [])];
  const heading = `\n━━ ${name}\n`;
  if (isSeen) process.stdout.write(heading);
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', isSeen ? 'inherit' : 'pipe', isSeen ? 'inherit' : 'pipe'],
  });
  children.add(child);
  if (nice > 0) yieldTo(child.pid, nice);
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
  const ended = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (status, signal) => resolve(status ?? signal));
  });
  children.delete(child);
  if (!isSeen) process.stdout.write(Buffer.concat([Buffer.from(heading), ...output]));
  if (ended !== 0) return new Plain(`${name} ended with ${ended}`);
}

/** What it starts inherits the priority. A system that knows none does without. */
function yieldTo(pid, nice) {
  try {
    setPriority(pid, nice);
  } catch {
    // It has ended already, or may not be changed.
  }
}

const children = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const child of children) child.kill(signal);
    process.exit(1);
  });

function report(chosen, results, total) {
  console.log('\n━━ stages');
  const passed = chosen.filter(({ name }) => results.has(name) && !results.get(name).error).length;
  let sum = 0;
  for (const { name } of chosen) {
    const result = results.get(name);
    if (!result) {
      console.log(`✗ ${name.padEnd(20)} was not reached`);
      continue;
    }
    const { error, seconds, from } = result;
    sum += seconds;
    const began = `from ${from.toFixed(0)} s`.padStart(12);
    console.log(`${error ? '✗' : '✓'} ${name.padEnd(20)} ${seconds.toFixed(1).padStart(7)} s ${began}`);
  }
  const table = join(ROOT, 'target', 'conformance', 'table.json');
  if (existsSync(table) && results.has('conformance')) {
    const { rows } = JSON.parse(readFileSync(table, 'utf8'));
    console.log(
      `runtimes: ${rows.map(({ title, version }) => `${title} ${version ?? 'did not run'}`).join(' · ')}`,
    );
  }
  const minutes = (seconds) => `${(seconds / 60).toFixed(1)} minutes`;
  console.log(`${minutes(total)} on ${availableParallelism()} cores; the stages add up to ${minutes(sum)}`);
  console.log(`${passed} passed, ${chosen.length - passed} failed`);
  if (passed < chosen.length) process.exitCode = 1;
}

if (isMain(import.meta.url)) await main(test);
