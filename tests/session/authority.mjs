// An authorization server and an API behind it, on loopback, with the rules of rotation to the
// letter and a clock that can be set. It loses answers when it is told to, and counts what it
// sees.
import { randomBytes } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

import { createVerifier } from 'portcullis';
import { generateSigningKey } from 'portcullis/issuer';

import { ROOT } from '../support/binaries.mjs';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript' };
const CLIENT = 'app';
const SERVING_MS = 20;
const ENDS = ['reuse_detected', 'revoked', 'store_behind'];

/** The same draws in every run. */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * `wrongByMs`: its clock against this machine's. `pages` and `scripts`: what else it serves, by
 * path, as text. `lose`: what is to become of the next request to the token endpoint: `before` it
 * is served, `after`, `unavailable`, or nothing. `issuer` makes a real one in the place of these
 * rules, which goes by one clock with everything here.
 */
export async function startAuthority({
  wrongByMs = 0,
  lifeSeconds = 300,
  pages = {},
  lose = () => '',
  issuer: makeIssuer,
} = {}) {
  const key = generateSigningKey('ES256');
  const rows = new Map();
  const windows = { replay: 60, interval: 90, late: 2 };
  const world = { leapMs: wrongByMs, storeMs: 0, validFrom: 0, minted: 0 };
  const seen = {
    refreshes: 0,
    rotations: 0,
    open: 0,
    mostOpen: 0,
    lost: 0,
    refused: 0,
    calls: 0,
    proofs: [],
    tokens: [],
  };
  const nowMs = () => Date.now() + world.leapMs + (makeIssuer ? world.storeMs : 0);
  const storeNow = () => Math.floor((Date.now() + world.storeMs) / 1000);
  let gate = Promise.resolve();

  const accessToken = () => {
    const request = {
      issuer: origin(),
      audience: origin(),
      subject: 'ada',
      clientId: CLIENT,
      scope: 'notes',
    };
    world.minted += 1;
    return key.mintAccessToken(
      { ...request, lifetimeSeconds: lifeSeconds },
      { now: Math.floor(nowMs() / 1000) },
    );
  };
  const mints = new Map();
  const answer = (refreshToken) => {
    const token = accessToken();
    mints.set(token, world.minted);
    const more = refreshToken === undefined ? {} : { refresh_token: refreshToken };
    return [200, { access_token: token, token_type: 'Bearer', expires_in: lifeSeconds, ...more }];
  };
  const text = (row, gen) => `${row.sid}.${gen}.${row.tags[gen]}`;
  const over = [400, { error: 'invalid_grant' }];

  /** ROTATION.md, case by case. */
  const rotate = (presented) => {
    const [sid, k, tag] = presented.split('.');
    const row = rows.get(sid);
    if (row === undefined || row.tags[k] !== tag || row.revoked) return over;
    const [behind, age] = [row.gen - Number(k), storeNow() - row.rotatedAt];
    if (behind === 0 && (row.gen === 0 || age > windows.interval)) {
      row.gen += 1;
      row.tags[row.gen] = randomBytes(8).toString('hex');
      Object.assign(row, { rotatedAt: storeNow(), streak: row.mark ? row.streak : 0, mark: false });
      seen.rotations += 1;
      return answer(text(row, row.gen));
    }
    if (behind === 0) return answer();
    if (behind === 1 && age <= windows.replay) {
      row.mark = true;
      return answer(text(row, row.gen));
    }
    if (behind === 1 && row.streak + 1 <= windows.late) {
      row.streak += 1;
      row.rotatedAt = storeNow();
      return answer(text(row, row.gen));
    }
    row.revoked = `generation ${k} of ${row.gen}`;
    return over;
  };

  const start = () => {
    const row = {
      sid: randomBytes(6).toString('hex'),
      gen: 0,
      tags: [randomBytes(8).toString('hex')],
      rotatedAt: storeNow(),
      streak: 0,
    };
    rows.set(row.sid, row);
    return answer(text(row, 0))[1];
  };

  const events = [];
  let real;
  const onEvent = (event) => {
    events.push(event);
    if (event.kind === 'rotated') seen.rotations += 1;
  };
  /** What the real one answers, its access token counted like ours. */
  const passedOn = async (path, form) => {
    const response = await real.fetch(new Request(`${origin()}${path}`, { method: 'POST', body: form }));
    const text = await response.text();
    const { access_token: token } = JSON.parse(text || '{}');
    if (token !== undefined) {
      world.minted += 1;
      mints.set(token, world.minted);
    }
    return [response.status, text];
  };

  let verifier;
  const api = (request) => {
    seen.calls += 1;
    const { authorization } = request.headers;
    const jwks = real ? real.jwks() : key.jwks();
    verifier ??= createVerifier({ issuers: [{ issuer: origin(), audience: origin(), jwks }] });
    const verdict = verifier.verifyAuthorization(authorization, { now: Math.floor(nowMs() / 1000) });
    const token = authorization?.split(' ')[1];
    if (verdict.ok && mints.get(token) > world.validFrom)
      return [200, { sub: verdict.claims.sub, token: mints.get(token) }];
    if (authorization !== undefined) seen.refused += 1;
    const error = authorization === undefined ? '' : ', error="invalid_token"';
    return [401, { code: verdict.code ?? 'revoked' }, { 'www-authenticate': `Bearer realm="api"${error}` }];
  };

  const token = async (request, response) => {
    const form = new URLSearchParams(await body(request));
    seen.refreshes += 1;
    seen.open += 1;
    seen.mostOpen = Math.max(seen.mostOpen, seen.open);
    seen.tokens.push(form.get('refresh_token'));
    try {
      // Slow enough to see whether another comes meanwhile.
      await new Promise((resolve) => setTimeout(resolve, SERVING_MS));
      const fate = lose();
      if (fate) seen.lost += 1;
      if (fate === 'before') return response.destroy();
      if (fate === 'unavailable') return send(response, [503, {}, { 'retry-after': '1' }]);
      const outcome = real ? await passedOn('/token', form) : rotate(form.get('refresh_token') ?? '');
      await gate;
      if (fate === 'after') return response.destroy();
      return send(response, outcome);
    } finally {
      seen.open -= 1;
    }
  };

  const send = (response, [status, value, headers = {}]) => {
    const sent = { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers };
    response.writeHead(status, { ...sent, date: new Date(nowMs()).toUTCString() });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };

  const dist = await realpath(join(ROOT, 'dist'));
  const server = createServer(async (request, response) => {
    try {
      const { pathname } = new URL(request.url, 'http://loopback');
      const handler = handlers[`${request.method} ${pathname}`];
      if (handler) return await handler(request, response);
      if (pathname in pages) {
        response.setHeader('content-type', TYPES[extname(pathname)] ?? TYPES['.html']);
        return response.end(pages[pathname]);
      }
      const path = normalize(join(dist, pathname.slice('/portcullis/'.length)));
      if (!pathname.startsWith('/portcullis/') || !path.startsWith(dist + sep))
        throw new Error('no such page');
      response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
      return response.end(await readFile(path));
    } catch (error) {
      if (!response.headersSent) response.writeHead(error.code === 'ENOENT' ? 404 : 500);
      return response.end(String(error));
    }
  });
  const begin = async () => {
    if (!real) return start();
    const tokens = await real.startSession('ada', { clientId: CLIENT });
    world.minted += 1;
    mints.set(tokens.access_token, world.minted);
    return tokens;
  };
  const handlers = {
    'POST /token': token,
    'POST /start': async (_, response) => send(response, [200, await begin()]),
    'POST /revoke': async (request, response) => {
      if (real) return send(response, await passedOn('/revoke', new URLSearchParams(await body(request))));
      const row = rows.get(new URLSearchParams(await body(request)).get('token')?.split('.')[0]);
      if (row) row.revoked = 'by the client';
      send(response, [200, {}]);
    },
    'GET /api/notes': (request, response) => send(response, api(request)),
    'GET /jwks': (_, response) => send(response, [200, key.jwks()]),
  };
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = () => `http://127.0.0.1:${server.address().port}`;
  const now = () => Math.floor(nowMs() / 1000);
  real = await makeIssuer?.({ issuer: origin(), audience: origin(), clientId: CLIENT, now, onEvent });

  return {
    events,
    origin: origin(),
    handlers,
    send,
    seen,
    start,
    rows: () =>
      real ? [{ revoked: events.find(({ kind }) => ENDS.includes(kind))?.kind }] : [...rows.values()],
    /**
     * From now on the API takes newer access tokens alone, and the store has aged by so many
     * seconds.
     */
    expire(seconds = 91) {
      world.validFrom = world.minted;
      world.storeMs += seconds * 1000;
    },
    /** Answers of the token endpoint wait until what is returned is called. */
    hold() {
      let release;
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
