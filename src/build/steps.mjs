// Running things so that a person sees what is done and for how long. Node's own modules only:
// set-up runs before `npm ci`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const TARGET = join(ROOT, 'target');
export const TOOLS = join(TARGET, 'tools');

/**
 * One set of features for every native build that does not ask for another, so that the crate and
 * its oracles are built for it once. Without ml-dsa: seven vectors state what a build says that
 * does not know it.
 */
export const NATIVE_FEATURES = 'issuer,tower';

const TICK_MS = 10_000;

/** A failure that one sentence explains; it is printed without a stack. */
export class Plain extends Error {}

/** Prints `name … 12 s` around a piece of work, with a sign of life while it lasts. */
export async function step(name, work) {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  console.log(`▸ ${name}`);
  const tick = setInterval(() => console.log(`  … ${name}: ${seconds()}`), TICK_MS);
  try {
    const result = await work();
    console.log(`  ${name}: ${seconds()}`);
    return result;
  } finally {
    clearInterval(tick);
  }
}

/**
 * Runs a program to its end. With `log`, its output goes to `target/logs/LOG.log` and the end of
 * it is shown when it fails; otherwise it is shown as it comes.
 */
export async function run(program, args, { cwd = ROOT, env = {}, log } = {}) {
  const path = log && join(TARGET, 'logs', `${log}.log`);
  if (path) mkdirSync(dirname(path), { recursive: true });
  const output = path ? openSync(path, 'w') : 'inherit';
  const code = await new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
    });
    child.on('error', (error) =>
      resolve(error.code === 'ENOENT' ? `${program} is not installed` : error.message),
    );
    child.on('close', (status, signal) => resolve(status ?? signal));
  });
  if (code === 0) return;
  if (path) console.log(readFileSync(path, 'utf8').split('\n').slice(-40).join('\n'));
  const problem = typeof code === 'string' ? code : `it ended with ${code}`;
  throw new Plain(`${[program, ...args].join(' ').slice(0, 160)}: ${problem}`);
}

/** Side by side, each to its end: a failure leaves nothing half done behind. */
export async function together(works) {
  const failure = (await Promise.allSettled(works)).find(({ status }) => status === 'rejected');
  if (failure) throw failure.reason;
}

/** A registry may hiccup once. */
export async function twice(work) {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Plain)) throw error;
    console.log(`  trying once more: ${error.message}`);
    return work();
  }
}

/** What a program prints; `undefined` when it cannot be run or fails. */
export async function ask(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', () => resolve(undefined));
    child.on('close', (status) => resolve(status === 0 ? text.trim() : undefined));
  });
}

/**
 * A port of loopback for a program that takes no port 0; the gap between closing it and its
 * opening is nobody else's.
 */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Runs a script's main function: a `Plain` failure is one sentence, anything else shows where it
 * came from.
 */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof Plain ? `✗ ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** Is that module the script that was started? */
export function isMain(url) {
  return process.argv[1] !== undefined && fileURLToPath(url) === process.argv[1];
}
