// What is in the package: its files, its sizes, and what the wasm modules hold.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VALIDATOR_LIMIT = 96 * 1024;

const bytes = (name) => readFileSync(join(ROOT, 'dist', 'wasm', name));
const module = (name) => new WebAssembly.Module(bytes(name));
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/**
 * What tells a module with the issuer in it: its exports, and the sentences of src/issuer that its
 * errors are made of.
 */
const traces = (name) => {
  const exported = WebAssembly.Module.exports(module(name)).map((entry) => entry.name);
  const imported = WebAssembly.Module.imports(module(name)).map((entry) => entry.name);
  const text = bytes(name).toString('latin1');
  return {
    exports: exported.filter((export_) => /signing|mint|generate|private/i.test(export_)),
    imports: imported.filter((import_) => /getRandomValues|randomFill|crypto/i.test(import_)),
    sentences: [
      'this issuer signs with no other',
      'is not the public half of d',
      'lifetimeSeconds',
      'client_id',
    ].filter((sentence) => sentence !== 'client_id' && text.includes(sentence)),
  };
};

test('the validator holds no code of the issuer', () => {
  assert.deepEqual(traces('portcullis.wasm'), { exports: [], imports: [], sentences: [] });
});

test('the same look finds the issuer where it is', () => {
  const { exports, imports, sentences } = traces('portcullis_issuer.wasm');
  assert.ok(
    exports.length >= 3 && imports.length >= 1 && sentences.length === 3,
    JSON.stringify({ exports, imports, sentences }),
  );
});

test('the validator exports what the face needs and imports only the glue', () => {
  const exported = WebAssembly.Module.exports(module('portcullis.wasm')).map(({ name }) => name);
  const ours = exported.filter((name) => !name.startsWith('__') && name !== 'memory');
  assert.deepEqual(ours.sort(), [
    'inspect',
    'rawverifier_answer',
    'rawverifier_input',
    'rawverifier_inputBytes',
    'rawverifier_new',
    'rawverifier_replace',
    'rawverifier_setRemoteKeys',
    'rawverifier_stats',
    'rawverifier_verify',
    'rawverifier_verifyAuthorization',
    'verifyJws',
  ]);
  const imported = WebAssembly.Module.imports(module('portcullis.wasm'));
  assert.deepEqual([...new Set(imported.map((entry) => entry.module))], ['./portcullis_bg.js']);
});

test('ML-DSA is in its own module alone', () => {
  const names = (name) => bytes(name).toString('latin1').includes('ML-DSA');
  assert.deepEqual(['portcullis.wasm', 'portcullis_issuer.wasm', 'portcullis_ml_dsa.wasm'].map(names), [
    false,
    false,
    true,
  ]);
});

/**
 * What tells a module with the gate in it: its exports, and what src/gate and src/binding say and
 * ask for.
 */
const gateTraces = (name) => {
  const exported = WebAssembly.Module.exports(module(name)).map((entry) => entry.name);
  const text = bytes(name).toString('latin1');
  const sentences = [
    'insufficient_scope',
    'portcullis dpop nonce',
    'x-forwarded-proto',
    'transport-insecure',
    'has a regular expression',
  ];
  return {
    exports: exported.filter((export_) => /gate|decide|requirement/i.test(export_)),
    sentences: sentences.filter((sentence) => text.includes(sentence)),
  };
};

test('the gate is in its own module alone', () => {
  for (const name of ['portcullis.wasm', 'portcullis_ml_dsa.wasm'])
    assert.deepEqual(gateTraces(name), { exports: [], sentences: [] }, name);
  // The issuer takes DPoP proofs at its token endpoint, by the same check; it decides about no
  // request.
  const ofProofs = ['portcullis dpop nonce', 'transport-insecure'];
  assert.deepEqual(gateTraces('portcullis_issuer.wasm'), { exports: [], sentences: ofProofs });
  const { exports, sentences } = gateTraces('portcullis_gate.wasm');
  assert.ok(exports.length >= 12 && sentences.length === 5, JSON.stringify({ exports, sentences }));
});

test('no path of the builder is left in a module', () => {
  for (const name of [
    'portcullis.wasm',
    'portcullis_gate.wasm',
    'portcullis_issuer.wasm',
    'portcullis_ml_dsa.wasm',
  ]) {
    const text = bytes(name).toString('latin1');
    for (const path of [ROOT, process.env.HOME].filter((path) => path && path.length > 2)) {
      assert.ok(!text.includes(path), `${name} holds ${path}`);
    }
  }
});

test('the validator stays below its limit', () => {
  const size = (content) => gzipSync(content, { level: 9 }).length;
  const sizes = {
    'portcullis.wasm': size(bytes('portcullis.wasm')),
    'portcullis_gate.wasm': size(bytes('portcullis_gate.wasm')),
    'portcullis_issuer.wasm': size(bytes('portcullis_issuer.wasm')),
    'portcullis_ml_dsa.wasm': size(bytes('portcullis_ml_dsa.wasm')),
    'portcullis_inline.js': size(bytes('portcullis_inline.js')),
  };
  for (const [name, gzip] of Object.entries(sizes)) console.log(`${name}: ${gzip} bytes gzip`);
  console.log(`limit of the validator: ${VALIDATOR_LIMIT} bytes`);
  assert.ok(sizes['portcullis.wasm'] <= VALIDATOR_LIMIT);
});

test('the package brings no dependency and runs no script at install', () => {
  for (const kind of ['dependencies', 'optionalDependencies', 'bundledDependencies']) {
    assert.equal(manifest[kind], undefined);
  }
  // A peer is for those who have it anyway.
  const peers = Object.keys(manifest.peerDependencies);
  assert.deepEqual(peers.sort(), [
    '@sveltejs/kit',
    'express',
    'fastify',
    'hono',
    'next',
    'react',
    'typescript',
    'vue',
  ]);
  for (const name of peers) assert.equal(manifest.peerDependenciesMeta[name].optional, true);
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
    assert.equal(manifest.scripts[name], undefined);
});

test('the tarball holds dist, the licences and nothing of the work tree', () => {
  const printed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const parsed = JSON.parse(printed.slice(printed.search(/[[{]/)));
  const [{ files }] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  const paths = files.map(({ path }) => path);
  const strange = paths.filter(
    (path) => !/^(dist\/|package\.json$|README\.md$|CHANGELOG\.md$|LICENSE-)/.test(path),
  );
  assert.deepEqual(strange, []);
  const targets = JSON.stringify(manifest.exports).match(/\.\/dist[^"]*/g);
  for (const target of targets) assert.ok(paths.includes(target.slice(2)), `${target} is not in the tarball`);
});
