// The Rust crate beside its peers, natively: a program of its own in native/.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { ROOT, run } from '../../src/build/steps.mjs';
import { AUDIENCE, ISSUER, JWT } from './tokens.mjs';

/** What the peers know too. */
export const NATIVE_ALGS = ['ES256', 'EdDSA', 'RS256', 'PS256', 'HS256', 'ES384'];

const FOLDER = join(ROOT, 'tests', 'bench', 'native');
const TARGET = join(ROOT, 'target', 'bench-native');

export const buildNative = () =>
  run('cargo', [
    'build',
    '--locked',
    '--release',
    '--manifest-path',
    join(FOLDER, 'Cargo.toml'),
    '--target-dir',
    TARGET,
  ]);

/** Rows of one algorithm: the median microseconds a token. */
export function benchNative(alg, tokens) {
  const input = {
    alg,
    jwk: tokens.jwk,
    issuer: ISSUER,
    audience: AUDIENCE,
    type: JWT,
    warmup: tokens.warmup,
    rounds: tokens.node,
    forged: tokens.forged,
  };
  const output = execFileSync(join(TARGET, 'release', 'native'), {
    input: JSON.stringify(input),
    maxBuffer: 1 << 24,
    encoding: 'utf8',
  });
  return JSON.parse(output).map((row) => ({ runtime: 'native', alg, case: 'fresh', ...row }));
}
