// Which path a request to Next is judged by: what its proxy is handed is what its routes serve,
// with `rscRedirect` in `next.config`.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { mint, policy } from './cases.mjs';
import { serveApp } from './next-app.mjs';
import { client } from './routing/raw.mjs';
import { random, scopesOf } from './routing/tables.mjs';
import { targetOf } from './routing/targets.mjs';

const entries = [
  { path: '/health', name: 'health', scope: 'public' },
  { path: '/admin/login', name: 'login', scope: 'public' },
  { path: '/admin/*', name: 'admin', scope: 'admin' },
  { path: '/docs', name: 'docs', scope: 'docs' },
  { path: '/files/public', name: 'public', scope: 'public' },
  { path: '/files/:name', name: 'file', scope: 'files' },
  { path: '/:any', name: 'any', scope: 'any' },
];
const route = (name) => `
  export const dynamic = 'force-dynamic';
  const answer = async (_request, { params }) => {
    const { rest, ...named } = (await params) ?? {};
    const all = rest ? { ...named, '*': rest.join('/') } : named;
    return new Response('', { headers: { 'x-served': encodeURIComponent(JSON.stringify(['${name}', all])) } });
  };
  export const GET = answer;
  export const POST = answer;`;

const WITHOUT = 'x-without-redirect';
const SHOW = 'x-show';

/** Whatever can be read of a value, by names, symbols, getters and iterators, as text. */
function everything(value) {
  const seen = new Set();
  const lines = [];
  const walk = (path, value) => {
    if (typeof value === 'function') return;
    if (Object(value) !== value) return lines.push(`${path} = ${String(value)}`);
    if (seen.has(value) || path.length > 400 || lines.length > 20000) return;
    seen.add(value);
    if (typeof value[Symbol.iterator] === 'function' && !('locked' in value))
      for (const [at, item] of [...value].entries()) walk(`${path}[${at}]`, item);
    for (let level = value; level && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
      for (const key of Reflect.ownKeys(level)) {
        try {
          walk(`${path}.${String(key)}`, value[key]);
        } catch {
          // A getter of another kind of object.
        }
      }
    }
  };
  walk('', value);
  return lines.join('\n');
}

const FILES = {
  'policy.json': JSON.stringify({
    ...policy,
    gate: {
      ...policy.gate,
      requirement: { scopes: ['rest'] },
      routes: entries.map(({ path, scope }) => ({
        path,
        requirement: scope === 'public' ? 'public' : { scopes: [scope] },
      })),
    },
  }),
  // For every path.
  'proxy.js': `
    import { NextResponse } from 'next/server';
    import { createGate } from 'portcullis/gate';
    import { guard } from 'portcullis/next';
    import policy from './policy.json';
    const guarded = guard(createGate(policy), NextResponse);
    const show = ${everything.toString()};
    export const proxy = (request, event) =>
      request.headers.has('${SHOW}') ? new NextResponse(show([request, event])) : guarded(request, event);`,
  'app/health/route.js': route('health'),
  'app/admin/login/route.js': route('login'),
  'app/admin/[...rest]/route.js': route('admin'),
  'app/docs/route.js': route('docs'),
  'app/files/public/route.js': route('public'),
  'app/files/[name]/route.js': route('file'),
  'app/[any]/route.js': route('any'),
};

let app;
let ask;
let close;
before(async () => {
  // Out of force for one test.
  const unless = `missing: [{ type: 'header', key: '${WITHOUT}' }]`;
  app = await serveApp(FILES, `redirects: async () => [{ ...portcullis.rscRedirect, ${unless} }],`);
  ({ ask, close } = client(Number(new URL(app.origin).port)));
});
after(() => {
  close?.();
  app?.stop();
});

const tokens = new Map();
function headersOf(scopes) {
  const scope = scopes.join(' ') || 'none';
  if (!tokens.has(scope)) tokens.set(scope, mint({ scope }));
  return [
    ['Host', new URL(app.origin).host],
    ['Content-Length', '0'],
    ['Authorization', `Bearer ${tokens.get(scope)}`],
  ];
}

