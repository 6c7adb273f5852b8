// `npm start`: builds, then serves the demonstration in workerd until Ctrl-C. With --check it runs
// through it once and ends.
//   [PORT=8787] node src/build/start.mjs [--check]

import { check } from '../../www/demo/check.mjs';
import { assertFree, serve } from '../../www/demo/servers.mjs';
import { build } from './build.mjs';
import { setup } from './setup.mjs';
import { isMain, main, Plain, step } from './steps.mjs';

const PORT = 8787;

async function start() {
  const unknown = process.argv.slice(2).find((argument) => argument !== '--check');
  if (unknown) throw new Plain(`${unknown} is not known; there is --check`);
  const once = process.argv.includes('--check');
  const port = once ? 0 : wantedPort();
  await assertFree(port);
  await setup();
  await build();
  await assertFree(port);
  const demonstration = await step('issuer, edge and front in workerd', () => serve(port));
  if (once) {
    try {
      if (!(await check(demonstration))) process.exitCode = 1;
    } finally {
      await demonstration.stop();
    }
    return;
  }
  console.log(`\n  ${demonstration.origin}\n\n  Ctrl-C stops it.\n`);
  await interrupted();
  console.log('\n▸ stopping');
  await demonstration.stop();
}

function wantedPort() {
  const { PORT: wanted } = process.env;
  if (!wanted) return PORT;
  const port = Number(wanted);
  if (!/^\d+$/.test(wanted) || port > 65_535)
    throw new Plain(
      `PORT is ${JSON.stringify(wanted)}; it has to be a number from 0 (any free port) to 65535`,
    );
  return port;
}

function interrupted() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) {
      // miniflare's own listener would end the process at once, with a failure.
      process.removeAllListeners(signal);
      process.once(signal, resolve);
    }
  });
}

if (isMain(import.meta.url)) await main(start);
