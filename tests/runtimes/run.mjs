// Runs the conformance suite against the packed package in every runtime, and against jose beside
// it.
//   node tests/runtimes/run.mjs [--all] [--only NAME]… [--library portcullis|jose] [--write-readme]
// The package has to be built; set-up has to have installed the runtimes. A missing runtime is a
// failure.
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

import { chromium, firefox } from '../support/browsers.mjs';
import { bundleDriver } from './drivers/bundles.mjs';
import { consoleDriver } from './drivers/console.mjs';
import { next } from './drivers/next.mjs';
import { requireDriver } from './drivers/require.mjs';
import { serviceWorker } from './drivers/service-worker.mjs';
import { slim } from './drivers/slim.mjs';
import { webkit } from './drivers/webkit.mjs';
import { workerd } from './drivers/workerd.mjs';
import { withoutExplained } from './exceptions.mjs';
import { layOut } from './stage.mjs';
import { printTable, writeReadme, writeTable } from './table.mjs';

const TIMEOUT_MS = 180_000;
const FAILURES_SHOWN = 12;
const JOSE_KINDS = ['verify', 'jws', 'inspect'];

const MACHINES_NODE = `Node ${process.versions.node.split('.')[0]}`;

// `entry` is the condition of the package's exports that the runtime takes.
const RUNTIMES = [
  { name: 'node', title: MACHINES_NODE, entry: 'default', drive: consoleDriver('node') },
  { name: 'node22', title: 'Node 22', entry: 'default', drive: consoleDriver('node22'), extra: true },
  { name: 'node24', title: 'Node 24', entry: 'default', drive: consoleDriver('node24') },
  { name: 'node26', title: 'Node 26', entry: 'default', drive: consoleDriver('node26'), extra: true },
  { name: 'workerd', title: 'workerd', entry: 'workerd', drive: workerd },
  { name: 'deno', title: 'Deno', entry: 'default', drive: consoleDriver('deno') },
  { name: 'bun', title: 'Bun', entry: 'default', drive: consoleDriver('bun') },
  { name: 'next', title: 'Next edge route', entry: 'edge-light', drive: next },
  { name: 'chromium', title: 'Chromium', entry: 'default', drive: chromium },
  { name: 'service-worker', title: 'Service worker in Chromium', entry: 'default', drive: serviceWorker },
  { name: 'firefox', title: 'Firefox', entry: 'default', drive: firefox },
  { name: 'webkit', title: 'WebKitGTK', entry: 'default', drive: webkit },
];

// These ask for the package itself, not for a library of the suite.
const USES = [
  { name: 'vite', title: 'Vite bundle in Chromium', entry: 'default', drive: bundleDriver('vite') },
  { name: 'esbuild', title: 'esbuild bundle in Chromium', entry: 'default', drive: bundleDriver('esbuild') },
  { name: 'webpack', title: 'webpack bundle in Chromium', entry: 'default', drive: bundleDriver('webpack') },
  { name: 'slim', title: 'Slim entry in Chromium', entry: 'slim', drive: slim },
  { name: 'require', title: `require() in ${MACHINES_NODE}`, entry: 'default', drive: requireDriver('node') },
  { name: 'require24', title: 'require() in Node 24', entry: 'default', drive: requireDriver('node24') },
];

const { values: options } = parseArgs({
  options: {
    all: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    library: { type: 'string' },
    'write-readme': { type: 'boolean' },
  },
});

// Leaving by `exit` lets every runtime and scratch folder go along.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(`conformance: ${error.message}`);
  process.exitCode = 1;
}

async function main() {
  if (options['write-readme'] && !options.all)
    throw new Error('--write-readme needs --all: the table names every runtime');
  const rows = [];
  for (const { library, runtimes } of plan()) {
    const stage = await layOut(library);
    try {
      for (const runtime of runtimes) rows.push(await runIn(runtime, stage));
    } finally {
      stage.remove();
    }
  }
  console.log();
  printTable(rows);
  await writeTable(rows);
  const good = rows.every(({ error, failed }) => !error && failed === 0);
  if (good && options['write-readme']) await writeReadme(rows);
  const failures = rows.filter(({ error, failed }) => error || failed > 0).length;
  console.log(`\nconformance: ${rows.length - failures} passed, ${failures} failed`);
  return good;
}

/** Which library runs where. jose is asked once, unless it is what is asked for. */
function plan() {
  const chosen = ({ name, extra }) => (options.only ? options.only.includes(name) : options.all || !extra);
  const unknown = options.only?.find(
    (name) => ![...RUNTIMES, ...USES].some((runtime) => runtime.name === name),
  );
  if (unknown) throw new Error(`no runtime is named ${unknown}`);
  if (options.library === 'jose') return [{ library: 'jose', runtimes: RUNTIMES.filter(chosen) }];
  const ours = { library: 'portcullis', runtimes: [...RUNTIMES, ...USES].filter(chosen) };
  if (options.library || options.only) return [ours];
  return [ours, { library: 'jose', runtimes: RUNTIMES.filter(({ name }) => name === 'node24') }];
}

async function runIn({ name, title, entry, drive }, stage) {
  const row = { name, title, entry, library: stage.library };
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  try {
    const { version, ...raw } = await drive({ stage, timeoutMs: TIMEOUT_MS });
    const answer =
      stage.library === 'jose' ? await withoutExplained(raw, JOSE_KINDS, stage.vectorFiles, name) : raw;
    const { passed, total, failed, explained } = answer;
    const seconds = elapsed();
    const remark = explained === undefined ? '' : `, ${explained} disagreements explained`;
    console.log(
      `${failed.length ? '✗' : '✓'} ${title} ${version}, ${stage.library}: ${passed} of ${total}${remark} (${seconds.toFixed(1)} s)`,
    );
    for (const { id, expected, got } of failed.slice(0, FAILURES_SHOWN)) {
      console.log(`    ${id}\n      expected ${expected}\n      got      ${got}`);
    }
    if (failed.length > FAILURES_SHOWN) console.log(`    … and ${failed.length - FAILURES_SHOWN} more`);
    return { ...row, version, passed, failed: failed.length, total, explained, seconds, failures: failed };
  } catch (error) {
    console.log(`✗ ${title}, ${stage.library}: did not run: ${error.message}`);
    return { ...row, error: error.message, passed: 0, failed: 0, total: 0, seconds: elapsed() };
  }
}