test('what is handed to the proxy without its suffix comes to no route', async () => {
  for (const target of ['/health.rsc', '/health.rsc?a=b', '/admin/login.rsc', '/files/public.rsc']) {
    const { status, headers } = await ask('GET', target, headersOf([]));
    assert.equal(status, 307, target);
    assert.equal(headers['x-served'], undefined);
  }
  const { status } = await ask('GET', '/health', headersOf([]));
  assert.equal(status, 200);
});

// The guard cannot enforce it: Next takes the suffix and the headers of its own off before a proxy
// is called, and says nowhere what was asked for, as the test after the next one shows. A rewrite
// to what was judged leads out of Next and in again where the server was started under another
// name. Should this fail one day, `rscRedirect` may go.
test('without the redirect a route is served that nobody judged, as SECURITY.md says', async () => {
  const { status, headers } = await ask('GET', '/health.rsc', [...headersOf([]), [WITHOUT, '1']]);
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(decodeURIComponent(headers['x-served'])), ['any', { any: 'health.rsc' }]);
});

test('what a proxy is called with holds nothing by which the two could be told apart', async () => {
  const shown = async (target) => {
    const { status, body } = await ask('GET', target, [...headersOf([]), [WITHOUT, '1'], [SHOW, '1']]);
    assert.equal(status, 200);
    return String(body);
  };
  const [plain, suffixed, other] = [
    await shown('/health'),
    await shown('/health.rsc'),
    await shown('/health.rsx'),
  ];
  assert.ok(plain.split('\n').length > 100 && plain.includes('nextUrl') && plain.includes('/health'), plain);
  assert.equal(suffixed, plain);
  assert.ok(!plain.includes('.rsc'));
  assert.notEqual(other, plain);
});

test('no header and no query of Next’s own makes another path of a public one', async () => {
  const own = [
    ['x-nextjs-data', '1'],
    ['rsc', '1'],
    ['x-matched-path', '/docs'],
    ['x-invoke-path', '/docs'],
    ['x-middleware-rewrite', '/docs'],
    ['x-middleware-subrequest', 'proxy:proxy:proxy:proxy:proxy'],
    ['x-now-route-matches', '1=docs'],
    ['next-url', '/docs'],
  ];
  for (const header of own) {
    for (const [target, served] of [
      ['/health', 'health'],
      ['/docs', undefined],
      ['/x?nxtPany=health&any=health', undefined],
      ['/_next/data/x/docs.json', undefined],
    ]) {
      const { headers } = await ask('GET', target, [...headersOf([]), header]);
      const [name] = headers['x-served'] ? JSON.parse(decodeURIComponent(headers['x-served'])) : [];
      assert.ok(name === undefined || name === served, `${header} ${target} → ${name}`);
    }
  }
});

test('no target reaches a route without what the policy asks for there', async () => {
  const next = random(20_261_126);
  const rounds = Number(process.env.PORTCULLIS_ROUNDS ?? 700);
  const table = { entries };
  const scopes = ['rest', 'admin', 'docs', 'files', 'any'];
  const faults = [];
  let served = 0;
  for (let round = 0; round < rounds; round++) {
    const held = scopes.filter(() => next(2) === 0);
    const target = targetOf(next, table, new URL(app.origin).host) + (next(6) === 0 ? '.rsc' : '');
    const method = ['GET', 'HEAD', 'POST'][next(3)];
    if (/\s/.test(target)) continue;
    const { headers } = await ask(method, target, headersOf(held));
    if (headers['x-served'] === undefined) continue;
    served += 1;
    const [name, params] = JSON.parse(decodeURIComponent(headers['x-served']));
    const handler = entries.find((entry) => entry.name === name);
    const lacking = scopesOf(table, handler, params, method).filter((scope) => !held.includes(scope));
    if (lacking.length > 0)
      faults.push(`${method} ${target} → ${handler.path} ${JSON.stringify(params)} without ${lacking}`);
  }
  assert.deepEqual(faults, []);
  assert.ok(served > rounds / 20, `${served} were served`);
});
