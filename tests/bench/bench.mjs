// `npm run bench`: whole-token verification and whole requests, ours and our peers', in one run.
// Node's own modules only; the rest is loaded after set-up.
//   node tests/bench/bench.mjs [--quick] [--only tokens|requests|native] [--json FILE] [--write-readme]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { build } from '../../src/build/build.mjs';
import { setup } from '../../src/build/setup.mjs';
import { main, step } from '../../src/build/steps.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    only: { type: 'string' },
    json: { type: 'string' },
    'write-readme': { type: 'boolean' },
  },
});

if (options.only && options['write-readme']) throw new Error('--write-readme needs all rows');

// A round times one batch of each library in turn; the medians are taken over rounds. In workerd a
// batch is a request, which costs by itself what many tokens cost: it has to be a large one.
const EFFORT = options.quick
  ? { node: { rounds: 7, batch: 60 }, workerd: { rounds: 5, batch: 200 }, starts: 5 }
  : { node: { rounds: 21, batch: 200 }, workerd: { rounds: 11, batch: 1000 }, starts: 15 };

const isWanted = (part) => options.only === undefined || options.only === part;

await main(async () => {
  await setup();
  if (options.only !== 'native') await build();
  const { makeTokens, ALGS, GATE_ALGS, JWT } = await import('./tokens.mjs');
  const { benchGatesNode } = await import('./gates-node.mjs');
  const { NATIVE_ALGS, benchNative, buildNative } = await import('./native.mjs');
  const { benchNode } = await import('./node.mjs');
  const { benchWorkerd } = await import('./workerd.mjs');
  const { coldStart, sizes } = await import('./start-and-size.mjs');
  const { print, printNative, writeReadme } = await import('./table.mjs');

  const rows = [];
  for (const alg of isWanted('tokens') ? ALGS : []) {
    const tokens = await step(`tokens for ${alg}`, () => makeTokens(alg, EFFORT));
    rows.push(...(await step(`${alg} in Node`, () => benchNode(alg, tokens, EFFORT.node))));
    rows.push(...(await step(`${alg} in workerd`, () => benchWorkerd(alg, tokens, EFFORT.workerd))));
  }
  for (const alg of isWanted('requests') ? GATE_ALGS : []) {
    const tokens = await step(`tokens for ${alg}, whole requests`, () => makeTokens(alg, EFFORT, JWT));
    const { node, workerd } = EFFORT;
    rows.push(...(await step(`${alg}, whole requests in Node`, () => benchGatesNode(alg, tokens, node))));
    rows.push(
      ...(await step(`${alg}, whole requests in workerd`, () => benchWorkerd(alg, tokens, workerd, true))),
    );
  }
  // aws-lc alone takes minutes to compile: these rows are printed when they are asked for.
  if (options.only === 'native') {
    await step('the native bench', buildNative);
    for (const alg of NATIVE_ALGS) {
      const tokens = await step(`tokens for ${alg}, natively`, () => makeTokens(alg, EFFORT, JWT));
      rows.push(...(await step(`${alg} natively`, () => benchNative(alg, tokens))));
    }
    printNative(rows);
    if (options.json) writeFileSync(options.json, `${JSON.stringify({ rows }, null, 2)}\n`);
    return;
  }
  const result = {
    rows,
    sizes: sizes(),
    coldStart: await step('cold starts', () => coldStart(EFFORT.starts)),
  };
  print(result);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  if (options['write-readme']) writeReadme(result);
});
