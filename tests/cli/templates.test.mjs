// The templates of `init`: each is written into an empty folder, built or type-checked, and started
// on loopback. An API accepts a good token and refuses a bad one; an issuer starts a session,
// refreshes it and ends it. The template in Rust is tested in tests/tower.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Log, LogLevel, Miniflare } from 'miniflare';
import ts from 'typescript';

import { bundleWorker } from '../../src/build/worker-bundle.mjs';
import { serveApp } from '../adapters/next-app.mjs';
import { startPostgres } from '../stores/engines/postgres.mjs';
import { api, checked, project, script, serve, written } from './projects.mjs';
import { portcullis } from './run.mjs';

/** A session of an issuer: started, refreshed, ended. */
async function session(url, password) {
  const post = (path, body) => fetch(new URL(path, url), { method: 'POST', body: new URLSearchParams(body) });
  const refresh = (refresh_token) =>
    post('/token', { grant_type: 'refresh_token', client_id: 'app', refresh_token });
  assert.equal((await post('/sign-in', { user: 'alice', password: 'wrong' })).status, 401);
  assert.equal((await post('/sign-in', { user: 'bob', password })).status, 401);
  const started = await post('/sign-in', { user: 'alice', password });
  assert.equal(started.status, 200);
  const first = await started.json();
  const refreshed = await refresh(first.refresh_token);
  assert.equal(refreshed.status, 200);
  const second = await refreshed.json();
  assert.notEqual(second.refresh_token, first.refresh_token);
  const { code } = await portcullis(['inspect', '-'], { input: second.access_token });
  assert.equal(code, 0);
  assert.equal((await post('/revoke', { client_id: 'app', token: second.refresh_token })).status, 200);
  const ended = await refresh(second.refresh_token);
  assert.deepEqual([ended.status, (await ended.json()).error], [400, 'invalid_grant']);
}

async function workerd(test, path, options = {}) {
  const { main } = JSON.parse(readFileSync(join(path, 'wrangler.json'), 'utf8'));
  const miniflare = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    // Otherwise miniflare asks the internet where it is.
    cf: false,
    log: new Log(LogLevel.NONE),
    compatibilityDate: '2026-01-01',
    ...(await bundleWorker(join(path, main))),
    ...options,
  });
  test.after(() => miniflare.dispose());
  return miniflare.ready;
}

test('init worker-hono: type-checked, bundled, and served by workerd', async (test) => {
  const path = await project('worker-hono');
  await checked(path);
  const { config } = ts.readConfigFile(join(path, 'tsconfig.json'), ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, path);
  const wrong = ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options));
  assert.deepEqual(
    wrong.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
    [],
  );
  const url = await workerd(test, path);
  await api(new URL('/notes', url), (...scope) => script(path, 'token.mjs', ...scope));
  assert.equal((await fetch(new URL('/health', url))).status, 200);
});

test('init express: an API on Node', async (test) => {
  const path = await project('express');
  await checked(path);
  const { url } = await serve(test, path);
  await api(`${url}/notes`, (...scope) => script(path, 'token.mjs', ...scope));
  assert.equal((await fetch(`${url}/health`)).status, 200);
});

test('init issuer-postgres: a session that outlives the process', async (test) => {
  const path = await project('issuer-postgres');
  const postgres = await startPostgres();
  test.after(() => postgres.stop());
  const { host, port, user, password, database } = postgres.connection;
  const env = { DATABASE_URL: `postgres://${user}:${password}@${host}:${port}/${database}` };
  const { url } = await serve(test, path, { env });
  await session(url, script(path, 'password.mjs'));
});

test('init issuer-durable-objects: a session in an object', async (test) => {
  const path = await project('issuer-durable-objects');
  const { durable_objects } = JSON.parse(readFileSync(join(path, 'wrangler.json'), 'utf8'));
  const [{ name, class_name }] = durable_objects.bindings;
  const [, secrets] = /^SECRETS='(.*)'$/m.exec(readFileSync(join(path, '.dev.vars'), 'utf8'));
  const url = await workerd(test, path, {
    bindings: { ISSUER: 'http://localhost:8788', SECRETS: secrets },
    durableObjects: { [name]: { className: class_name, useSQLite: true } },
  });
  await session(url, script(path, 'password.mjs'));
});

test('init next: built and served for production', async (test) => {
  const { path, files } = await written('next');
  await checked(path);
  const own = Object.fromEntries(files.map((name) => [name, readFileSync(join(path, name), 'utf8')]));
  // Next looks for its root beside node_modules, which are this repository's.
  const { 'next.config.mjs': config, 'package.json': _, ...rest } = own;
  const app = await serveApp(
    { ...rest, 'own.config.mjs': config },
    "...(await import('./own.config.mjs')).default",
  );
  test.after(() => app.stop());
  const token = await tokens(path);
  await api(`${app.origin}/api/notes`, token);
  const forged = await fetch(`${app.origin}/api/notes`, { headers: { 'x-user': 'mallory' } });
  assert.equal(forged.status, 401);
});

/** What `npm run token` prints, of a project that is served elsewhere. */
async function tokens(path) {
  const { importSigningKey } = await import('../../dist/entry/issuer-default.js');
  const key = importSigningKey(JSON.parse(readFileSync(join(path, 'signing-key.jwk'), 'utf8')));
  const claims = { issuer: 'https://login.example', audience: 'https://api.example', subject: 'alice' };
  return (scope = 'notes:read') => key.mintAccessToken({ ...claims, clientId: 'dev', scope });
}
