// The backend that keeps both tokens, in a real browser over TLS: the application on `localhost`,
// the authorization server on 127.0.0.1, which is another site to a browser.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:https';
import { test } from 'node:test';

import { createVerifier } from 'portcullis';
import { createBff } from 'portcullis/bff';
import { createIssuer, generateSigningKey } from 'portcullis/issuer';
import { memoryStore } from 'portcullis/stores';

import { newCertificate } from '../support/certificate.mjs';
import { body } from './authority.mjs';
import { engines } from './engines.mjs';

const LONGEST_MS = 60_000;
/** The page tells what it sees: of its session, of an API, and of what its scripts can read. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>notes</title><script type="module">
const headers = { 'x-portcullis': '1' };
const json = async (path, init) => {
  const response = await fetch(path, { headers, ...init });
  return { status: response.status, body: await response.json() };
};
const tell = (what) => fetch('/told', { method: 'POST', body: JSON.stringify(what) });
const session = await json('/auth/session');
if (new URL(location).searchParams.has('out')) await json('/auth/logout', { method: 'POST' });
const notes = await json('/api/notes', { method: 'POST', body: 'note', headers: { ...headers, 'content-type': 'text/plain' } });
await tell({ place: location.pathname + location.search, session, notes, cookies: document.cookie });
</script>`;

/** A site that is neither, and what it can make a browser send. */
const EVIL = (app) => `<!doctype html><meta charset="utf-8"><title>other</title><script type="module">
const tries = ['GET', 'POST'].map((method) => fetch('${app}/api/notes', { method, mode: 'no-cors', credentials: 'include' }).then(() => 'sent', () => 'not sent'));
await Promise.all(tries);
await fetch('/told', { method: 'POST', body: JSON.stringify({ place: 'evil' }) });
</script>`;

async function serve(tls, handle) {
  const server = createServer(tls, async (incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const text = method === 'GET' ? undefined : await body(incoming);
    const request = new Request(new URL(url, `https://${headers.host}`), {
      method,
      headers,
      ...(text && { body: text }),
    });
    const response = await handle(request);
    outgoing.writeHead(response.status, [
      ...[...response.headers].filter(([name]) => name !== 'set-cookie').flat(),
      ...response.headers.getSetCookie().flatMap((line) => ['set-cookie', line]),
    ]);
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: server.address().port, stop: () => server.close() && server.closeAllConnections() };
}

async function world(options) {
  const tls = await newCertificate();
  const waiting = [];
  const told = () =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the page has told nothing')), LONGEST_MS);
      waiting.push((what) => {
        clearTimeout(timer);
        resolve(what);
      });
    });
  const seen = { landings: [], api: [] };
  let [issuer, bff, verifier] = [];
  const hear = async (request) => {
    waiting.shift()?.(await request.json());
    return new Response(null, { status: 204 });
  };
  const html = (text) => new Response(text, { headers: { 'content-type': 'text/html; charset=utf-8' } });
  const app = await serve(tls, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/told') return hear(request);
    const answer = await bff.fetch(request);
    if (answer) return answer;
    seen.landings.push(request.headers.get('cookie') ?? '');
    return html(PAGE);
  });
  const origin = `https://localhost:${app.port}`;
  const server = await serve(tls, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/told') return hear(request);
    if (pathname === '/evil') return html(EVIL(origin));
    if (pathname !== '/authorize') return issuer.fetch(request);
    const code = await issuer.mintCode('ada', {
      clientId: 'app',
      redirectUri: searchParams.get('redirect_uri'),
      codeChallenge: searchParams.get('code_challenge'),
    });
    const back = new URL(searchParams.get('redirect_uri'));
    back.search = new URLSearchParams({ code, state: searchParams.get('state'), iss: url });
    // A page of the other site, which sends the user back by itself.
    return html(
      `<!doctype html><title>sign-in</title><script>location.href = ${JSON.stringify(back.href)}</script>`,
    );
  });
  const url = `https://127.0.0.1:${server.port}`;
  issuer = createIssuer({
    config: {
      issuer: url,
      audience: 'https://api.example',
      clients: [
        {
          clientId: 'app',
          authentication: 'none',
          grants: ['authorization_code', 'refresh_token'],
          scope: 'notes',
          redirectUris: [`${origin}/auth/callback`],
        },
      ],
    },
    signingKeys: [{ jwk: generateSigningKey('ES256').privateJwk() }],
    rootKeys: [{ secret: new Uint8Array(randomBytes(32)) }],
    store: memoryStore(),
  });
  verifier = createVerifier({
    issuers: [{ issuer: url, audience: 'https://api.example', jwks: issuer.jwks() }],
  });
  const send = async (request) => {
    const { origin: to, pathname } = new URL(request.url);
    if (to === url && pathname.startsWith('/.well-known/')) {
      const metadata = await (await issuer.fetch(request)).json();
      return Response.json({ ...metadata, authorization_endpoint: `${url}/authorize` });
    }
    if (to === url) return issuer.fetch(request);
    const verdict = verifier.verifyAuthorization(request.headers.get('authorization') ?? '');
    seen.api.push(`${request.method} ${await request.text()}`);
    return Response.json({ sub: verdict.claims?.sub ?? null }, { status: verdict.ok ? 200 : 401 });
  };
  bff = createBff({
    issuer: url,
    clientId: 'app',
    secrets: [{ hex: randomBytes(32).toString('hex') }],
    upstream: { '/api/*': 'https://api.example' },
    fetch: send,
    ...options,
  });
  return { origin, url, told, seen, stop: () => [app.stop(), server.stop()] };
}

/** Declares the tests for one engine. */
export function testBff(engine) {
  for (const [where, optionsOf] of [
    ['cookies', () => ({})],
    ['a store', () => ({ store: memoryStore() })],
  ])
    test(`${engine}, ${where}: signed in from another site, with cookies of SameSite=Strict`, {
      timeout: 180_000,
    }, async () => {
      const { origin, url, told, seen, stop } = await world(optionsOf());
      const browser = await engines[engine]({ tls: true });
      try {
        const first = told();
        await browser.open(`${origin}/notes`);
        const before = await first;
        assert.deepEqual(before.session, { status: 200, body: { signedIn: false } });
        assert.deepEqual(before.notes, { status: 401, body: { error: 'signed_out', login: '/auth/login' } });

        const second = told();
        await browser
          .open(`${origin}/auth/login?returnTo=${encodeURIComponent('/notes?id=1')}`)
          .catch(() => {});
        const signedIn = await second;
        assert.equal(signedIn.place, '/notes?id=1');
        assert.equal(signedIn.session.body.signedIn, true);
        assert.deepEqual(signedIn.notes, { status: 200, body: { sub: 'ada' } });
        assert.equal(signedIn.cookies, '', 'no script reads a cookie');
        assert.match(seen.landings.at(-1), /__Host-app(\.0)?=/, 'the landing itself is signed in');
        assert.doesNotMatch(seen.landings.at(-1), /login/);

        const [asked, third] = [seen.api.length, told()];
        await browser.open(`${url}/evil`);
        await third;
        assert.equal(seen.api.length, asked, 'another site reaches no API');

        const fourth = told();
        await browser.open(`${origin}/notes?out`);
        const out = await fourth;
        assert.equal(out.session.body.signedIn, true);
        assert.equal(out.notes.status, 401);
        const fifth = told();
        await browser.open(`${origin}/notes`);
        assert.equal((await fifth).session.body.signedIn, false);
      } finally {
        await browser.close();
        stop();
      }
    });
}
