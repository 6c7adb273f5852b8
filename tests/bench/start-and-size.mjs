// What a first verification costs, and what there is to download.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { ROOT } from '../../src/build/steps.mjs';
import { median } from './node.mjs';
import { AUDIENCE, ISSUER, makeTokens, TYPE } from './tokens.mjs';

const SCRIPTS = {
  portcullis: `const { createVerifier } = await import('portcullis');
    const loaded = performance.now();
    const verifier = createVerifier({ issuers: [{ issuer, audience, jwks: { keys: [jwk] } }] });
    const good = verifier.verify(token).ok;`,
  jose: `const { importJWK, jwtVerify } = await import('jose');
    const loaded = performance.now();
    const key = await importJWK(jwk, 'ES256');
    const good = await jwtVerify(token, key, { issuer, audience, algorithms: ['ES256'], typ: type }).then(() => true);`,
};

const ONE = { rounds: 0, batch: 1 };

/**
 * Milliseconds until the first verification with one ES256 key is done, each in a Node process of
 * its own: from before the library's JavaScript is loaded, and from after.
 */
export function coldStart(times) {
  const { jwk, repeat: token } = makeTokens('ES256', { node: ONE, workerd: ONE });
  const input = JSON.stringify({ jwk, token, issuer: ISSUER, audience: AUDIENCE, type: TYPE });
  const samples = Object.fromEntries(Object.keys(SCRIPTS).map((name) => [name, []]));
  for (let round = 0; round < times; round++) {
    for (const [name, body] of Object.entries(SCRIPTS)) {
      const script = `const { jwk, token, issuer, audience, type } = ${input};
        const started = performance.now();
        ${body}
        if (!good) throw new Error('refused');
        const ended = performance.now();
        console.log(JSON.stringify({ whole: ended - started, loaded: ended - loaded }));`;
      const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        cwd: ROOT,
        encoding: 'utf8',
      });
      samples[name].push(JSON.parse(printed));
    }
  }
  return Object.fromEntries(
    Object.entries(samples).map(([name, values]) => {
      const middle = (part) => median(values.map((value) => value[part]));
      return [name, { whole: middle('whole'), loaded: middle('loaded') }];
    }),
  );
}

/** Bytes after gzip. */
export function sizes() {
  const size = (...path) => gzipSync(readFileSync(join(ROOT, 'dist', 'wasm', ...path)), { level: 9 }).length;
  return {
    'validator wasm': size('portcullis.wasm'),
    'validator and issuer wasm': size('portcullis_issuer.wasm'),
    'validator inlined in JavaScript': size('portcullis_inline.js'),
  };
}
