// Interleaved rounds in Node: every library verifies the same batch in turn, and the turn rotates.
import { performance } from 'node:perf_hooks';

import { libraries, native } from './libraries.mjs';

/** Rows of one algorithm: the median microseconds a token. */
export async function benchNode(alg, tokens, { batch }) {
  const verifiers = await libraries(alg, tokens.jwk);
  for (const [name, verify] of Object.entries(verifiers)) await check(`${name} in Node`, verify, tokens);
  const raw = native(alg, tokens.jwk);
  const decoded = (list) => list.map(raw.split);

  const fresh = Object.entries(verifiers).map(([name, verify]) => ({ name, verify, of: (list) => list }));
  fresh.push({ name: 'native', verify: raw.verify, of: decoded });
  for (const { verify, of } of fresh) await timed(verify, of(tokens.warmup));
  const rows = await rounds(fresh, tokens.node);

  const again = Array(batch).fill(tokens.repeat);
  const repeat = Object.entries(verifiers).map(([name, verify]) => ({ name, verify, of: () => again }));
  for (const { verify } of repeat) await timed(verify, again);
  const repeated = await rounds(repeat, tokens.node);

  const row = (kind) => (row) => ({ runtime: 'Node', alg, case: kind, ...row });
  return [...rows.map(row('fresh')), ...repeated.map(row('repeat'))];
}

/** A library that refuses a good token or takes a forged one is not measured: the bench fails. */
export async function check(name, verify, { warmup, forged }) {
  await verify(warmup[0]);
  const accepted = await Promise.resolve()
    .then(() => verify(forged))
    .then(
      () => true,
      () => false,
    );
  if (accepted) throw new Error(`${name} accepts a forged token`);
}

export async function rounds(runners, batches) {
  const samples = new Map(runners.map(({ name }) => [name, []]));
  for (const [round, batch] of batches.entries()) {
    for (let turn = 0; turn < runners.length; turn++) {
      const { name, verify, of } = runners[(turn + round) % runners.length];
      samples.get(name).push(await timed(verify, of(batch)));
    }
  }
  return [...samples].map(([library, values]) => ({ library, microseconds: median(values) }));
}

/** Microseconds a token. What is a promise is awaited, one at a time, as a request would. */
export async function timed(verify, list) {
  const started = performance.now();
  for (const token of list) {
    const pending = verify(token);
    if (pending instanceof Promise) await pending;
  }
  return ((performance.now() - started) * 1000) / list.length;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
