// `npm start` as a child process in a group of its own, so that it can be interrupted as a
// terminal does.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { ROOT } from '../../support/binaries.mjs';

const PATIENCE_MS = 600_000;

/** Starts it and says at once what it is doing: `{ child, output }`. */
export function startDemonstrationOn(port) {
  const child = spawn(process.execPath, [join(ROOT, 'src', 'build', 'start.mjs')], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const started = { child, output: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    started.output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    started.errors += text;
  });
  return started;
}

/**
 * Starts it on a free port and waits until it serves: `{ child, origin }`. It may have to build
 * first.
 */
export async function startDemonstration() {
  const started = startDemonstrationOn(0);
  const { child } = started;
  const origin = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('npm start does not come up')), PATIENCE_MS);
    child.once('exit', () => reject(new Error(`npm start ended: ${started.errors}`)));
    child.once('exit', () => clearTimeout(late));
    child.stdout.on('data', () => {
      const found = started.output.match(/^ {2}(http:\/\/127\.0\.0\.1:\d+)$/m);
      if (!found) return;
      clearTimeout(late);
      resolve(found[1]);
    });
  });
  return Object.assign(started, { origin });
}

/** Waits for the end: `{ code, errors }`. */
export async function ended(started) {
  const [code] = await once(started.child, 'close');
  return { code, errors: started.errors };
}
