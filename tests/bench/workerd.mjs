// The same in workerd. A request verifies a whole batch, which is there before; what a request
// costs by itself is measured beside and taken off.
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import { Miniflare } from 'miniflare';

import { ROOT } from '../../src/build/steps.mjs';
import { bundleWorker } from '../../src/build/worker-bundle.mjs';
import { median } from './node.mjs';
import { AUDIENCE, ISSUER, JWT, TYPE } from './tokens.mjs';

/** Rows of one algorithm: the median microseconds a token, or with `whole` a request. */
export async function benchWorkerd(alg, tokens, { batch }, whole = false) {
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    compatibilityDate: '2026-01-01',
    ...(await bundleWorker(join(ROOT, 'tests', 'bench', 'worker.mjs'), { external: [] })),
  });
  try {
    const url = await miniflare.ready;
    const ask = async (body) => {
      const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
      if (!response.ok) throw new Error(await response.text());
      return response.json();
    };
    const names = await ask({
      setup: { whole, alg, jwk: tokens.jwk, issuer: ISSUER, audience: AUDIENCE, type: whole ? JWT : TYPE },
    });
    for (const library of names.filter((name) => name !== 'nothing')) {
      await ask({ load: [tokens.warmup[0], tokens.forged] });
      const accepted = await ask({ library });
      if (accepted !== 1)
        throw new Error(`${library} in workerd accepts ${accepted} of a good and a forged token`);
      await ask({ load: tokens.warmup });
      await timed(ask, library, tokens.warmup.length);
    }
    const fresh = await rounds(ask, names, tokens.workerd);
    const again = tokens.workerd.map(() => Array(batch).fill(tokens.repeat));
    const repeat = await rounds(ask, names, again);
    const row = (kind) => (row) => ({ runtime: 'workerd', alg, case: kind, ...row });
    const of = whole ? 'gate ' : '';
    return [...fresh.map(row(`${of}fresh`)), ...repeat.map(row(`${of}repeat`))];
  } finally {
    await miniflare.dispose();
  }
}

async function rounds(ask, names, batches) {
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (const [round, batch] of batches.entries()) {
    await ask({ load: batch });
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length];
      samples[name].push(await timed(ask, name, batch.length));
    }
  }
  const { nothing, ...libraries } = samples;
  const empty = median(nothing);
  return Object.entries(libraries).map(([library, values]) => ({
    library,
    microseconds: Math.max(0, median(values) - empty),
  }));
}

async function timed(ask, library, count) {
  const started = performance.now();
  const accepted = await ask({ library });
  const microseconds = ((performance.now() - started) * 1000) / count;
  if (accepted !== count) throw new Error(`${library} in workerd accepts ${accepted} of ${count}`);
  return microseconds;
}
