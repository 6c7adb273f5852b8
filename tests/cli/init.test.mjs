// `init`: each project is written, the packed package installed into it, and it runs: one good
// request and one bad one.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Log, LogLevel, Miniflare } from 'miniflare';

import { bundleWorker } from '../../src/build/worker-bundle.mjs';
import { project, script, serve } from './projects.mjs';
import { folder, portcullis } from './run.mjs';

test('init gate: a server on Node behind a gate', async (test) => {
  const path = await project('gate');
  const { url, told } = await serve(test, path);
  const refused = await fetch(`${url}/notes`);
  assert.equal(refused.status, 401);
  assert.equal((await refused.json()).code, 'authorization-missing');
  assert.match(told(), /portcullis: GET refused with 401 authorization-missing/);
  const headers = { authorization: `Bearer ${script(path, 'token.mjs')}` };
  const allowed = await fetch(`${url}/notes`, { headers });
  assert.deepEqual([allowed.status, await allowed.text()], [200, 'Hello, alice\n']);
  const narrow = { authorization: `Bearer ${script(path, 'token.mjs', 'other:scope')}` };
  assert.equal((await fetch(`${url}/notes`, { headers: narrow })).status, 403);
  assert.equal((await fetch(`${url}/health`)).status, 200);
  assert.equal((await portcullis(['check', join(path, 'policy.json')])).code, 0);
});

test('init worker: a Worker behind a gate', async (test) => {
  const path = await project('worker');
  const { main } = JSON.parse(readFileSync(join(path, 'wrangler.json'), 'utf8'));
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    log: new Log(LogLevel.NONE),
    compatibilityDate: '2026-01-01',
    ...(await bundleWorker(join(path, main))),
  });
  test.after(() => miniflare.dispose());
  const url = await miniflare.ready;
  assert.equal((await fetch(new URL('/notes', url))).status, 401);
  const headers = { authorization: `Bearer ${script(path, 'token.mjs')}` };
  const allowed = await fetch(new URL('/notes', url), { headers });
  assert.deepEqual([allowed.status, await allowed.text()], [200, 'Hello, alice\n']);
});

test('init issuer: an authorization server on Node', async (test) => {
  const path = await project('issuer');
  const { url } = await serve(test, path);
  const ask = (secret) =>
    fetch(`${url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`service:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
  const refused = await ask('wrong');
  assert.deepEqual([refused.status, (await refused.json()).error], [401, 'invalid_client']);
  const granted = await ask(script(path, 'secret.mjs'));
  assert.equal(granted.status, 200);
  const { access_token } = await granted.json();
  // A gate trusts it by its metadata.
  const policy = join(path, 'policy.json');
  const trusted = { issuer: url, audience: 'https://api.example', remote: { discovery: 'oauth' } };
  writeFileSync(policy, JSON.stringify({ issuers: [trusted] }));
  const { code } = await portcullis(['verify', '-p', policy, '-'], { input: access_token });
  assert.equal(code, 0);
});

test('init: secrets are new each time, and nobody else reads or commits them', async () => {
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  for (const path of [one, other]) assert.equal((await portcullis(['init', 'issuer', path])).code, 0);
  const read = (path) => readFileSync(join(path, 'secrets.json'), 'utf8');
  assert.notEqual(read(one), read(other));
  const { clientSecret, rootKey } = JSON.parse(read(one));
  assert.equal(Buffer.from(rootKey.base64url, 'base64url').length, 32);
  assert.ok(clientSecret.length >= 43);
  assert.match(readFileSync(join(one, '.gitignore'), 'utf8'), /^secrets\.json$/m);
  if (process.platform !== 'win32') assert.equal(statSync(join(one, 'secrets.json')).mode & 0o777, 0o600);
});

test('init writes over nothing, and says what there is to make', async () => {
  const path = join(folder, 'taken');
  assert.equal((await portcullis(['init', 'gate', path])).code, 0);
  const before = readFileSync(join(path, 'policy.json'), 'utf8');
  const again = await portcullis(['init', 'gate', path]);
  assert.equal(again.code, 2);
  assert.match(again.err, /is not empty; write the name of a new folder/);
  assert.equal(readFileSync(join(path, 'policy.json'), 'utf8'), before);
  for (const args of [[], ['server'], ['constructor']]) {
    const { code, err } = await portcullis(['init', ...args]);
    assert.equal(code, 2);
    assert.match(err, /init requires what to make: issuer, issuer-postgres, .*axum; found/);
  }
});
