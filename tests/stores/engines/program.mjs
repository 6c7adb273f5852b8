// Starts a server program and waits until it says that it is ready. It ends with the test,
// whatever comes of the test.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { TARGET } from '../../../src/build/steps.mjs';

const READY_MS = 60_000;
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A folder of its own, removed by `remove`; with `open`, one that another user can get to. */
export function folder(name, { open = false } = {}) {
  const tmp = join(TARGET, 'tmp');
  mkdirSync(tmp, { recursive: true });
  const path = mkdtempSync(join(open && !isOpen(tmp) ? tmpdir() : tmp, `${name}-`));
  if (open) chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** May everybody pass through it and all that it is in? */
function isOpen(path) {
  return (statSync(path).mode & 0o001) === 1 && (dirname(path) === path || isOpen(dirname(path)));
}

/** Resolves when the program has printed `ready`; `end(signal)` waits until it is gone. */
export async function program(path, args, { ready, ...options }) {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  running.add(child);
  let told = '';
  const gone = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  gone.then(() => running.delete(child));
  await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${path} is not ready:\n${told}`)), READY_MS);
    const listen = (chunk) => {
      if (told.length < 100_000) told += chunk;
      if (ready.test(told)) resolve(clearTimeout(late));
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    gone.then(() => {
      clearTimeout(late);
      reject(new Error(`${path} ended:\n${told}`));
    });
  });
  return {
    async end(signal) {
      child.kill(signal);
      await gone;
    },
  };
}
